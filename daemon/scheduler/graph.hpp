#pragma once

#include "common/model/job_spec.hpp"
#include "common/model/run.hpp"
#include "daemon/scheduler/condition.hpp"
#include "daemon/scheduler/places.hpp"
#include "daemon/store/store.hpp"

#include <deque>
#include <memory>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

/// A run in memory: its jobs, who waits for whom, and counters, so that an event touches only what it changes.
namespace cicd::scheduler {

/// What can be needed: a stage, or a job with all instances of its matrix.
struct Target {
    std::string name;  ///< "build" or "test.unit"
    bool is_stage = false;
    int total = 0, open = 0;
    int success = 0, failed = 0, allowed = 0, cancelled = 0, skipped = 0;
    bool timed_out = false;
    bool done = false;              ///< who waited for it has been told
    bool tainted = false;           ///< something it needed, directly or further up, failed
    mutable std::optional<bool> held;  ///< see RunNode::is_held
    std::vector<int> groups;        ///< groups that wait for it
    std::vector<int> empty_stages;  ///< stages without jobs that wait for it
    std::optional<Value> context;   ///< its entry in `needs`, made once

    /// success | failed | cancelled | skipped; a failure that is allowed is no failure.
    [[nodiscard]] model::JobState result() const;
    void count(const model::JobRun& job);  ///< a job that is final
    [[nodiscard]] std::string label() const { return (is_stage ? "stage " : "job ") + name; }
};

struct StageNode {
    int target = 0;
    std::vector<int> needs;  ///< targets
    int waiting = 0;         ///< only of a stage without jobs
    std::vector<int> groups, jobs;
    std::optional<Result<Verdict>> verdict;  ///< of its explicit condition
    bool dirty = false;
};

/// The instances of one job of the pipeline.
struct Group {
    std::string base;
    int stage = 0, target = 0;
    std::vector<int> jobs;
    std::vector<int> needs;  ///< targets, without those of its stage
    std::optional<std::vector<int>> artifacts_from;  ///< targets; absent: whatever it needs
    int after = -1;          ///< target of the job before it, in a stage with `parallel: false`
    int waiting = 0;
    bool opened = false;  ///< its needs have ended, so its jobs have been decided on
    bool broken = false;  ///< failFast has struck
    bool fail_fast = true;
    int limit = 0;  ///< how many at once; 0: no limit
    int active = 0;
    std::deque<int> held;  ///< queued, but over the limit; some may have left meanwhile
    std::optional<Value> needs_context;
};

/// What a queued job waits for, in this order; what it has passed it keeps.
enum class Wait { nothing, time, inputs, limit, lock, place };

struct JobNode {
    int group = 0;
    const model::PlannedJob* planned = nullptr;
    Demand demand;
    Wait wait = Wait::nothing;
    Turn turn;             ///< while it waits for its lock or a place
    std::string lock;      ///< key of its concurrency group, once it has asked for it
    bool locked = false;   ///< holds it
    bool placed = false;   ///< has a place
    bool active = false;   ///< counts for its group's limit
    bool retrying = false; ///< between two attempts: keeps lock and limit
    std::optional<model::EndReason> last_reason;  ///< how the attempt before this one ended, where that is known
    std::optional<model::EndReason> stop;  ///< it has been told to end, and why
    std::string stop_message;
    bool asked = false;  ///< for its inputs
    bool ahead = false;  ///< its place is made before its turn
    bool dirty = false;
};

enum class CancelPhase { none, cleaning_up, everything };

/// The concurrency group of a run.
struct RunLock {
    std::string key, name;  ///< empty: none
    bool cancel_in_progress = false;
    bool held = false, waiting = false;
    Turn turn;
};

/// Groups are known within a repository's pipeline: equal names elsewhere are other groups.
std::string lock_key(const model::Run& run, const std::string& group);

/// What runs of one definition have in common: held once, as thousands of them may be active.
struct PlanBody {
    std::vector<model::PlannedStage> stages;
    std::vector<model::PlannedJob> jobs;
};

struct RunNode {
    /// `other` is the body of another run of the pipeline; it is taken where it is the same.
    explicit RunNode(store::NewRun content, std::shared_ptr<const PlanBody> other = {});
    RunNode(const RunNode&) = delete;
    RunNode& operator=(const RunNode&) = delete;

    model::Run run;  ///< with stages and jobs: the truth
    model::Plan plan;  ///< without stages and jobs
    std::shared_ptr<const PlanBody> body;
    std::string definition, request_key;  ///< until they are stored
    Object contexts;
    std::vector<Target> targets;
    std::vector<StageNode> stages;
    std::vector<Group> groups;
    std::vector<JobNode> jobs;  ///< parallel to run.jobs
    std::deque<model::PlannedJob> expanded;
    std::unordered_map<std::string, Condition> conditions;

    std::set<int> keepers;  ///< jobs that left artifacts behind; see note_kept
    std::deque<int> openable;  ///< groups whose needs have ended; -1 - n for stage n, which has no jobs
    int open = 0;
    Claim claim;
    RunLock lock;
    bool resumed = false;  ///< goes on after a restart, so there is more to do when it begins
    std::vector<store::Stop> stops;
    CancelPhase cancelling = CancelPhase::none;
    model::EndReason cancel_reason = model::EndReason::cancelled;
    std::int64_t last_seq = 0;
    Timestamp last_event;
    bool fresh = false, dirty = false, touched = false, awake = false;

    [[nodiscard]] const model::PlannedStage& planned_stage(int stage) const { return body->stages[stage]; }
    [[nodiscard]] model::Plan whole_plan() const;
    /// Appends a job that is in `run.jobs` already to the node lists and counters.
    void add_node(int group, const model::PlannedJob& planned);
    [[nodiscard]] model::Priority priority_of(int job) const;

    [[nodiscard]] Status status_of(const std::vector<int>& needs) const;
    /// Whether a stage that was skipped was so for the sake of its needs, and not by a condition or selection of its own.
    [[nodiscard]] bool is_held(int stage) const;
    void add_status(Status& status, int target, bool only_order) const;
    /// `needs` as jobs of this group see it.
    Value needs_context(int group);
    /// The artifacts of all jobs that this group needs, directly or through others, in the order of the plan.
    std::vector<model::NeededArtifact> needed_artifacts(int group) const;
    /// After a job's artifacts have changed.
    void note_kept(int job);
    /// Everything a condition or a job may read.
    Object contexts_of(int group, const model::PlannedJob& planned);
    Result<const Condition*> condition(const std::string& text, const Object& scope);
    /// After a restart: which targets have a failure further up.
    void find_tainted();

private:
    using Records = std::unordered_map<std::string, model::JobRun>;
    int add_target(std::string name, bool is_stage);
    void set_lock(const model::Concurrency& given);
    void add_stages();
    void add_group(const model::PlannedJob& planned);
    void add_jobs(Records records);
    void add_expanded(const model::PlannedJob& placeholder, Records& records);
    void link();
    Value target_context(int target);
    Value stage_jobs(const StageNode& stage, Object& outputs);

    std::unordered_map<std::string, int> target_by_name_;
    std::unordered_map<std::string, int> group_by_base_;
};

/// What a job is called inside its stage: "test.unit" → "unit".
std::string bare_name(const std::string& stage, const std::string& base);

model::JobSpec job_spec(RunNode& run, int job);
std::vector<model::StepRun> pending_steps(const model::Job& job);

}  // namespace cicd::scheduler
