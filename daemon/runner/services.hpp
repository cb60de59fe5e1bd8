#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/runner/limits.hpp"
#include "daemon/runner/network.hpp"
#include "daemon/runner/output.hpp"
#include "daemon/runner/place.hpp"

#include <poll.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cicd::runner {

/// What runs as a service, with nothing left to evaluate; of a container what its image says is added once that is known. It counts as a step behind the job's own: its log, its state.
struct ServiceProgram {
    std::uint32_t step = 0;
    const model::JobService* service = nullptr;
    Program main;
    std::optional<Program> ready;
    Milliseconds ready_timeout{60'000};
    std::string login;       ///< container: "user:password" for the image's registry
    bool is_whole = true;  ///< container: false where the image's entrypoint, or its command too, belongs to it
};

/// The services of a job, each in a place of its own. Nothing here waits: whoever watches calls `serve` when something is to
/// be read or `due`. They start all at once; they are stopped one after the other, the last one first.
class Services {
public:
    struct Told {
        std::uint32_t step = 0;
        model::StepState state = model::StepState::running;
        std::optional<int> exit_code;
        std::string message;
    };
    using Tell = std::function<void(const Told&)>;

    Services(Output& output, job::Paths paths, Tell tell) : output_(output), paths_(std::move(paths)), tell_(std::move(tell)) {}

    Result<void> start(std::vector<ServiceProgram> programs, const model::JobSpec& spec, const Limits& limits,
                       const Network* network);

    void watch(std::vector<pollfd>& watched) const;
    /// `watched`: from where `watch` began to add.
    void serve(const pollfd* watched);
    [[nodiscard]] SteadyTime due() const;

    [[nodiscard]] bool are_ready() const;
    /// Why the job cannot go on, once that is so.
    [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
    /// Each gets `grace` to end; with `all_by` everything is over by then.
    void stop(Milliseconds grace, std::optional<SteadyTime> all_by);
    /// Without any grace from now on.
    void hurry();
    [[nodiscard]] bool are_over() const { return running_.empty(); }

private:
    enum class Phase { making, starting, running, ready, stopping, ending };
    struct Running {
        ServiceProgram program;
        Place place;
        Phase phase = Phase::making;
        SteadyTime start, deadline;            ///< until when it is to be ready, or to have ended
        std::optional<SteadyTime> probe_at;
        Milliseconds pause{10};                ///< before the next probe
        os::Fd probe_output;
        std::string failed;                    ///< why it ended what it is for; empty: it did not
        bool gone = false;
    };
    void on_event(Running& service);
    void began(Running& service);
    void probe(Running& service);
    void probed(Running& service, int status);
    void ended(Running& service, int status);
    void fail(Running& service, const std::string& why);
    void stop_next();
    void check(Running& service, SteadyTime now);
    [[nodiscard]] std::string last_lines(std::uint32_t step) const;
    [[nodiscard]] const std::string& name(const Running& service) const { return service.program.service->service.name; }

    Output& output_;
    job::Paths paths_;
    Tell tell_;
    std::vector<std::unique_ptr<Running>> running_;  ///< the first started comes first
    std::vector<Place> leaving_;                     ///< containers that are being removed
    std::optional<std::string> failure_;
    std::optional<Milliseconds> grace_;              ///< set: they are being stopped
    std::optional<SteadyTime> all_by_;
};

}  // namespace cicd::runner
