#include "daemon/scheduler/step.hpp"

/// A run's first step, and its first step after a restart of the daemon.
namespace cicd::scheduler {

using model::JobState;

/// Counts for everybody what they wait for. Whatever waits for nothing is decided on next.
void Core::Step::link_waiting(RunNode& run) {
    for (int s = 0; s < static_cast<int>(run.stages.size()); ++s) {
        auto& target = run.targets[run.stages[s].target];
        if (model::is_final(run.run.stages[s].state))
            target.done = true;
        else if (!run.stages[s].jobs.empty() && target.open == 0)
            end_stage(run, s);
    }
    for (auto& group : run.groups) run.targets[group.target].done = run.targets[group.target].open == 0;
    for (int g = 0; g < static_cast<int>(run.groups.size()); ++g) {
        auto& group = run.groups[g];
        const auto wait_for = [&](int target) {
            if (run.targets[target].done) return;
            run.targets[target].groups.push_back(g);
            ++group.waiting;
        };
        for (const int need : run.stages[group.stage].needs) wait_for(need);
        for (const int need : group.needs) wait_for(need);
        if (group.after >= 0) wait_for(group.after);
        if (group.waiting == 0 && run.targets[group.target].open > 0) run.openable.push_back(g);
    }
    for (int s = 0; s < static_cast<int>(run.stages.size()); ++s) {
        auto& stage = run.stages[s];
        if (!stage.jobs.empty() || run.targets[stage.target].done) continue;
        for (const int need : stage.needs) {
            if (run.targets[need].done) continue;
            run.targets[need].empty_stages.push_back(s);
            ++stage.waiting;
        }
        if (stage.waiting == 0) run.openable.push_back(-1 - s);
    }
}

void Core::Step::begin(RunNode& run) {
    if (run.run.state == model::RunState::created) set_run(run, model::RunState::queued);
    for (const auto& notice : run.plan.notices) emit(run, "notice", now_).message = notice;
    link_waiting(run);
}

void Core::Step::resume(RunNode& run) {
    const auto timer = [&](Timer::Kind kind, int index, const std::optional<Timestamp>& since,
                           const std::optional<Milliseconds>& limit) {
        if (since && limit) actions_.timers.push_back({kind, run.run.id, {}, index, *since + *limit});
    };
    timer(Timer::Kind::run_timeout, 0, run.run.start_time, run.plan.timeout);
    for (int s = 0; s < static_cast<int>(run.stages.size()); ++s)
        if (!model::is_final(run.run.stages[s].state))
            timer(Timer::Kind::stage_timeout, s, run.run.stages[s].start_time, run.planned_stage(s).timeout);
    if (run.run.state == model::RunState::created) set_run(run, model::RunState::queued);
    if (!run.run.message.empty()) {
        run.cancelling = CancelPhase::cleaning_up;
        if (run.run.start_time && run.plan.timeout && *run.run.start_time + *run.plan.timeout <= now_)
            run.cancel_reason = model::EndReason::timeout;
        timer(Timer::Kind::cleanup_bound, 0, now_, Milliseconds{300'000});
    }
    link_waiting(run);
    const int count = static_cast<int>(run.jobs.size());
    for (int job = 0; job < count; ++job)  // those that have places before those that want one
        if (const auto state = run.run.jobs[job].state; state == JobState::scheduled || state == JobState::running)
            resume_job(run, job);
    for (int job = 0; job < count; ++job)
        if (run.run.jobs[job].state == JobState::queued) resume_job(run, job);
    for (int g = 0; g < static_cast<int>(run.groups.size()); ++g)
        if (run.groups[g].jobs.size() > 1 && run.groups[g].fail_fast && run.targets[run.groups[g].target].failed > 0 &&
            !run.targets[run.groups[g].target].done)
            break_group(run, g, "another instance failed (failFast)");
}

void Core::Step::resume_job(RunNode& run, int index) {
    auto& node = run.jobs[index];
    auto& group = run.groups[node.group];
    group.opened = true;
    if (run.run.jobs[index].state == JobState::queued) {
        ++state_.queued;
        if (group.limit > 0 && group.active >= group.limit) {
            group.held.push_back(index);
            return;
        }
        ++group.active;
        node.active = true;
        return make_ready(run, index);
    }
    ++group.active;
    node.active = node.placed = true;
    state_.places.take(node.demand);
    actions_.adoptions.push_back(assignment(run, index));
}

}  // namespace cicd::scheduler
