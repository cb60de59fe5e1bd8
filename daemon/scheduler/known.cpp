#include "daemon/planner/planner.hpp"
#include "daemon/scheduler/step.hpp"

/// Jobs with `reuse: true`: what they depend on is asked for once all they need has ended, and may have been seen to succeed.
namespace cicd::scheduler {

using model::JobState;

/// True: the answer comes as an event.
bool Core::Step::ask_for_inputs(RunNode& run, int index) {
    auto& node = run.jobs[index];
    const auto& record = run.run.jobs[index];
    const auto& planned = *node.planned;
    if (!planned.job.reuse || record.inputs || record.attempt > 1) return false;
    node.wait = Wait::inputs;
    if (std::exchange(node.asked, true)) return true;
    InputsQuestion question;
    question.attempt = record.attempt;
    question.spec = job_spec(run, index);
    question.references = planner::references_of(question.spec.env[0], question.spec.env[1], planned.job);
    question.source = run.run.source;
    question.place = secret_place(run, question.spec);
    question.result = {run.run.source.repository, run.run.pipeline, record.key, result_scope(run.run.event), {}, record.id, record.run};
    question.may_reuse = !run.plan.no_reuse;
    actions_.questions.push_back(std::move(question));
    return true;
}

void Core::Step::operator()(InputsKnown& event) {
    const auto ref = find(event.job);
    if (!ref.run) return;
    auto& run = *ref.run;
    auto& record = run.run.jobs[ref.index];
    // It may have been cancelled meanwhile.
    if (record.state != JobState::queued || record.attempt != event.attempt || record.inputs || !run.jobs[ref.index].asked) return;
    // It was told to begin later: then it asks again.
    if (run.jobs[ref.index].wait != Wait::inputs) return void(run.jobs[ref.index].asked = false);
    record.inputs = event.inputs;
    touch_job(run, ref.index);
    run.jobs[ref.index].wait = Wait::nothing;
    if (event.same) reuse(run, ref.index, *event.same);
    else proceed(run, ref.index);
    wake(run);
}

/// The result of another job becomes this one's own: artifacts are linked again, and kept as long as new ones.
void Core::Step::reuse(RunNode& run, int index, const model::JobRun& same) {
    auto& record = run.run.jobs[index];
    record.outputs = same.outputs;
    record.artifacts = same.artifacts;
    record.exit_code = 0;
    run.note_kept(index);
    for (const auto& artifact : record.artifacts)
        actions_.changes.artifacts.push_back({record.run, record.id, record.key, record.attempt, artifact, now_, {}});
    begin_run(run);
    begin_stage(run, run.groups[run.jobs[index].group].stage);
    end_job(run, index, JobState::success, std::nullopt, record.inputs->decision);
}

}  // namespace cicd::scheduler
