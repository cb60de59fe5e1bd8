#pragma once

#include "common/job/job_directory.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/errand.hpp"
#include "daemon/runner/limits.hpp"
#include "daemon/runner/output.hpp"
#include "daemon/runner/place.hpp"
#include "daemon/runner/services.hpp"
#include "daemon/runner/storage.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cicd::runner {

/// Why something is being ended before its time.
struct Stop {
    model::EndReason reason = model::EndReason::cancelled;
    std::string message;
};

struct ProgramEnd {
    enum class Kind { ended, refused, no_files, broken } kind = Kind::broken;
    int status = 0;                        ///< ended: as wait(2) gives it
    os::SpawnFailure::Stage stage{};       ///< refused: where, and
    int errno_value = 0;                   ///< refused, no_files: why
    std::optional<Stop> stop;              ///< what ended it, if it did not end by itself
    std::optional<std::string> oom;        ///< something of the job was killed meanwhile for want of memory
    model::Usage usage;
    std::vector<os::Fd> files;             ///< ended: given back
};

/// Runs a job's programs and meanwhile moves their output, obeys signals, watches the clock and what is written. Several run
/// at the same time where errands ask for them: whatever waits here, in an errand, gives way to the others. SIGTERM to this process ends the job (the file `cancel` says why), as often as it comes; SIGINT ends it
/// at once.
class Supervisor {
public:
    Supervisor(const model::JobSpec& spec, job::Paths paths, Output output, Limits limits, Place place, SteadyTime start);

    ProgramEnd run(std::uint32_t step, const Program& program, std::optional<Milliseconds> timeout);
    /// Runs a program of ours outside the job's place for step `step`, and gives its wait status. It is killed
    /// where the job or the step is told to end meanwhile; then `stop` or `stop_of` says why.
    Result<int> run_outside(std::uint32_t step, os::SpawnOptions options);
    /// The same, as a step: what it prints is the step's output. `by_itself`: where it is to end it gets SIGTERM, which gives
    /// what it does the job's grace, or SIGINT for at once, and is waited for while it puts things in order: then its exit code is job::told_to_end.
    enum class Ending { killed, by_itself };
    Result<int> run_tool(std::uint32_t step, os::SpawnOptions options, std::optional<Milliseconds> timeout, Ending ending = Ending::killed);
    /// On a port of the loopback device that the job sees; waits for the place.
    Result<os::Fd> listen();
    /// Before the first step. `await_services` waits until all are ready; false where that will not be.
    Result<void> start_services(std::vector<ServiceProgram> programs, const Network* network, Services::Tell tell);
    bool await_services();
    /// Ends everything that is left; returns what the whole job used.
    model::Usage finish();

    void note(std::uint32_t step, std::string_view text) { output_.system_line(step, text); }
    /// Looks for signals that came while nothing ran.
    void look() { turn(SteadyTime::clock::now()); }
    /// Waits, and lets errands go on, until `done` or for so long.
    void await(const std::function<bool()>& done, SteadyTime until = SteadyTime::max());
    /// All that runs for step `step` is to end, as if the job were; what begins for it then runs until its grace is over.
    void end_step(std::uint32_t step, Stop stop);
    /// Why step `step` is to end: by itself, or with the job.
    [[nodiscard]] std::optional<Stop> stop_of(std::uint32_t step) const;
    /// Set once the job as a whole is to end. Steps that ask for it still run until `gone`.
    [[nodiscard]] const std::optional<Stop>& stop() const { return stop_; }
    /// After `finish`: no process of the job is left, whatever still stands of its place.
    [[nodiscard]] bool is_empty() const { return empty_; }
    /// No step can run any more.
    [[nodiscard]] bool gone() const { return gone_; }
    [[nodiscard]] const Folders& folders() const { return place_.folders(); }
    /// Of a container: asks for it.
    Result<void> begin(const std::string& login) { return place_.begin(paths_.root, login); }
    Result<void> open_workspace() const { return place_.open_workspace(); }
    /// Of a container that is ready.
    [[nodiscard]] const Inside& inside() const { return place_.inside(); }
    /// Waits until the place is ready; false where it never will be.
    bool await_place();
    /// The workspace as the job sees it, for this process to read; waits for the place where only that can tell.
    std::filesystem::path workspace();

private:
    /// A program, from its start to its end; its frame is that of whoever waits for it.
    struct Activity {
        std::uint32_t number = 0, step = 0;
        SteadyTime start;
        bool may_run = true;                    ///< nothing was to end when it began
        std::optional<SteadyTime> deadline, kill_at;
        std::optional<Stop> stop;               ///< why it is to end
        std::optional<ProgramEnd> end;
        os::Fd outside;                         ///< pidfd of one outside of the place
        bool outside_ended = false;
        Ending ending = Ending::killed;
    };
    class Listed;
    struct StepStop {
        Stop stop;
        std::optional<SteadyTime> kill_at;  ///< not any more: its grace is over
    };
    struct Waiting {
        Errand* errand;
        const std::function<bool()>* done;
        SteadyTime until;
    };

    int wait_outside(Activity& activity, int pid, SteadyTime until);
    void let_errands_go_on();
    void turn(SteadyTime until);
    void on_signal(int number);
    void on_event();
    void check_clock();
    void check_activity(Activity& activity, SteadyTime now);
    void check_silence(SteadyTime now);
    void check_storage(const std::optional<std::string>& problem);
    void finish_services();
    void end_job(Stop stop);
    void end_program(Activity& activity, Stop stop);
    void kill_all();
    [[nodiscard]] bool is_killed(std::uint32_t step) const;
    [[nodiscard]] bool is_in_place(const Activity& activity) const { return !activity.outside; }
    /// Nothing where nothing runs whose silence would mean anything.
    [[nodiscard]] std::optional<SteadyTime> silent_since() const;
    [[nodiscard]] SteadyTime next_deadline() const;

    const model::JobSpec& spec_;
    job::Paths paths_;
    Output output_;
    Limits limits_;  ///< outlives the place, which is in it
    Place place_;
    Storage storage_;
    std::optional<Services> services_;
    os::Fd signals_;
    SteadyTime start_;

    std::vector<Activity*> activities_;
    std::map<std::uint32_t, StepStop> step_stops_;
    std::vector<Waiting> waiting_;
    std::uint32_t serial_ = 0;
    bool ready_ = false, finishing_ = false, finished_ = false, empty_ = false, gone_ = false;
    int silences_ = 0;  ///< told since the last output
    std::uint32_t step_ = 0;  ///< the one that began last
    std::optional<Stop> stop_;
    std::optional<SteadyTime> job_deadline_, kill_at_;
    std::optional<Result<os::Fd>> listening_;
    model::Usage total_;
};

}  // namespace cicd::runner
