#pragma once

#include "daemon/scheduler/core.hpp"
#include "daemon/scheduler/graph.hpp"
#include "daemon/scheduler/locks.hpp"

#include <deque>
#include <string_view>

/// Inside of the core: what all of its files share.
namespace cicd::scheduler {

/// How the message of a run or job that had to give way begins.
inline constexpr std::string_view superseded_text = "superseded by ";

struct Core::State {
    Places places;
    Locks locks;
    std::function<JobId()> next_job_id;
    std::unordered_map<RunId, std::unique_ptr<RunNode>> runs;
    std::unordered_map<JobId, JobRef> jobs;
    std::unordered_map<std::string, std::weak_ptr<const PlanBody>> bodies;  ///< by pipeline, the latest
    std::uint64_t sequence = 0;  ///< of jobs that became ready
    std::int64_t queued = 0;
    int ahead = 0;               ///< jobs whose place is made before their turn
    std::string pause_reason;
};

/// One event being handled.
class Core::Step {
public:
    Step(State& state, Timestamp now) : state_(state), now_(now) {}
    Actions take() &&;

    void operator()(RunAccepted& event);
    void operator()(RunsResumed& event);
    void operator()(JobProgressed& event);
    void operator()(JobEnded& event);
    void operator()(InputsKnown& event);
    void operator()(RunCancelled& event);
    void operator()(JobCancelled& event);
    void operator()(RunRescheduled& event);
    void operator()(JobRescheduled& event);
    void operator()(TimerFired& event);
    void operator()(CapacityChanged& event);
    void operator()(PauseChanged& event);

    /// Works off all runs that something has become decidable for, then gives out places.
    void settle();
    void dispatch();

private:
    // record.cpp: the one place where states change
    void set_run(RunNode& run, model::RunState to, const std::string& message = {});
    void set_stage(RunNode& run, int stage, model::StageState to, const std::string& message = {});
    void set_job(RunNode& run, int job, model::JobState to);
    void set_step(RunNode& run, int job, const model::JournalEntry& entry);
    void end_open_steps(RunNode& run, int job, model::StepState begun);
    model::RunEvent& emit(RunNode& run, const char* type, Timestamp time);
    void touch(RunNode& run);
    void touch_stage(RunNode& run, int stage);
    void touch_job(RunNode& run, int job);
    void wake(RunNode& run);
    void notice(RunNode& run, const std::string& message, int job = -1);

    // advance.cpp: needs ended → jobs queued or skipped → stages and runs ended
    void drain(RunNode& run);
    void open_group(RunNode& run, int group);
    bool expand(RunNode& run, int group);
    void decide(RunNode& run, int job);
    Result<Verdict> judge(RunNode& run, int job);
    Result<Verdict> judge_stage(RunNode& run, int stage, const Object& contexts);
    void open_empty_stage(RunNode& run, int stage);
    void queue(RunNode& run, int job);
    void proceed(RunNode& run, int job);
    bool ask_for_inputs(RunNode& run, int job);
    void reuse(RunNode& run, int job, const model::JobRun& same);
    void begin_run(RunNode& run);
    void make_ready(RunNode& run, int job);
    void end_job(RunNode& run, int job, model::JobState state, std::optional<model::EndReason> reason,
                 const std::string& message);
    void completed(RunNode& run, int job);
    void leave_place(RunNode& run, int job);
    void release_held(RunNode& run, int group);
    void end_stage(RunNode& run, int stage);
    void end_run(RunNode& run);
    void target_final(RunNode& run, int target);
    bool retry(RunNode& run, int job, const model::JobExit& exit);
    void begin_stage(RunNode& run, int stage);
    void start(RunNode& run, int job);
    void finish(RunNode& run, int job, const model::JobExit& exit);
    zones::Assignment assignment(RunNode& run, int job) const;
    static model::SecretPlace secret_place(const RunNode& run, const model::JobSpec& spec);

    // stop.cpp: cancelling, timeouts, failFast; and going on after a restart
    void stop_job(RunNode& run, int job, model::EndReason reason, const std::string& message, bool at_once = false);
    void tell_stop(RunNode& run, int job, bool at_once);
    void cancel_run(RunNode& run, model::EndReason reason, const std::string& message, bool at_once = false);
    void break_group(RunNode& run, int group, const std::string& message);
    void break_stage(RunNode& run, int index, const std::string& message);
    bool survives_cancel(RunNode& run, int job);
    RunNode& add(RunAccepted& event);
    void go_on(std::vector<RunNode*> runs);
    void resume(RunNode& run);
    void resume_cancel(RunNode& run);
    void resume_job(RunNode& run, int job);
    void begin(RunNode& run);
    void start_run(RunNode& run);
    void link_waiting(RunNode& run);

    // ahead.cpp: places made before their turn
    void look_ahead(RunNode& run, int job);
    void prepare(RunNode& run, int group);
    void no_longer_ahead(RunNode& run, int job, bool discard);

    // concurrency.cpp: groups that have one holder at a time
    bool lock_run(RunNode& run);
    bool lock_job(RunNode& run, int job);
    bool hold_again(RunNode& run, int job);
    void supersede(const std::string& key, const std::string& name, JobRef by);
    void unlock_run(RunNode& run);
    void unlock_job(RunNode& run, int job);
    void granted(JobRef who);

    // reschedule.cpp
    void requeue(RunNode& run, int job);
    void change_time(RunNode& run, int job, Timestamp not_before);
    void withdraw(RunNode& run, int job);

    JobRef find(const JobId& id) const;

    State& state_;
    Timestamp now_;
    bool resuming_ = false;  ///< whom jobs that wait have superseded was told before the restart
    Actions actions_;
    std::vector<RunNode*> touched_;
    std::deque<RunNode*> awake_;
    std::vector<JobRef> changed_jobs_;
    std::vector<std::pair<RunNode*, int>> changed_stages_;
};

}  // namespace cicd::scheduler
