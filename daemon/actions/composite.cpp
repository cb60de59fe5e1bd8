#include "daemon/actions/actions.hpp"

/// The steps of a composite action run within the one that uses it, with inputs, steps and a status of their own.
namespace cicd::actions {

StepEnd Actions::composite(int index, const Action& action, const Where& where, const Inputs& inputs) {
    const auto outer = context_.context("github");
    Object about = outer.is_object() ? outer.as_object() : Object{};
    about.set("action_path", where.path);
    about.set("action_repository", where.fetched ? where.fetched->name : "");
    about.set("action_ref", where.fetched ? where.fetched->ref : "");
    context_.set_context("github", Value(std::move(about)));
    Object given;
    for (const auto& [name, text] : inputs) given.set(name, text);
    context_.set_context("inputs", Value(std::move(given)));
    context_.forget_steps();
    if (context_.status() == JobStatus::failure) context_.set_status(JobStatus::success);
    StepEnd whole;
    for (const auto& step : action.steps) inner_step(index, step, whole);
    for (const auto& [name, text] : action.outputs) {
        auto value = context_.text(text);
        if (!value) return job_.failure(index, value.error());
        whole.outputs.emplace_back(name, std::move(*value));
    }
    return whole;
}

void Actions::inner_step(int index, const model::Step& step, StepEnd& whole) {
    (void)job_.goes_on();
    const Context before = context_;
    auto env = context_.add_env(step.env);
    if (job_.skipped(step)) {
        context_ = before;
        context_.set_steps(step.id, {}, "skipped", "skipped");
        return;
    }
    StepEnd end;
    const auto condition = context_.condition(step.condition);
    const auto may_fail = context_.truth(step.continue_on_error);
    if (!env || !condition || !may_fail) {
        end = job_.failure(index, !env ? env.error() : !condition ? condition.error() : may_fail.error());
        context_ = before;
    } else {
        end = job_.perform(index, step, before);
    }
    const bool bad = end.state == model::StepState::failed || end.state == model::StepState::cancelled;
    const bool forgiven = bad && may_fail && *may_fail && end.forgivable;
    const char* word = end.state == model::StepState::failed      ? "failure"
                       : end.state == model::StepState::cancelled ? "cancelled"
                       : end.state == model::StepState::skipped   ? "skipped"
                                                                  : "success";
    context_.set_steps(step.id, end.outputs, word, forgiven ? "success" : word);
    if (!bad || forgiven || whole.state != model::StepState::success) return;
    whole.state = end.state;
    whole.reason = end.reason;
    whole.exit_code = end.exit_code;
    whole.forgivable = end.forgivable;
    whole.message = (step.name.empty() ? "" : step.name + ": ") + end.message;
    if (context_.status() == JobStatus::success) context_.set_status(JobStatus::failure);
}

}  // namespace cicd::actions
