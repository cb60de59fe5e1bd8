#include "common/base/text.hpp"
#include "common/pipeline/github/reader.hpp"
#include "common/pipeline/github/workflow.hpp"
#include "common/pipeline/readers.hpp"

#include <algorithm>
#include <array>

/// `on:`, as one name, a list of names, or a map with filters.
namespace cicd::pipeline::github {
namespace {

using model::Trigger;
using model::TriggerType;

constexpr std::array<std::string_view, 38> known_events{
    "branch_protection_rule", "check_run", "check_suite", "create", "delete", "deployment", "deployment_status",
    "discussion", "discussion_comment", "fork", "gollum", "image_version", "issue_comment", "issues", "label",
    "merge_group", "milestone", "page_build", "project", "project_card", "project_column", "public", "pull_request",
    "pull_request_comment", "pull_request_review", "pull_request_review_comment", "pull_request_target", "push",
    "registry_package", "release", "repository_dispatch", "repository_vulnerability_alert", "schedule", "status",
    "watch", "workflow_call", "workflow_dispatch", "workflow_run"};

constexpr Key<Trigger> filter_keys[] = {
    {"branches", [](Reader& r, const Cursor& c, Trigger& t) { t.branches = r.texts(c); }},
    {"branches-ignore", [](Reader& r, const Cursor& c, Trigger& t) { t.branches_ignore = r.texts(c); }},
    {"tags", [](Reader& r, const Cursor& c, Trigger& t) { t.tags = r.texts(c); }},
    {"tags-ignore", [](Reader& r, const Cursor& c, Trigger& t) { t.tags_ignore = r.texts(c); }},
    {"paths", [](Reader& r, const Cursor& c, Trigger& t) { t.paths = r.texts(c); }},
    {"paths-ignore", [](Reader& r, const Cursor& c, Trigger& t) { t.paths_ignore = r.texts(c); }},
    {"types", [](Reader& r, const Cursor& c, Trigger& t) { t.types = r.texts(c); }},
    {"workflows", [](Reader& r, const Cursor& c, Trigger& t) { t.pipeline = join(r.texts(c), ", "); }},
    {"names", [](Reader& r, const Cursor& c, Trigger& t) { t.types = r.texts(c); }},
    {"versions", [](Reader& r, const Cursor& c, Trigger& t) { t.tags = r.texts(c); }},
};

constexpr Key<Trigger> schedule_keys[] = {
    {"cron",
     [](Reader& r, const Cursor& c, Trigger& t) {
         t.cron = r.text(c);
         if (const auto fault = cron_fault(t.cron)) r.b.error(c, "is no cron expression: " + *fault);
     }},
    {"timezone", [](Reader& r, const Cursor& c, Trigger& t) { t.timezone = r.text(c); }},
};

using Parameter = model::Parameter;
constexpr Key<Parameter> input_keys[] = {
    {"description", [](Reader& r, const Cursor& c, Parameter& p) { p.description = r.text(c); }},
    {"deprecationMessage", [](Reader& r, const Cursor& c, Parameter&) { r.text(c); }},
    {"required", [](Reader& r, const Cursor& c, Parameter& p) { p.required = r.flag(c).value; }},
    {"default",
     [](Reader& r, const Cursor& c, Parameter& p) {
         if (c.kind() != NodeKind::null) p.default_value = r.value(c);
     }},
    {"options",
     [](Reader& r, const Cursor& c, Parameter& p) {
         for (auto& text : r.texts(c)) p.values.emplace_back(std::move(text));
     }},
    {"type",
     [](Reader& r, const Cursor& c, Parameter& p) {
         static constexpr std::array<std::string_view, 5> types{"string", "boolean", "number", "choice", "environment"};
         const auto type = r.b.choice(c, types);
         p.type = type == "environment" ? model::ParameterType::string
                                        : from_text<model::ParameterType>(type).value_or(model::ParameterType::string);
     }},
};

/// What an input is that nobody gives.
void complete(Parameter& input) {
    if (input.default_value || input.required) return;
    switch (input.type) {
        case model::ParameterType::boolean:
            input.default_value = Value(false);
            break;
        case model::ParameterType::number:
            input.default_value = Value(0);
            break;
        case model::ParameterType::choice:
            if (!input.values.empty()) input.default_value = input.values.front();
            break;
        case model::ParameterType::string:
        case model::ParameterType::array:
        case model::ParameterType::object:
            input.default_value = Value("");
            break;
    }
}

struct Dispatch {
    std::vector<Parameter> inputs;
};
constexpr Key<Dispatch> dispatch_keys[] = {
    {"inputs", [](Reader& r, const Cursor& c, Dispatch& d) { d.inputs = read_inputs(r, c, false); }},
};

struct SecretDraft {};
constexpr Key<SecretDraft> secret_keys[] = {
    {"description", [](Reader& r, const Cursor& c, SecretDraft&) { r.text(c); }},
    {"required", [](Reader& r, const Cursor& c, SecretDraft&) { r.flag(c); }},
};

struct OutputDraft {
    std::string value;
};
constexpr Key<OutputDraft> output_keys[] = {
    {"description", [](Reader& r, const Cursor& c, OutputDraft&) { r.text(c); }},
    {"value", [](Reader& r, const Cursor& c, OutputDraft& o) { o.value = r.text(c); }},
};

struct CallDraft {
    std::vector<Parameter> inputs;
    model::Texts outputs;
};
constexpr Key<CallDraft> call_keys[] = {
    {"inputs", [](Reader& r, const Cursor& c, CallDraft& d) { d.inputs = read_inputs(r, c, true); }},
    {"outputs",
     [](Reader& r, const Cursor& c, CallDraft& d) {
         if (c.kind() == NodeKind::null || !r.b.is_map(c, "outputs")) return;
         for (const auto& member : c.node->members) {
             OutputDraft output;
             r.count();
             r.keys<OutputDraft>(c.child(member), output, output_keys, "an output");
             d.outputs.emplace_back(member.key->text, std::move(output.value));
         }
     }},
    {"secrets",
     [](Reader& r, const Cursor& c, CallDraft&) {
         if (c.kind() == NodeKind::null || !r.b.is_map(c, "secrets")) return;
         for (const auto& member : c.node->members) {
             SecretDraft secret;
             r.count();
             if (member.value->kind != NodeKind::null) r.keys<SecretDraft>(c.child(member), secret, secret_keys, "a secret");
         }
     }},
};

Trigger begin(Reader& r, const Cursor& at, std::string_view name) {
    if (std::find(known_events.begin(), known_events.end(), name) == known_events.end()) {
        const std::vector<std::string> names(known_events.begin(), known_events.end());
        const std::string shown(name.substr(0, 60));
        r.b.error(at, "'" + shown + "' is no event that can start a workflow", did_you_mean(shown, names));
    }
    Trigger trigger;
    trigger.type = event_type(name);
    trigger.id = std::string(name);
    trigger.mark = r.b.mark(at);
    return trigger;
}

void read_schedule(Reader& r, const Cursor& at, const Trigger& trigger, Workflow& into) {
    r.b.each(at, [&](const Cursor& item) {
        auto each = trigger;
        each.mark = r.b.mark(item);
        r.keys<Trigger>(item, each, schedule_keys, "a schedule");
        into.pipeline.triggers.push_back(std::move(each));
    });
}

void read_event(Reader& r, const Cursor& key, const Cursor& at, Workflow& into) {
    r.count();
    auto trigger = begin(r, key, key.node->text);
    if (trigger.id == "schedule" && at.kind() != NodeKind::null) return read_schedule(r, at, trigger, into);
    if (at.kind() != NodeKind::null) {
        if (trigger.id == "workflow_dispatch") {
            Dispatch dispatch;
            r.keys<Dispatch>(at, dispatch, dispatch_keys, "workflow_dispatch");
            into.dispatch_inputs = std::move(dispatch.inputs);
        } else if (trigger.id == "workflow_call") {
            CallDraft call;
            r.keys<CallDraft>(at, call, call_keys, "workflow_call");
            into.call_inputs = std::move(call.inputs);
            into.call_outputs = std::move(call.outputs);
        } else {
            r.keys<Trigger>(at, trigger, filter_keys, "the filters of " + trigger.id);
        }
    }
    into.pipeline.triggers.push_back(std::move(trigger));
}

}  // namespace

TriggerType event_type(std::string_view event) {
    if (event == "push" || event == "create") return TriggerType::push;
    if (event.starts_with("pull_request") && event != "pull_request_comment") {
        return event == "pull_request" || event == "pull_request_target" ? TriggerType::pull_request
                                                                         : TriggerType::webhook;
    }
    if (event == "workflow_dispatch" || event == "workflow_call") return TriggerType::manual;
    if (event == "schedule") return TriggerType::schedule;
    if (event == "workflow_run") return TriggerType::pipeline;
    return TriggerType::webhook;
}

std::vector<Parameter> read_inputs(Reader& r, const Cursor& at, bool of_call) {
    std::vector<Parameter> inputs;
    if (at.kind() == NodeKind::null || !r.b.is_map(at, "inputs")) return inputs;
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        Parameter input;
        r.count();
        input.name = member.key->text;
        input.mark = r.b.mark(place);
        if (member.value->kind != NodeKind::null) r.keys<Parameter>(place, input, input_keys, "an input");
        if (of_call && input.type == model::ParameterType::choice)
            r.b.error(place, "an input of workflow_call is a string, a boolean or a number");
        complete(input);
        inputs.push_back(std::move(input));
    }
    return inputs;
}

void read_events(Reader& r, const Cursor& at, Workflow& into) {
    switch (at.kind()) {
        case NodeKind::map:
            for (const auto& member : at.node->members)
                read_event(r, Cursor{member.key, &at, member.key->text, 0}, at.child(member), into);
            return;
        case NodeKind::list:
            for (std::size_t i = 0; i < at.node->items.size(); ++i) {
                r.count();
                const auto item = at.item(i);
                into.pipeline.triggers.push_back(begin(r, item, r.text(item)));
            }
            return;
        case NodeKind::text:
            into.pipeline.triggers.push_back(begin(r, at, r.text(at)));
            return;
        case NodeKind::null:
        case NodeKind::boolean:
        case NodeKind::number:
            break;
    }
    r.b.error(at, "must name the events that start the workflow", "for example on: push");
}

}  // namespace cicd::pipeline::github
