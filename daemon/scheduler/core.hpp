#pragma once

#include "common/contract/explain.hpp"
#include "common/contract/requests.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/scheduler/places.hpp"
#include "daemon/scheduler/reuse.hpp"
#include "daemon/store/store.hpp"
#include "daemon/zones/zone.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

/// The scheduler's decisions: events in, actions out. No I/O, no clock, no threads.
namespace cicd::scheduler {

/// Something to be told of at a time. Not every timer still matters when it fires; the core knows.
struct Timer {
    enum class Kind { run_timeout, stage_timeout, not_before, cleanup_bound } kind = Kind::not_before;
    RunId run;
    JobId job;
    int index = 0;  ///< of the stage
    Timestamp at;
    bool operator==(const Timer&) const = default;
};

/// A run to work on: a new one, or one that had not ended when the daemon stopped (`resumed`). Jobs that are final
/// already stay as they are.
struct RunAccepted {
    store::NewRun content;
    bool resumed = false;
    std::int64_t last_seq = 0;
    Timestamp last_event;            ///< resumed: notices up to then are stored already
    std::vector<store::Stop> stops;  ///< resumed: what has been told to end
};
/// What the daemon before this one left behind, all of it at once: who holds a group must be known before anybody asks.
struct RunsResumed {
    std::vector<RunAccepted> runs;
};
struct JobProgressed {
    JobId job;
    int attempt = 1;
    model::JournalEntry entry;
};
/// Lost and refused jobs end too: with the reasons `lost` and `infra`.
struct JobEnded {
    JobId job;
    int attempt = 1;
    model::JobExit exit;
};
/// The answer to a question of Actions::questions.
struct InputsKnown {
    JobId job;
    int attempt = 1;
    model::JobInputs inputs;
    std::optional<model::JobRun> same;  ///< whose result it gets
};
struct RunCancelled {
    RunId run;
    contract::Cancel how;
};
struct JobCancelled {
    JobId job;
    contract::Cancel how;
};
/// Another turn, for what has not started yet.
struct RunRescheduled {
    RunId run;
    contract::Reschedule change;
    std::string user;
};
struct JobRescheduled {
    JobId job;
    contract::Reschedule change;
    std::string user;
};
struct TimerFired {
    Timer timer;
};
struct CapacityChanged {
    Capacity capacity;
};
/// No job starts while there is a reason; those that run go on.
struct PauseChanged {
    std::string reason;  ///< empty: work goes on
};
using Event =
    std::variant<RunAccepted, RunsResumed, JobProgressed, JobEnded, InputsKnown, RunCancelled, JobCancelled, RunRescheduled,
                 JobRescheduled, TimerFired, CapacityChanged, PauseChanged>;

struct StopJob {
    JobId job;
    int attempt = 1;
    model::EndReason reason = model::EndReason::cancelled;
    std::string message;
    bool at_once = false;  ///< without grace. Not kept over a restart: then the job has its grace
};

/// What an event leads to. `changes` must be durable before anything else of it is carried out (timers may be set at
/// once).
struct Actions {
    store::Changes changes;
    std::vector<zones::Assignment> prepares;  ///< may be carried out at once: nothing of a job happens by them
    std::vector<std::pair<JobId, int>> discards;  ///< prepared jobs, with their attempt, that will not start
    std::vector<zones::Assignment> starts;
    std::vector<zones::Assignment> adoptions;
    std::vector<StopJob> stops;
    std::vector<Timer> timers;
    std::vector<InputsQuestion> questions;  ///< may be answered at once: nothing changes by them
    std::vector<RunId> ended;  ///< runs that are over; the core knows nothing of them any more

    void append(Actions&& later);
};

struct RunNode;

class Core {
public:
    Core(Capacity capacity, std::function<JobId()> next_job_id);
    ~Core();

    /// Work is proportional to what the event changes, not to the number of jobs.
    Actions handle(Event event, Timestamp now);

    /// An active run, with its stages and jobs; null where there is none.
    [[nodiscard]] const model::Run* run(const RunId& id) const;
    [[nodiscard]] const model::JobRun* job(const JobId& id) const;
    /// Jobs that wait, in the order in which they would get a place now; those that cannot have one yet come last.
    [[nodiscard]] std::vector<model::JobRun> queue() const;
    /// Why an active run, or a job of one, is where it is; null where there is none.
    [[nodiscard]] std::optional<contract::Explanation> explain(const RunId& id, Timestamp now) const;
    [[nodiscard]] std::optional<contract::Explanation> explain(const JobId& id, Timestamp now) const;

    struct Counts {
        std::int64_t running_jobs = 0, queued_jobs = 0, active_runs = 0;
    };
    [[nodiscard]] Counts counts() const;
    [[nodiscard]] const Capacity& capacity() const;
    [[nodiscard]] const std::string& pause_reason() const;  ///< empty: jobs start

private:
    class Step;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cicd::scheduler
