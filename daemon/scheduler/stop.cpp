#include "daemon/scheduler/step.hpp"

#include <algorithm>

/// Cancelling, timeouts and failFast.
namespace cicd::scheduler {

using model::EndReason;
using model::JobState;

namespace {
/// How long jobs that run in spite of a cancellation may take altogether.
constexpr Milliseconds cleanup_time{300'000};

std::string cancelled(const contract::Cancel& how) { return how.reason.empty() ? "cancelled" : "cancelled: " + how.reason; }
}  // namespace

void Core::Step::stop_job(RunNode& run, int index, EndReason reason, const std::string& message, bool at_once) {
    auto& record = run.run.jobs[index];
    auto& node = run.jobs[index];
    if (model::is_final(record.state)) return;
    if (!node.placed) return end_job(run, index, JobState::cancelled, reason, message);
    if (!node.stop) {
        node.stop = reason;
        node.stop_message = message;
        actions_.changes.stops.push_back({run.run.id, record.id, record.attempt, reason, message, now_});
    }
    tell_stop(run, index, at_once);
}

void Core::Step::tell_stop(RunNode& run, int index, bool at_once) {
    const auto& node = run.jobs[index];
    actions_.stops.push_back({run.run.jobs[index].id, run.run.jobs[index].attempt, *node.stop, node.stop_message, at_once});
}

bool Core::Step::survives_cancel(RunNode& run, int index) {
    const auto& node = run.jobs[index];
    const auto& stage = run.planned_stage(run.groups[node.group].stage);
    const auto& own = node.planned->job.condition;
    const auto holds = [&](const std::string& text) {
        const auto condition = run.condition(text, run.contexts_of(node.group, *node.planned));
        return condition && (*condition)->survives_cancel();
    };
    if (stage.condition.empty() && own.empty()) return false;
    if (stage.condition.empty()) return holds(own);
    return holds(stage.condition) && (own.empty() || holds(own));
}

/// The first time, jobs that ask to run in any case still do, for a while; the second time, everything ends. At once:
/// what runs is killed.
void Core::Step::cancel_run(RunNode& run, EndReason reason, const std::string& message, bool at_once) {
    if (run.cancelling == CancelPhase::everything && !at_once) return;
    const bool again = run.cancelling != CancelPhase::none;
    const bool waits = run.lock.waiting;  // nothing of it has started, so there is nothing to clean up
    if (!again) {
        run.cancel_reason = reason;
        run.run.message = message;  // a run that is not over has a message only while it is being cancelled
        notice(run, message);
    }
    run.cancelling = again || waits || at_once ? CancelPhase::everything : CancelPhase::cleaning_up;
    if (waits) start_run(run);
    if (!again) actions_.timers.push_back({Timer::Kind::cleanup_bound, run.run.id, {}, 0, now_ + cleanup_time});
    actions_.changes.stops.push_back({run.run.id, {}, static_cast<int>(run.cancelling), run.cancel_reason, run.run.message, now_});
    run.dirty = true;
    touch(run);
    const int count = static_cast<int>(run.jobs.size());
    for (int job = 0; job < count; ++job) {
        const auto state = run.run.jobs[job].state;
        if (model::is_final(state)) continue;
        const bool spares = run.cancelling == CancelPhase::cleaning_up && !run.jobs[job].placed;
        if (spares && survives_cancel(run, job)) continue;
        stop_job(run, job, run.cancel_reason, message, at_once);
    }
    wake(run);
}

void Core::Step::resume_cancel(RunNode& run) {
    for (const auto& stop : run.stops) {
        if (!stop.job.empty()) continue;
        run.cancelling = static_cast<CancelPhase>(std::clamp(stop.phase, 1, 2));
        run.cancel_reason = stop.reason;
        run.run.message = stop.message;
        actions_.timers.push_back({Timer::Kind::cleanup_bound, run.run.id, {}, 0, stop.time + cleanup_time});
    }
}

void Core::Step::break_group(RunNode& run, int index, const std::string& message) {
    if (std::exchange(run.groups[index].broken, true)) return;
    const auto jobs = run.groups[index].jobs;
    for (const int job : jobs) stop_job(run, job, EndReason::cancelled, message);
}

void Core::Step::break_stage(RunNode& run, int index, const std::string& message) {
    const auto groups = run.stages[index].groups;
    for (const int group : groups) break_group(run, group, message);
}

void Core::Step::operator()(RunCancelled& event) {
    const auto found = state_.runs.find(event.run);
    if (found == state_.runs.end()) return;
    cancel_run(*found->second, EndReason::cancelled, cancelled(event.how), event.how.force);
}

void Core::Step::operator()(JobCancelled& event) {
    const auto ref = find(event.job);
    if (!ref.run) return;
    stop_job(*ref.run, ref.index, EndReason::cancelled, cancelled(event.how), event.how.force);
    wake(*ref.run);
}

void Core::Step::operator()(TimerFired& event) {
    const auto found = state_.runs.find(event.timer.run);
    if (found == state_.runs.end()) return;
    auto& run = *found->second;
    switch (event.timer.kind) {
        case Timer::Kind::run_timeout:
            if (run.cancelling == CancelPhase::none)
                cancel_run(run, EndReason::timeout,
                           "the pipeline's timeout of " + format_duration(run.plan.timeout.value_or(Milliseconds{})) +
                               " was reached");
            break;
        case Timer::Kind::cleanup_bound:
            if (run.cancelling == CancelPhase::cleaning_up) cancel_run(run, run.cancel_reason, run.run.message);
            break;
        case Timer::Kind::stage_timeout: {
            const int stage = event.timer.index;
            if (run.run.stages[stage].state != model::StageState::running) break;
            run.targets[run.stages[stage].target].timed_out = true;
            const auto jobs = run.stages[stage].jobs;
            for (const int job : jobs)
                stop_job(run, job, EndReason::timeout,
                         "the stage's timeout of " +
                             format_duration(run.planned_stage(stage).timeout.value_or(Milliseconds{})) +
                             " was reached");
            wake(run);
            break;
        }
        case Timer::Kind::not_before: {
            const auto ref = find(event.timer.job);
            if (!ref.run || run.jobs[ref.index].wait != Wait::time) break;
            auto& record = run.run.jobs[ref.index];
            if (record.not_before && *record.not_before > event.timer.at) break;  // moved meanwhile: it has another timer
            record.not_before.reset();
            touch_job(run, ref.index);
            proceed(run, ref.index);
            break;
        }
    }
}

}  // namespace cicd::scheduler
