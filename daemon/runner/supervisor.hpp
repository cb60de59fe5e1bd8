#pragma once

#include "common/job/job_directory.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/limits.hpp"
#include "daemon/runner/output.hpp"
#include "daemon/runner/place.hpp"
#include "daemon/runner/services.hpp"
#include "daemon/runner/storage.hpp"

#include <optional>
#include <string>

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

/// Runs a job's programs one after another and meanwhile moves their output, obeys signals, watches the clock and what
/// is written. SIGTERM to this process ends the job (the file `cancel` says why), as often as it comes; SIGINT ends it
/// at once.
class Supervisor {
public:
    Supervisor(const model::JobSpec& spec, job::Paths paths, Output output, Limits limits, Place place, SteadyTime start);

    ProgramEnd run(std::uint32_t step, const Program& program, std::optional<Milliseconds> timeout);
    /// Runs a program of ours outside the job's place, and gives its wait status. It is killed
    /// where the job is told to end meanwhile; then `stop` says why.
    Result<int> run_outside(os::SpawnOptions options);
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
    int wait_outside(int pid, SteadyTime until, Ending ending = Ending::killed);
    void turn(SteadyTime until);
    void on_signal(int number);
    void on_event();
    void check_clock();
    void check_silence(SteadyTime now);
    void check_storage(const std::optional<std::string>& problem);
    void finish_services();
    void end_job(Stop stop);
    void end_step(Stop stop);
    void kill_all();
    [[nodiscard]] SteadyTime silent_since() const { return std::max(output_.last_output(), step_start_); }
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

    os::Fd outside_;  ///< pidfd of what `run_outside` runs
    bool outside_ended_ = false;
    Ending outside_ending_ = Ending::killed;
    bool ready_ = false, running_ = false, finishing_ = false, finished_ = false, empty_ = false, gone_ = false;
    int silences_ = 0;  ///< told since the last output
    std::uint32_t step_ = 0;
    std::optional<Stop> stop_, step_stop_;
    std::optional<SteadyTime> job_deadline_, kill_at_, step_deadline_, step_kill_at_;
    SteadyTime step_start_;
    std::optional<ProgramEnd> end_;
    std::optional<Result<os::Fd>> listening_;
    model::Usage total_;
};

}  // namespace cicd::runner
