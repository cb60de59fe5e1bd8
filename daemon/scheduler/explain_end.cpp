#include "common/base/text.hpp"
#include "daemon/planner/planner.hpp"
#include "daemon/scheduler/explain.hpp"

#include <algorithm>

/// What was skipped, what ended, what ran again.
namespace cicd::scheduler {

using contract::Cause;
using contract::CauseKind;
using model::EndReason;
using model::JobState;

namespace {

bool only_parameters(const Object& values) {
    return !values.empty() && std::all_of(values.begin(), values.end(), [](const auto& each) {
        return each.first.starts_with("params.") || each.first.starts_with("inputs.");
    });
}

std::string reason_text(EndReason reason) { return std::string(to_text(reason)); }

}  // namespace

Object Explainer::contexts(int index) {
    return run_.contexts_of(run_.jobs[index].group, *run_.jobs[index].planned);
}

void Explainer::of_run(Causes& causes) {
    const auto& run = run_.run;
    if (run.retry_of)
        causes.push_back({CauseKind::retry, "repeats " + run.retry_of->str(), Object{{"of", run.retry_of->str()}},
                          "cicdctl show " + run.retry_of->str()});
    if (model::is_final(run.state)) {
        if (run.message.empty()) return;
        const bool stop = run.state == model::RunState::cancelled;
        causes.push_back({stop ? CauseKind::stop : CauseKind::outcome, run.message,
                          stop ? Object{{"by", run.message}, {"reason", run.message.starts_with(superseded_text)
                                                                             ? "superseded" : "cancelled"}}
                               : Object{{"endReason", "exit"}, {"message", run.message}},
                          "cicdctl retry " + run.id.str()});
        return;
    }
    if (run_.lock.waiting) waits_for_lock(causes, run_.lock.key, run_.lock.turn);
    if (run_.cancelling != CancelPhase::none)
        causes.push_back({CauseKind::stop, run.message,
                          Object{{"by", run.message}, {"reason", reason_text(run_.cancel_reason)}},
                          run_.cancelling == CancelPhase::cleaning_up
                              ? "cicdctl cancel " + run.id.str() + " ends also what runs after a cancellation" : ""});
    paused(causes);
}

void Explainer::skipped(Causes& causes, int index) {
    const auto& planned = *run_.jobs[index].planned;
    const auto& stage = run_.planned_stage(run_.groups[run_.jobs[index].group].stage);
    const auto& record = run_.run.jobs[index];
    if (record.message == left_out_text)
        causes.push_back({CauseKind::selection, record.message, Object{{"selected", false}},
                          "cicdctl retry --all " + run_.run.id.str()});
    else if (planned.reason.decision == model::Decision::skip)
        decided_by_plan(causes, planned.reason.text, planned.job.condition, index);
    else if (stage.reason.decision == model::Decision::skip)
        decided_by_plan(causes, stage.reason.text, stage.condition, index);
    else
        decided_by_needs(causes, index);
    if (!causes.empty()) return;
    causes.push_back({CauseKind::condition, record.message.empty() ? "it was not wanted" : record.message,
                      Object{{"condition", planned.job.condition}, {"values", Object{}}},
                      "cicdctl retry " + run_.run.id.str()});
}

void Explainer::decided_by_plan(Causes& causes, const std::string& reason, const std::string& condition, int index) {
    constexpr std::string_view of_stage = "its stage is skipped: ";
    if (reason.starts_with(of_stage)) {
        const auto& stage = run_.planned_stage(run_.groups[run_.jobs[index].group].stage);
        return decided_by_plan(causes, reason.substr(of_stage.size()), stage.condition, index);
    }
    if (reason.starts_with("not selected") || reason.starts_with("before --from"))
        causes.push_back({CauseKind::selection, reason, Object{{"selected", false}}, "run it without that selection"});
    else if (reason.starts_with("the event does not start"))
        causes.push_back({CauseKind::trigger, reason,
                          Object{{"event", std::string(to_text(run_.plan.event.type))}, {"reason", run_.plan.trigger.text}},
                          "cicdctl plan --event " + std::string(to_text(run_.plan.event.type))});
    else if (reason.starts_with("needs ")) {
        const auto name = reason.substr(6, reason.find(',') - 6);
        causes.push_back({CauseKind::need, reason,
                          Object{{"need", name.starts_with("stage ") ? name.substr(6) : name}, {"state", "skipped"},
                                 {"jobs", Array{}}},
                          ""});
    } else {
        Object values;
        if (const auto parsed = Condition::parse(condition, contexts(index))) values = parsed->values(contexts(index));
        const bool parameters = only_parameters(values);
        causes.push_back({parameters ? CauseKind::parameters : CauseKind::condition, reason,
                          Object{{"condition", condition}, {"values", values}},
                          parameters ? "run it with other parameters: cicdctl run --param NAME=VALUE"
                                     : "it runs where the condition holds"});
    }
}

/// The same questions, in the same order, as when it was decided.
void Explainer::decided_by_needs(Causes& causes, int index) {
    const auto& group = run_.groups[run_.jobs[index].group];
    const auto& stage = run_.planned_stage(group.stage);
    const auto& stage_needs = run_.stages[group.stage].needs;
    auto needs = group.needs;
    if (!stage.condition.empty()) {
        judged(causes, stage.condition, run_.status_of(stage_needs), stage_needs, index);
        if (!causes.empty()) return;
    } else {
        needs.insert(needs.begin(), stage_needs.begin(), stage_needs.end());
    }
    auto status = run_.status_of(needs);
    if (group.after >= 0) run_.add_status(status, group.after, true);
    if (group.after >= 0) needs.push_back(group.after);
    judged(causes, run_.jobs[index].planned->job.condition, status, needs, index);
}

void Explainer::judged(Causes& causes, const std::string& text, const Status& given, const std::vector<int>& needs,
                       int index) {
    auto status = given;
    status.cancelled = run_.cancelling != CancelPhase::none || run_.run.state == model::RunState::cancelled;
    const auto scope = contexts(index);
    const auto condition = Condition::parse(text, scope);
    if (!condition) return;
    if (const auto verdict = condition->judge(status, scope); !verdict || verdict->run) return;
    auto well = status;
    well.success = true;
    const auto otherwise = condition->judge(well, scope);
    if (!status.success && otherwise && otherwise->run) {  // the condition would hold, had the needs ended well
        for (const int need : needs) {
            Status one;
            run_.add_status(one, need, need == run_.groups[run_.jobs[index].group].after);
            if (one.success) continue;
            if (!ended_needs_.contains(need)) ended_needs_.emplace(need, ended_need(need));
            causes.push_back(ended_needs_.at(need));
        }
        if (!causes.empty()) return;
    }
    Array states;
    for (const int need : needs)
        states.emplace_back(Object{{"need", run_.targets[need].name}, {"state", std::string(to_text(run_.targets[need].result()))}});
    const auto verdict = condition->judge(status, scope);
    causes.push_back({CauseKind::condition, verdict ? verdict->reason : verdict.error().message,
                      Object{{"condition", text}, {"values", condition->values(scope)}, {"needs", states}},
                      "it runs where the condition holds"});
}

Cause Explainer::ended_need(int index) const {
    const auto& target = run_.targets[index];
    const auto state = std::string(to_text(target.result()));
    Array jobs;
    std::string first, fitting;  // the one that failed says more than those that were ended because of it
    for (int job = 0; job < static_cast<int>(run_.jobs.size()); ++job) {
        const auto& record = run_.run.jobs[job];
        const auto& group = run_.groups[run_.jobs[job].group];
        if (group.target != index && run_.stages[group.stage].target != index) continue;
        if (record.state == JobState::success || (record.state == JobState::failed && record.allow_failure)) continue;
        const auto text = record.key + (record.message.empty() ? "" : ": " + record.message);
        if (first.empty()) first = text;
        if (fitting.empty() && state == to_text(record.state)) fitting = text;
        if (jobs.size() < 50)
            jobs.emplace_back(Object{{"id", record.id.str()}, {"key", record.key}, {"state", std::string(to_text(record.state))}});
    }
    if (!fitting.empty()) first = fitting;
    const char* how = state == "cancelled" || state == "skipped" ? ", which was " : ", which ";
    return {CauseKind::need, "needs " + target.label() + how + state + (first.empty() ? "" : " (" + first + ")"),
            Object{{"need", target.name}, {"state", state}, {"jobs", jobs}}, "cicdctl retry " + run_.run.id.str()};
}

void Explainer::stopped(Causes& causes, int index) {
    const auto& record = run_.run.jobs[index];
    const auto& node = run_.jobs[index];
    const bool over = model::is_final(record.state);
    const auto given = over ? record.end_reason : node.stop;
    if (!given || (over && record.state != JobState::cancelled && *given != EndReason::timeout)) return;
    const auto& message = over ? record.message : node.stop_message;
    const bool fail_fast = message.ends_with("(failFast)");
    causes.push_back({CauseKind::stop,
                      (over ? "was ended: " : "is being ended: ") + (message.empty() ? reason_text(*given) : message),
                      Object{{"by", message}, {"reason", fail_fast ? "failFast" : reason_text(*given)}},
                      fail_fast ? "without failFast the others go on"
                      : over    ? "cicdctl retry " + run_.run.id.str()
                                : ""});
}

void Explainer::ended(Causes& causes, int index) {
    const auto& record = run_.run.jobs[index];
    const auto before = causes.size();
    stopped(causes, index);
    if (causes.size() > before) return;
    const auto step = std::find_if(record.steps.begin(), record.steps.end(),
                                   [](const auto& each) { return each.state == model::StepState::failed; });
    std::string text = std::string(to_text(record.state));
    if (record.end_reason && *record.end_reason != EndReason::exit) text += ", " + reason_text(*record.end_reason);
    const auto number = step != record.steps.end() ? std::to_string(step->index + 1) : "";
    const bool told = !number.empty() && record.message.starts_with("step '");
    if (told) text += ": step " + number + record.message.substr(4);
    else if (!record.message.empty()) text += ": " + record.message;
    if (!told && !number.empty())
        text += "; step " + number + (step->name.empty() ? "" : " '" + step->name + "'") +
                (step->exit_code ? " ended with " + std::to_string(*step->exit_code) : " failed");
    Object facts{{"endReason", record.end_reason ? Value(reason_text(*record.end_reason)) : Value()},
                 {"exitCode", record.exit_code ? Value(*record.exit_code) : Value()},
                 {"step", step != record.steps.end() ? Value(step->index) : Value()}};
    const bool failed = record.state == JobState::failed;
    causes.push_back({CauseKind::outcome, std::move(text), std::move(facts), failed ? "cicdctl logs " + record.id.str() : ""});
}

/// What came of comparing its inputs with those of earlier runs.
void Explainer::compared(Causes& causes, int index) {
    const auto& record = run_.run.jobs[index];
    if (!record.inputs) return;
    Object parts;
    for (const auto& [name, digest] : record.inputs->parts) parts.set(name, digest);
    const bool reused = !record.inputs->from.empty();
    causes.push_back({CauseKind::reuse, record.inputs->decision,
                      Object{{"digest", record.inputs->digest}, {"parts", parts}, {"from", record.inputs->from.str()}},
                      reused ? "run it all the same: cicdctl run --no-reuse" : ""});
}

void Explainer::repeated(Causes& causes, int index) {
    const auto& record = run_.run.jobs[index];
    if (record.attempt < 2) return;
    const auto& rule = run_.jobs[index].planned->job.retry;
    const auto& last = run_.jobs[index].last_reason;
    causes.push_back({CauseKind::retry,
                      "ran again: attempt " + std::to_string(record.attempt) + " of " + std::to_string(rule ? rule->max + 1 : record.attempt) +
                          (last ? ", because the one before ended with " + reason_text(*last) : ""),
                      Object{{"attempt", record.attempt}, {"of", rule ? rule->max + 1 : record.attempt},
                             {"endReason", last ? Value(reason_text(*last)) : Value()}},
                      "cicdctl logs " + record.id.str() + " --attempt " + std::to_string(record.attempt - 1)});
}

contract::Explanation explain_over(model::Run run, model::Plan plan, const std::vector<model::RunEvent>& events,
                                   const JobId& only) {
    RunNode node({std::move(run), std::move(plan), {}, {}});
    node.find_tainted();
    for (const auto& event : events)
        for (std::size_t job = 0; event.end_reason && event.attempt > 1 && event.state == "queued" && job < node.jobs.size(); ++job)
            if (node.run.jobs[job].id == event.job) node.jobs[job].last_reason = event.end_reason;
    Explainer explainer(node, nullptr, Timestamp{});
    for (int job = 0; !only.empty() && job < static_cast<int>(node.jobs.size()); ++job)
        if (node.run.jobs[job].id == only) return explainer.job(job);
    return explainer.run();
}

}  // namespace cicd::scheduler
