#include "daemon/scheduler/step.hpp"

#include <algorithm>
#include <stdexcept>

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

RunNode& Core::Step::add(RunAccepted& event) {
    if (model::is_final(event.content.run.state))
        throw std::logic_error("a run that is over was given to the scheduler");
    auto& shared = state_.bodies[lock_key(event.content.run, {})];
    auto node = std::make_unique<RunNode>(std::move(event.content), shared.lock());
    shared = node->body;
    auto& run = *node;
    run.last_seq = event.last_seq;
    run.last_event = event.last_event;
    run.resumed = event.resumed;
    run.stops = std::move(event.stops);
    run.fresh = !event.resumed;
    run.claim = state_.places.join(lock_key(run.run, {}), run.run.triggered_by);
    run.lock.turn = Turn{run.run.priority, run.run.number, ++state_.sequence};
    touch(run);
    for (int job = 0; job < static_cast<int>(run.jobs.size()); ++job) {
        state_.jobs[run.run.jobs[job].id] = {&run, job};
        if (run.run.jobs[job].state == JobState::queued) ++state_.queued;
    }
    state_.runs[run.run.id] = std::move(node);
    return run;
}

void Core::Step::operator()(RunAccepted& event) {
    auto& run = add(event);
    if (event.resumed) return go_on({&run});
    if (run.run.state == model::RunState::created) set_run(run, model::RunState::queued);
    for (const auto& text : run.plan.notices) notice(run, text);
    if (lock_run(run)) start_run(run);
}

void Core::Step::operator()(RunsResumed& event) {
    std::vector<RunNode*> runs;
    for (auto& each : event.runs) runs.push_back(&add(each));
    go_on(std::move(runs));
}

/// First those who hold a group hold it again, then the others ask.
void Core::Step::go_on(std::vector<RunNode*> runs) {
    std::sort(runs.begin(), runs.end(), [](auto* a, auto* b) { return a->lock.turn < b->lock.turn; });
    const auto hold = [&](auto&& wanted) {
        for (auto* run : runs)
            for (int job = 0; job < static_cast<int>(run->jobs.size()); ++job)
                if (run->jobs[job].planned->job.concurrency && wanted(run->run.jobs[job])) hold_again(*run, job);
    };
    for (auto* run : runs)
        if (!run->lock.key.empty() && run->run.state == model::RunState::running)
            run->lock.held = state_.locks.take(run->lock.key, run->lock.name, run->lock.turn, {run, -1}, now_);
    hold([](const auto& job) { return job.state == JobState::scheduled || job.state == JobState::running; });
    hold([](const auto& job) { return job.state == JobState::queued && job.attempt > 1; });
    resuming_ = true;
    for (auto* run : runs)  // those that have places before those that want one
        for (int job = 0; job < static_cast<int>(run->jobs.size()); ++job)
            if (const auto state = run->run.jobs[job].state; state == JobState::scheduled || state == JobState::running)
                resume_job(*run, job);
            else if (state == JobState::queued && run->run.jobs[job].attempt > 1)
                ++run->groups[run->jobs[job].group].active, run->jobs[job].active = true;  // kept between attempts
    for (auto* run : runs) {
        if (run->run.state == model::RunState::created) set_run(*run, model::RunState::queued);
        const bool waits = !run->lock.key.empty() && run->run.state == model::RunState::queued;
        if (waits && !(run->lock.held = state_.locks.take(run->lock.key, run->lock.name, run->lock.turn, {run, -1}, now_)))
            run->lock.waiting = true;
        else
            start_run(*run);
    }
    resuming_ = false;
}

/// The run has its concurrency group, or needs none.
void Core::Step::start_run(RunNode& run) {
    if (std::exchange(run.lock.waiting, false) && !run.lock.held) state_.locks.leave(run.lock.key, run.lock.turn);
    if (run.resumed)
        resume(run);
    else
        link_waiting(run);
    wake(run);
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
    resume_cancel(run);
    run.find_tainted();
    link_waiting(run);
    const int count = static_cast<int>(run.jobs.size());
    for (int job = 0; job < count; ++job)
        if (run.run.jobs[job].state == JobState::queued) resume_job(run, job);
    for (int g = 0; g < static_cast<int>(run.groups.size()); ++g)
        if (run.groups[g].jobs.size() > 1 && run.groups[g].fail_fast && run.targets[run.groups[g].target].failed > 0 &&
            !run.targets[run.groups[g].target].done)
            break_group(run, g, "another instance failed (failFast)");
    for (int s = 0; s < static_cast<int>(run.stages.size()); ++s)
        if (run.planned_stage(s).fail_fast && run.targets[run.stages[s].target].failed > 0 && !run.targets[run.stages[s].target].done)
            break_stage(run, s, "another job of the stage failed (failFast)");
}

void Core::Step::resume_job(RunNode& run, int index) {
    auto& node = run.jobs[index];
    auto& group = run.groups[node.group];
    group.opened = true;
    const auto& record = run.run.jobs[index];
    if (record.state == JobState::queued) {
        node.retrying = record.attempt > 1;
        return proceed(run, index);
    }
    ++group.active;
    node.active = node.placed = true;
    state_.places.take(node.demand, run.claim);
    actions_.adoptions.push_back(assignment(run, index));
    for (const auto& stop : run.stops) {
        if (stop.job != record.id || stop.phase != record.attempt) continue;
        node.stop = stop.reason;  // its runner may not have heard of it
        node.stop_message = stop.message;
        tell_stop(run, index, false);
    }
}

}  // namespace cicd::scheduler
