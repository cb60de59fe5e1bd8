#include "common/pipeline/write_github.hpp"

#include "common/pipeline/github/write_parts.hpp"
#include "common/pipeline/parse.hpp"

#include <algorithm>

namespace cicd::pipeline {
namespace {

using namespace model;
using github::Names;

void put_list(Object& object, const char* key, const Strings& list) {
    if (!list.empty()) object.set(key, Array(list.begin(), list.end()));
}

Object filters(const Trigger& trigger) {
    Object made;
    put_list(made, "branches", trigger.branches);
    put_list(made, "branches-ignore", trigger.branches_ignore);
    put_list(made, "tags", trigger.tags);
    put_list(made, "tags-ignore", trigger.tags_ignore);
    put_list(made, "paths", trigger.paths);
    put_list(made, "paths-ignore", trigger.paths_ignore);
    put_list(made, "types", trigger.types);
    return made;
}

Value value_or_null(Object object) { return object.empty() ? Value() : Value(std::move(object)); }

Value write_inputs(Names& names, const Pipeline& pipeline) {
    Object inputs;
    for (const auto& parameter : pipeline.parameters) {
        Object input;
        github::put(input, "description", parameter.description);
        switch (parameter.type) {
            case ParameterType::string: input.set("type", parameter.values.empty() ? "string" : "choice"); break;
            case ParameterType::boolean: input.set("type", "boolean"); break;
            case ParameterType::number: input.set("type", "number"); break;
            case ParameterType::choice: input.set("type", "choice"); break;
            case ParameterType::array:
            case ParameterType::object:
                input.set("type", "string");
                names.tell(Carried::approximated, parameter.mark, "parameter " + parameter.name, "it is a text there: read it by fromJSON");
                break;
        }
        if (!parameter.values.empty()) input.set("options", Array(parameter.values));
        if (parameter.default_value) input.set("default", *parameter.default_value);
        if (parameter.required) input.set("required", true);
        inputs.set(parameter.name, std::move(input));
    }
    Object dispatch;
    if (!inputs.empty()) dispatch.set("inputs", std::move(inputs));
    return value_or_null(std::move(dispatch));
}

void write_trigger(Names& names, const Pipeline& pipeline, const Trigger& trigger, Object& on, Array& schedule) {
    switch (trigger.type) {
        case TriggerType::push: on.set("push", value_or_null(filters(trigger))); break;
        case TriggerType::pull_request: on.set("pull_request", value_or_null(filters(trigger))); break;
        case TriggerType::manual: on.set("workflow_dispatch", write_inputs(names, pipeline)); break;
        case TriggerType::schedule:
            schedule.emplace_back(Object{{"cron", trigger.cron}});
            if (!trigger.timezone.empty() && trigger.timezone != "UTC")
                names.tell(Carried::approximated, trigger.mark, "timezone " + trigger.timezone, "schedules are in UTC there");
            break;
        case TriggerType::webhook:
            on.set("repository_dispatch", Object{{"types", Array{trigger.id}}});
            names.tell(Carried::approximated, trigger.mark, "webhook " + trigger.id, "whoever calls it has to call GitHub's API: repository_dispatch");
            break;
        case TriggerType::pipeline:
            on.set("workflow_run", Object{{"workflows", Array{trigger.pipeline}}, {"types", Array{"completed"}}});
            if (!trigger.on.empty() && trigger.on != "always")
                names.tell(Carried::approximated, trigger.mark, "after " + trigger.pipeline, "it starts however that ended: ask for github.event.workflow_run.conclusion");
            break;
    }
}

Object write_triggers(Names& names, const Pipeline& pipeline) {
    Object on;
    Array schedule;
    for (const auto& trigger : pipeline.triggers)
        if (trigger.enabled) write_trigger(names, pipeline, trigger, on, schedule);
    if (!schedule.empty()) on.set("schedule", std::move(schedule));
    // What has parameters is started by hand as well.
    if (on.empty() || (!pipeline.parameters.empty() && !on.contains("workflow_dispatch"))) on.set("workflow_dispatch", write_inputs(names, pipeline));
    return on;
}

void tell_rest(Names& names, const Pipeline& pipeline) {
    const auto& at = pipeline.mark;
    for (const auto& include : pipeline.includes)
        names.tell(Carried::unsupported, include.mark, "include " + include.path + include.template_name, "export what it holds by itself");
    if (pipeline.timeout) names.tell(Carried::unsupported, at, "timeout", "only jobs have one there");
    if (pipeline.shared_workspace) names.tell(Carried::unsupported, at, "workspace: shared", "every job has its own there: pass files on as artifacts");
    const auto& told = pipeline.notifications;
    if (!told.on_start.empty() || !told.on_success.empty() || !told.on_failure.empty() || !told.on_cancelled.empty() || !told.on_blocked.empty())
        names.tell(Carried::manual, at, "notifications", "set them up in the repository");
    for (const auto& stage : pipeline.stages) {
        if (stage.gate) names.tell(Carried::manual, stage.gate->mark, "gate of " + stage.name, "protect the environment: required reviewers");
        if (stage.deploy) names.tell(Carried::unsupported, stage.deploy->mark, "deploy of " + stage.name, "write it as steps");
        if (stage.timeout) names.tell(Carried::unsupported, stage.mark, "timeout of " + stage.name, "only jobs have one there");
    }
}

}  // namespace

Workflow to_github(const model::Pipeline& pipeline, const std::string& file) {
    Workflow workflow;
    Names names(pipeline, workflow.report, file);
    Object made;
    made.set("name", pipeline.name);
    made.set("on", write_triggers(names, pipeline));
    if (pipeline.concurrency) made.set("concurrency", github::write_concurrency(names, *pipeline.concurrency, pipeline.mark));
    if (!pipeline.env.empty()) made.set("env", github::write_texts(names, pipeline.env, pipeline.mark));
    Object jobs;
    for (const auto& stage : pipeline.stages)
        for (const auto& job : stage.jobs) jobs.set(names.id(stage, job), github::write_job(names, stage, job));
    made.set("jobs", std::move(jobs));
    tell_rest(names, pipeline);
    workflow.value = std::move(made);
    return workflow;
}

std::string github_yaml(const Workflow& workflow) {
    std::string text;
    for (const auto& finding : workflow.report.findings) {
        const char* kind = finding.kind == Carried::unsupported ? "not exported" : finding.kind == Carried::manual ? "to do" : "differs";
        std::string line = kind + (": " + finding.file) + ":" + std::to_string(finding.line) + ": " + finding.what + ": " + finding.reason;
        std::replace_if(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
        text += "# " + line + "\n";
    }
    return text + to_yaml(workflow.value);
}

}  // namespace cicd::pipeline
