#include "daemon/scheduler/step.hpp"

#include <algorithm>
#include <array>

/// How jobs, stages and runs end, and what that sets free.
namespace cicd::scheduler {

using model::EndReason;
using model::JobState;
using model::RunState;
using model::StageState;

namespace {

constexpr std::array retried_by_default{EndReason::lost, EndReason::infra,  EndReason::timeout,
                                        EndReason::exit, EndReason::signal, EndReason::oom};
constexpr Milliseconds longest_backoff{3'600'000};

Milliseconds backoff(const model::Retry& retry, int failed_attempts) {
    auto wait = retry.backoff;
    for (int i = 1; i < failed_attempts && wait < longest_backoff; ++i) wait *= 2;
    return std::min(wait, longest_backoff);
}

std::string told(const model::JobExit& exit) {
    if (!exit.message.empty()) return exit.message;
    if (exit.exit_code) return "exit code " + std::to_string(*exit.exit_code);
    return std::string(to_text(exit.end_reason.value_or(EndReason::exit)));
}

bool is_listed(const std::vector<int>& codes, const std::optional<int>& code) {
    return code && std::find(codes.begin(), codes.end(), *code) != codes.end();
}

}  // namespace

void Core::Step::end_job(RunNode& run, int index, JobState state, std::optional<EndReason> reason,
                         const std::string& message) {
    auto& record = run.run.jobs[index];
    record.end_reason = reason;
    if (!message.empty()) record.message = message;
    if (!record.end_time) record.end_time = now_;
    end_open_steps(run, index, state == JobState::cancelled ? model::StepState::cancelled : model::StepState::failed);
    if (!record.start_time) record.end_time.reset();
    leave_place(run, index);
    no_longer_ahead(run, index, true);
    record.not_before.reset();
    set_job(run, index, state);
    unlock_job(run, index);
    completed(run, index);
}

/// A runner's report of how its job ended.
void Core::Step::finish(RunNode& run, int index, const model::JobExit& exit) {
    auto& record = run.run.jobs[index];
    const auto& node = run.jobs[index];
    for (const auto& step : exit.steps) {
        model::JournalEntry entry;
        entry.type = model::JournalType::step_ended;
        entry.time = step.end_time.value_or(exit.end_time);
        entry.step = step.index;
        entry.name = step.name;
        entry.state = step.state;
        entry.exit_code = step.exit_code;
        entry.end_reason = step.end_reason;
        entry.message = step.message;
        entry.usage = step.usage;
        if (model::is_final(step.state)) set_step(run, index, entry);
        if (step.index >= 0 && step.index < static_cast<int>(record.steps.size()))
            record.steps[static_cast<std::size_t>(step.index)].annotations = step.annotations;
    }
    if (exit.start_time != Timestamp{}) record.start_time = exit.start_time;
    record.end_time = exit.end_time == Timestamp{} ? now_ : exit.end_time;
    record.exit_code = exit.exit_code;
    record.outputs = exit.outputs;
    record.usage = exit.usage;
    record.artifacts = exit.artifacts;
    record.caches = exit.caches;
    for (const auto& artifact : exit.artifacts)
        actions_.changes.artifacts.push_back({record.run, record.id, record.key, record.attempt, artifact, *record.end_time, {}});
    record.message.clear();
    run.note_kept(index);
    if (retry(run, index, exit)) return;
    auto state = exit.state;
    auto reason = exit.end_reason.value_or(EndReason::exit);
    if (state != JobState::success && node.stop) {
        reason = *node.stop;
        state = reason == EndReason::timeout ? JobState::failed : JobState::cancelled;
    }
    if (state == JobState::failed && reason == EndReason::exit && is_listed(node.planned->job.allowed_exit_codes, exit.exit_code))
        record.allow_failure = true;
    if (state == JobState::success && record.inputs && !record.inputs->digest.empty())
        actions_.changes.results.push_back({run.run.source.repository, run.run.pipeline, record.key, result_scope(run.run.event),
                                            record.inputs->digest, record.id, record.run});
    end_job(run, index, state, reason, node.stop && state != JobState::success ? node.stop_message : exit.message);
}

/// A failed attempt that may be repeated goes back to the queue, at once or after its backoff.
bool Core::Step::retry(RunNode& run, int index, const model::JobExit& exit) {
    auto& record = run.run.jobs[index];
    auto& node = run.jobs[index];
    const auto& rule = node.planned->job.retry;
    if (exit.state != JobState::failed || !rule || record.attempt > rule->max || node.stop) return false;
    if (run.cancelling == CancelPhase::everything || run.groups[node.group].broken) return false;
    const auto reason = exit.end_reason.value_or(EndReason::exit);
    const auto listed = [&](const auto& list) { return std::find(list.begin(), list.end(), reason) != list.end(); };
    if (!(rule->on.empty() ? listed(retried_by_default) : listed(rule->on))) return false;
    if (reason == EndReason::exit && !rule->exit_codes.empty() && !is_listed(rule->exit_codes, exit.exit_code)) return false;
    const auto wait = backoff(*rule, record.attempt);
    record.end_reason = reason;
    end_open_steps(run, index, model::StepState::failed);
    leave_place(run, index);
    ++record.attempt;
    record.message = "attempt " + std::to_string(record.attempt) + " of " + std::to_string(rule->max + 1) + " after " +
                     told(exit) + (wait.count() > 0 ? ", in " + humanize_duration(wait) : "");
    record.steps = pending_steps(node.planned->job);
    record.start_time.reset();
    record.end_time.reset();
    record.exit_code.reset();
    record.end_reason.reset();
    record.outputs = {};
    record.artifacts.clear();
    record.caches.clear();
    run.note_kept(index);
    set_job(run, index, JobState::queued);
    node.retrying = true;
    node.last_reason = actions_.changes.events.back().end_reason = reason;
    if (wait.count() > 0) record.not_before = now_ + wait;
    proceed(run, index);
    return true;
}

void Core::Step::leave_place(RunNode& run, int index) {
    auto& node = run.jobs[index];
    if (node.wait == Wait::place) state_.places.leave(node.turn, node.demand, run.claim);
    if (node.wait == Wait::lock) state_.locks.leave(node.lock, node.turn);
    if (node.placed) state_.places.give_back(node.demand, run.claim);
    node.wait = Wait::nothing;
    node.placed = node.retrying = false;
}

void Core::Step::completed(RunNode& run, int index) {
    const auto& record = run.run.jobs[index];
    auto& node = run.jobs[index];
    const int group_index = node.group;
    auto& group = run.groups[group_index];
    const int stage = group.stage, stage_target = run.stages[stage].target;
    for (const int target : {group.target, stage_target}) {
        --run.targets[target].open;
        run.targets[target].count(record);
    }
    --run.open;
    if (std::exchange(node.active, false)) --group.active;
    if (record.state == JobState::failed && !record.allow_failure && group.fail_fast && group.jobs.size() > 1)
        break_group(run, group_index, record.name + " failed (failFast)");
    if (record.state == JobState::failed && !record.allow_failure && run.planned_stage(stage).fail_fast)
        break_stage(run, stage, record.name + " failed (failFast)");
    release_held(run, group_index);
    if (run.targets[group.target].open == 0) target_final(run, group.target);
    if (run.targets[stage_target].open == 0) end_stage(run, stage);
    look_ahead(run, index);
    wake(run);
}

void Core::Step::release_held(RunNode& run, int index) {
    auto& group = run.groups[index];
    while (!group.held.empty() && group.active < group.limit) {
        const int next = group.held.front();
        group.held.pop_front();
        if (run.jobs[next].wait == Wait::limit) proceed(run, next);
    }
}

void Core::Step::target_final(RunNode& run, int index) {
    auto& target = run.targets[index];
    if (std::exchange(target.done, true)) return;
    for (const int group : target.groups)
        if (--run.groups[group].waiting == 0) run.openable.push_back(group);
    for (const int stage : target.empty_stages)
        if (--run.stages[stage].waiting == 0) run.openable.push_back(-1 - stage);
}

void Core::Step::end_stage(RunNode& run, int index) {
    auto& stage = run.stages[index];
    auto& target = run.targets[stage.target];
    if (model::is_final(run.run.stages[index].state)) return;
    const auto first = [&](auto wanted) -> std::string {
        for (const int job : stage.jobs)
            if (const auto& record = run.run.jobs[job]; wanted(record))
                return "job " + record.name + (record.message.empty() ? "" : ": " + record.message);
        return {};
    };
    StageState state = StageState::success;
    std::string message;
    if (target.timed_out) {
        state = StageState::failed;
        message = "the stage's timeout was reached";
    } else if (target.failed > 0) {
        state = StageState::failed;
        message = first([](const auto& job) { return job.state == JobState::failed && !job.allow_failure; });
    } else if (target.cancelled > 0) {
        state = StageState::cancelled;
        message = first([](const auto& job) { return job.state == JobState::cancelled; });
    } else if (target.total > 0 && target.skipped == target.total) {
        state = StageState::skipped;
        message = stage.jobs.empty() ? "" : run.run.jobs[stage.jobs.front()].message;
    } else if (target.allowed > 0) {
        state = StageState::partial;
        message = first([](const auto& job) { return job.state == JobState::failed; });
    }
    if (state != StageState::skipped && state != StageState::cancelled) begin_stage(run, index);
    set_stage(run, index, state, message);
    target_final(run, stage.target);
}

void Core::Step::end_run(RunNode& run) {
    unlock_run(run);
    std::string failed, cancelled;
    for (const auto& stage : run.run.stages) {
        if (stage.state == StageState::failed && failed.empty()) failed = "stage " + stage.name + " failed";
        if (stage.state == StageState::cancelled && cancelled.empty())
            cancelled = "stage " + stage.name + " was cancelled";
    }
    if (run.cancelling != CancelPhase::none)
        return set_run(run, run.cancel_reason == EndReason::timeout ? RunState::failed : RunState::cancelled);
    if (!failed.empty()) return set_run(run, RunState::failed, failed);
    if (!cancelled.empty()) return set_run(run, RunState::cancelled, cancelled);
    set_run(run, RunState::success);
}

}  // namespace cicd::scheduler
