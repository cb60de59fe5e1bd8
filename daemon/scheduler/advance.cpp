#include "daemon/planner/planner.hpp"
#include "daemon/scheduler/step.hpp"

#include <algorithm>

/// Needs ended → jobs decided on → queued or skipped → jobs ended → stages and runs ended.
namespace cicd::scheduler {

using model::EndReason;
using model::JobState;
using model::StageState;

namespace {

Result<bool> flag(RunNode& run, int group, const model::PlannedJob& planned, const model::OrExpression<bool>& given) {
    if (given.expression.empty()) return given.value;
    return evaluate_flag(given.expression, run.contexts_of(group, planned));
}

}  // namespace

/// Works off what has become decidable. A worklist and no recursion: chains may be thousands of jobs long.
void Core::Step::drain(RunNode& run) {
    while (!run.openable.empty()) {
        const int next = run.openable.front();
        run.openable.pop_front();
        if (next >= 0)
            open_group(run, next);
        else
            open_empty_stage(run, -1 - next);
    }
    if (run.open == 0 && !model::is_final(run.run.state)) end_run(run);
}

void Core::Step::settle() {
    while (!awake_.empty()) {
        auto& run = *awake_.front();
        awake_.pop_front();
        run.awake = false;
        if (run.lock.waiting && run.open > 0) continue;
        if (run.lock.waiting) start_run(run);  // nothing is left that would need the group
        drain(run);
    }
}

void Core::Step::open_group(RunNode& run, int index) {
    auto& group = run.groups[index];
    group.opened = true;
    auto status = run.status_of(run.stages[group.stage].needs);
    for (const int need : group.needs) run.add_status(status, need, false);
    if (status.failure) run.targets[group.target].tainted = run.targets[run.stages[group.stage].target].tainted = true;
    const auto& first = *run.jobs[group.jobs.front()].planned;
    const auto fail_fast = flag(run, index, first, first.job.fail_fast);
    group.fail_fast = fail_fast ? *fail_fast : true;
    if (!expand(run, index)) return;
    const auto jobs = group.jobs;
    for (const int job : jobs)
        if (run.run.jobs[job].state == JobState::created) decide(run, job);
}

/// Puts the instances of a matrix in the place of the job that stood for it. False where that job is over already.
bool Core::Step::expand(RunNode& run, int index) {
    auto& group = run.groups[index];
    const int first = group.jobs.front();
    const auto& planned = *run.jobs[first].planned;
    if (!planned.expand_later || run.run.jobs[first].key != planned.key ||
        run.run.jobs[first].state != JobState::created)
        return true;
    const auto contexts = run.contexts_of(index, planned);
    const auto condition = run.condition(planned.job.condition, contexts);
    if (!condition || !(*condition)->reads_matrix()) {
        const auto verdict = judge(run, first);
        if (!verdict || !verdict->run) {
            decide(run, first);
            return false;
        }
    }
    auto instances = planner::expand_matrix(planned, contexts);
    if (!instances || instances->empty()) {
        if (instances)
            end_job(run, first, JobState::skipped, std::nullopt, "its matrix is empty");
        else
            end_job(run, first, JobState::failed, EndReason::exit, "its matrix: " + instances.error().message);
        return false;
    }
    touch(run);
    for (std::size_t i = 0; i < instances->size(); ++i) {
        const auto& instance = run.expanded.emplace_back(std::move((*instances)[i]));
        auto record = run.run.jobs[first];
        if (i > 0) record.id = state_.next_job_id();
        record.key = instance.key;
        record.name = instance.name;
        record.steps = pending_steps(instance.job);
        if (i == 0) {
            run.run.jobs[first] = std::move(record);
            run.jobs[first].planned = &instance;
            run.jobs[first].demand = demand_of(instance.job.resources);
            touch_job(run, first);
            continue;
        }
        const int job = static_cast<int>(run.run.jobs.size());
        state_.jobs[record.id] = {&run, job};
        run.run.jobs.push_back(std::move(record));
        run.add_node(index, instance);
        touch_job(run, job);
    }
    return true;
}

void Core::Step::decide(RunNode& run, int index) {
    auto& record = run.run.jobs[index];
    const auto& job = run.jobs[index].planned->job;
    const auto verdict = judge(run, index);
    if (!verdict) return end_job(run, index, JobState::failed, EndReason::exit, verdict.error().message);
    if (!verdict->run) return end_job(run, index, JobState::skipped, std::nullopt, verdict->reason);
    const auto allowed = flag(run, run.jobs[index].group, *run.jobs[index].planned, job.allow_failure);
    if (!allowed)
        return end_job(run, index, JobState::failed, EndReason::exit, "allowFailure: " + allowed.error().message);
    record.allow_failure = *allowed;
    queue(run, index);
}

/// A stage's own condition judges the needs of the stage; without one, a job's condition judges these together with
/// the job's. So `condition: always` on a job runs it also after a stage that failed.
Result<Verdict> Core::Step::judge(RunNode& run, int index) {
    const auto& node = run.jobs[index];
    const auto& group = run.groups[node.group];
    const auto& stage = run.planned_stage(group.stage);
    if (node.planned->reason.decision == model::Decision::skip) return Verdict{false, node.planned->reason.text};
    if (stage.reason.decision == model::Decision::skip) return Verdict{false, stage.reason.text};
    const auto contexts = run.contexts_of(node.group, *node.planned);
    Status status;
    const bool stage_decides = !stage.condition.empty();
    if (stage_decides) {
        CICD_TRY(auto verdict, judge_stage(run, group.stage, contexts));
        if (!verdict.run) return verdict;
    } else {
        status = run.status_of(run.stages[group.stage].needs);
    }
    for (const int need : group.needs) run.add_status(status, need, false);
    if (group.after >= 0) run.add_status(status, group.after, true);
    status.cancelled = run.cancelling != CancelPhase::none;
    if (status.cancelled && !(stage_decides && node.planned->job.condition.empty())) {
        status.success = false;
        status.cause = run.run.message;
    }
    CICD_TRY(const auto* condition, run.condition(node.planned->job.condition, contexts));
    return condition->judge(status, contexts);
}

Result<Verdict> Core::Step::judge_stage(RunNode& run, int index, const Object& contexts) {
    auto& stage = run.stages[index];
    const bool cancelled = run.cancelling != CancelPhase::none;
    if (stage.verdict && !cancelled) return *stage.verdict;
    auto status = run.status_of(stage.needs);
    status.cancelled = cancelled;
    if (cancelled) {
        status.success = false;
        status.cause = run.run.message;
    }
    CICD_TRY(const auto* condition, run.condition(run.planned_stage(index).condition, contexts));
    stage.verdict = condition->judge(status, contexts);
    return *stage.verdict;
}

void Core::Step::open_empty_stage(RunNode& run, int index) {
    const auto& planned = run.planned_stage(index);
    Object contexts = run.contexts;
    for (const auto* name : {"env", "matrix", "strategy", "needs", "environment"}) contexts.set(name, Object{});
    const auto verdict = judge_stage(run, index, contexts);
    auto& target = run.targets[run.stages[index].target];
    if (planned.reason.decision == model::Decision::skip || !verdict || !verdict->run) {
        target.total = target.skipped = 1;
        set_stage(run, index, StageState::skipped, !verdict ? verdict.error().message : verdict->reason);
        return target_final(run, run.stages[index].target);
    }
    end_stage(run, index);
}

void Core::Step::queue(RunNode& run, int index) {
    auto& node = run.jobs[index];
    if (const auto why = never_fits(node.demand, state_.places.capacity()); !why.empty())
        return end_job(run, index, JobState::failed, EndReason::infra, why);
    set_job(run, index, JobState::queued);
    proceed(run, index);
}

/// A queued job goes as far as it can: past its time, its limit, its lock, to its turn for a place.
void Core::Step::proceed(RunNode& run, int index) {
    auto& node = run.jobs[index];
    auto& group = run.groups[node.group];
    auto& record = run.run.jobs[index];
    if (record.not_before && *record.not_before > now_) {
        node.wait = Wait::time;
        actions_.timers.push_back({Timer::Kind::not_before, run.run.id, record.id, 0, *record.not_before});
        return;
    }
    if (ask_for_inputs(run, index)) return;
    if (!node.active && group.limit > 0 && group.active >= group.limit) {
        node.wait = Wait::limit;
        group.held.push_back(index);
        return;
    }
    if (!node.active) ++group.active;
    node.active = true;
    if (!node.locked && node.planned->job.concurrency && !lock_job(run, index)) return;
    make_ready(run, index);
}

void Core::Step::make_ready(RunNode& run, int index) {
    auto& node = run.jobs[index];
    // The machine may have become smaller since it was queued.
    if (const auto why = never_fits(node.demand, state_.places.capacity()); !why.empty())
        return end_job(run, index, JobState::failed, EndReason::infra, why);
    node.wait = Wait::place;
    node.turn = Turn{run.priority_of(index), run.run.number, ++state_.sequence};
    state_.places.wait(node.turn, node.demand, run.claim, {&run, index});
}

void Core::Step::dispatch() {
    if (!state_.pause_reason.empty()) return;
    while (const auto next = state_.places.next()) start(*next->run, next->index);
}

/// Git's name for a tree without files.
constexpr const char* empty_tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

zones::Assignment Core::Step::assignment(RunNode& run, int index) const {
    zones::Assignment assigned{job_spec(run, index), run.run.source, run.plan.shared_workspace, {}};
    if (run.jobs[index].planned->job.empty_workspace) assigned.source.tree = empty_tree;
    if (!assigned.spec.secrets.empty()) assigned.place = secret_place(run, assigned.spec);
    return assigned;
}

model::SecretPlace Core::Step::secret_place(const RunNode& run, const model::JobSpec& spec) {
    auto asked = run.run.event;
    asked.branch.clear();  // a request may name any: that of the source counts
    auto place = model::secret_place(run.run.source, asked);
    const auto& environment = spec.contexts["environment"]["name"];
    if (environment.is_string()) place.environment = environment.as_string();
    return place;
}

void Core::Step::start(RunNode& run, int index) {
    auto& node = run.jobs[index];
    node.wait = Wait::nothing;
    node.placed = true;
    node.retrying = false;
    no_longer_ahead(run, index, false);
    run.run.jobs[index].not_before.reset();
    begin_run(run);
    begin_stage(run, run.groups[node.group].stage);
    set_job(run, index, JobState::scheduled);
    actions_.starts.push_back(assignment(run, index));
}

void Core::Step::begin_run(RunNode& run) {
    if (run.run.state != model::RunState::queued) return;
    set_run(run, model::RunState::running);
    if (run.plan.timeout)
        actions_.timers.push_back({Timer::Kind::run_timeout, run.run.id, {}, 0, now_ + *run.plan.timeout});
}

void Core::Step::begin_stage(RunNode& run, int index) {
    if (run.run.stages[index].state != StageState::pending) return;
    set_stage(run, index, StageState::running);
    if (const auto& timeout = run.planned_stage(index).timeout)
        actions_.timers.push_back({Timer::Kind::stage_timeout, run.run.id, {}, index, now_ + *timeout});
}

}  // namespace cicd::scheduler
