#include "daemon/scheduler/step.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

/// Every change of state goes through model::transition here, is marked for storing, and is told as an event.
namespace cicd::scheduler {

using model::JobState;
using model::StepState;

namespace {

constexpr int most_steps = 10'000;  ///< a journal cannot make us hold more

template <class S>
S checked(S from, S to) {
    const auto allowed = model::transition(from, to);
    if (!allowed) throw std::logic_error(allowed.error().message);
    return *allowed;
}

std::int64_t elapsed(const std::optional<Timestamp>& from, const std::optional<Timestamp>& to) {
    return from && to ? std::max<std::int64_t>(0, (*to - *from).count()) : 0;
}

}  // namespace

void Core::Step::touch(RunNode& run) {
    if (run.touched) return;
    run.touched = true;
    touched_.push_back(&run);
}

void Core::Step::touch_job(RunNode& run, int job) {
    touch(run);
    if (!std::exchange(run.jobs[job].dirty, true)) changed_jobs_.push_back({&run, job});
}

void Core::Step::touch_stage(RunNode& run, int stage) {
    touch(run);
    if (!std::exchange(run.stages[stage].dirty, true)) changed_stages_.emplace_back(&run, stage);
}

void Core::Step::wake(RunNode& run) {
    if (!std::exchange(run.awake, true)) awake_.push_back(&run);
}

void Core::Step::notice(RunNode& run, const std::string& message, int job) {
    auto& event = emit(run, "notice", now_);
    event.message = message;
    if (job < 0) return;
    const auto& record = run.run.jobs[job];
    event.stage = record.stage;
    event.job_key = record.key;
    event.job = record.id;
    event.attempt = record.attempt;
}

model::RunEvent& Core::Step::emit(RunNode& run, const char* type, Timestamp time) {
    touch(run);
    auto& event = actions_.changes.events.emplace_back();
    event.seq = ++run.last_seq;
    event.run = run.run.id;
    event.time = time;
    event.type = type;
    return event;
}

void Core::Step::set_run(RunNode& run, model::RunState to, const std::string& message) {
    run.run.state = checked(run.run.state, to);
    if (!message.empty()) run.run.message = message;
    if (to == model::RunState::running) run.run.start_time = now_;
    if (model::is_final(to)) run.run.end_time = now_;
    run.dirty = true;
    auto& event = emit(run, "run.state", now_);
    event.state = to_text(to);
    event.message = run.run.message;
    event.duration_ms = elapsed(run.run.start_time, run.run.end_time);
}

void Core::Step::set_stage(RunNode& run, int index, model::StageState to, const std::string& message) {
    auto& stage = run.run.stages[index];
    stage.state = checked(stage.state, to);
    stage.message = message;
    if (to == model::StageState::running) stage.start_time = now_;
    if (model::is_final(to) && stage.start_time) stage.end_time = now_;
    touch_stage(run, index);
    auto& event = emit(run, "stage.state", now_);
    event.stage = stage.name;
    event.state = to_text(to);
    event.message = message;
    event.duration_ms = elapsed(stage.start_time, stage.end_time);
}

void Core::Step::set_job(RunNode& run, int index, JobState to) {
    auto& job = run.run.jobs[index];
    if (job.state == JobState::queued) --state_.queued;
    job.state = checked(job.state, to);
    if (to == JobState::queued) {
        ++state_.queued;
        job.queued_time = now_;
    }
    if (model::is_final(to) && !job.end_time) job.end_time = now_;
    touch_job(run, index);
    auto& event = emit(run, "job.state", to == JobState::running ? *job.start_time : now_);
    event.stage = job.stage;
    event.job_key = job.key;
    event.job = job.id;
    event.state = to_text(to);
    event.attempt = job.attempt;
    event.message = job.message;
    event.name = job.name;
    if (model::is_final(to)) {
        event.exit_code = job.exit_code;
        event.end_reason = job.end_reason;
        event.duration_ms = elapsed(job.start_time, job.end_time);
        event.allow_failure = to == JobState::failed && job.allow_failure;
    }
}

/// Entries come again after a restart: what is known already changes nothing.
void Core::Step::set_step(RunNode& run, int index, const model::JournalEntry& entry) {
    auto& job = run.run.jobs[index];
    if (entry.step < 0 || entry.step >= most_steps) return;
    while (entry.step >= static_cast<int>(job.steps.size()))
        job.steps.push_back({.index = static_cast<int>(job.steps.size())});
    auto& step = job.steps[entry.step];
    const auto to = entry.type == model::JournalType::step_started ? StepState::running : entry.state;
    if (step.state == to || model::is_final(step.state)) return;
    if (!model::transition(step.state, to) && model::transition(step.state, StepState::running))
        step.state = checked(step.state, StepState::running);
    if (!model::transition(step.state, to)) return;  // a runner's mistake is no reason to stop
    step.state = checked(step.state, to);
    if (!entry.name.empty()) step.name = entry.name;
    if (to == StepState::running) step.start_time = entry.time;
    if (model::is_final(to)) {
        if (to != StepState::skipped || step.start_time) step.end_time = entry.time;
        step.exit_code = entry.exit_code;
        step.end_reason = entry.end_reason;
        step.message = entry.message;
        step.usage = entry.usage;
    }
    touch_job(run, index);
    auto& event = emit(run, "step.state", entry.time);
    event.stage = job.stage;
    event.job_key = job.key;
    event.job = job.id;
    event.attempt = job.attempt;
    event.state = to_text(to);
    event.step = entry.step;
    event.name = step.name;
    event.exit_code = step.exit_code;
    event.end_reason = step.end_reason;
    event.message = step.message;
    event.duration_ms = elapsed(step.start_time, step.end_time);
}

/// A job that is over has no step that seems to go on.
void Core::Step::end_open_steps(RunNode& run, int index, StepState begun) {
    auto& job = run.run.jobs[index];
    for (int i = 0; i < static_cast<int>(job.steps.size()); ++i) {
        auto& step = job.steps[i];
        if (model::is_final(step.state)) continue;
        if (!job.start_time && step.state == StepState::pending) {  // it never began: its own event says enough
            step.state = checked(step.state, StepState::skipped);
            continue;
        }
        model::JournalEntry entry;
        entry.type = model::JournalType::step_ended;
        entry.time = job.end_time.value_or(now_);
        entry.step = i;
        entry.state = step.state == StepState::running ? begun : StepState::skipped;
        if (step.state == StepState::running) entry.end_reason = job.end_reason;
        set_step(run, index, entry);
    }
}

/// What is stored of a run in lists: without its parts.
static model::Run summary(const model::Run& run) {
    model::Run copy;
    copy.id = run.id;
    copy.number = run.number;
    copy.pipeline_id = run.pipeline_id;
    copy.pipeline = run.pipeline;
    copy.pipeline_version = run.pipeline_version;
    copy.state = run.state;
    copy.priority = run.priority;
    copy.triggered_by = run.triggered_by;
    copy.event = run.event;
    copy.source = run.source;
    copy.created_time = run.created_time;
    copy.start_time = run.start_time;
    copy.end_time = run.end_time;
    copy.message = run.message;
    copy.retry_of = run.retry_of;
    return copy;
}

Actions Core::Step::take() && {
    auto& changes = actions_.changes;
    for (const auto& [run, index] : changed_jobs_) {
        run->jobs[index].dirty = false;
        if (!run->fresh) changes.jobs.push_back(run->run.jobs[index]);
    }
    for (const auto& [run, index] : changed_stages_) {
        run->stages[index].dirty = false;
        if (!run->fresh) changes.stages.push_back({run->run.id, run->run.stages[index]});
    }
    for (auto* run : touched_) {
        run->touched = false;
        if (run->fresh)
            changes.new_runs.push_back({run->run, run->whole_plan(), std::exchange(run->definition, {}), run->request_key});
        else if (run->dirty)
            changes.runs.push_back(summary(run->run));
        run->fresh = run->dirty = false;
        if (!model::is_final(run->run.state)) continue;
        actions_.ended.push_back(run->run.id);
        for (const auto& job : run->run.jobs) state_.jobs.erase(job.id);
        state_.places.part(run->claim);
        const auto key = lock_key(run->run, {});
        state_.runs.erase(RunId(run->run.id));
        if (const auto shared = state_.bodies.find(key); shared != state_.bodies.end() && shared->second.expired())
            state_.bodies.erase(shared);
    }
    return std::move(actions_);
}

}  // namespace cicd::scheduler
