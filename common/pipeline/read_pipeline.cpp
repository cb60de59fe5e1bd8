#include "common/base/text.hpp"
#include "common/pipeline/readers.hpp"

#include <algorithm>
#include <array>

namespace cicd::pipeline {
namespace {

using model::Job;
using model::Pipeline;

constexpr Field<model::Notifications> notification_fields[] = {
    {"onStart", [](Builder& b, const Cursor& c, model::Notifications& n) { n.on_start = b.texts(c); }},
    {"onSuccess", [](Builder& b, const Cursor& c, model::Notifications& n) { n.on_success = b.texts(c); }},
    {"onFailure", [](Builder& b, const Cursor& c, model::Notifications& n) { n.on_failure = b.texts(c); }},
    {"onCancelled", [](Builder& b, const Cursor& c, model::Notifications& n) { n.on_cancelled = b.texts(c); }},
    {"onBlocked", [](Builder& b, const Cursor& c, model::Notifications& n) { n.on_blocked = b.texts(c); }},
};

bool read_workspace(Builder& b, const Cursor& at) {
    static constexpr std::array<std::string_view, 2> allowed{"fresh", "shared"};
    return b.choice(at, allowed) == "shared";
}

/// Shown everywhere, so: one line of text without spaces around it.
std::string read_title(Builder& b, const Cursor& at) {
    std::string title = b.literal(at);
    if (!at.node->is_scalar()) return title;
    if (title.empty() || title.size() > 100 || trim(title) != title || title.find_first_of("\n\r\t") != title.npos)
        b.error(at, "must be one line of 1 to 100 characters without spaces around it");
    return title;
}

constexpr Field<PipelineDraft> pipeline_fields[] = {
    {"name", [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.name = read_title(b, c); }},
    {"description", [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.description = b.literal(c); }},
    {"include", [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.includes = read_includes(b, c); }},
    {"triggers", [](Builder& b, const Cursor& c, PipelineDraft& d) { read_triggers(b, c, d.pipeline.triggers); }},
    {"parameters",
     [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.parameters = read_parameters(b, c); }},
    {"env", [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.env = b.text_map(c, NameRule::variable); }},
    {"concurrency",
     [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.concurrency = read_concurrency(b, c); }},
    {"timeout", [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.timeout = b.duration(c); }},
    {"priority",
     [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.priority = b.enumerator<model::Priority>(c); }},
    {"workspace",
     [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.shared_workspace = read_workspace(b, c); }},
    {"defaults", [](Builder&, const Cursor& c, PipelineDraft& d) { d.defaults = c; }},
    {"stages", [](Builder&, const Cursor& c, PipelineDraft& d) { d.stages = c; }},
    {"notifications",
     [](Builder& b, const Cursor& c, PipelineDraft& d) { d.pipeline.notifications = read_notifications(b, c); }},
};

struct Defaults {
    Job job;
    model::Texts env;
};

constexpr Field<Defaults> default_fields[] = {
    {"timeout", [](Builder& b, const Cursor& c, Defaults& d) { d.job.timeout = b.duration(c); }},
    {"env", [](Builder& b, const Cursor& c, Defaults& d) { d.env = b.text_map(c, NameRule::variable); }},
};

constexpr Field<model::Include> include_fields[] = {
    {"path", [](Builder& b, const Cursor& c, model::Include& i) { i.path = b.literal(c); }},
    {"template",
     [](Builder& b, const Cursor& c, model::Include& i) {
         const std::string text = b.literal(c);
         const auto at = text.find('@');
         i.template_name = text.substr(0, at);
         i.version = at == text.npos ? "" : text.substr(at + 1);
         if (c.node->is_scalar() && (i.template_name.empty() || i.version.empty()))
             b.error(c, "must be 'name@version'", "pin a version, so that the pipeline does not change by itself");
     }},
    {"with", [](Builder& b, const Cursor& c, model::Include& i) { i.with = b.value_map(c); }},
};

void check_include_path(Builder& b, const Cursor& at, const std::string& path) {
    if (path.empty()) return;
    if (!path.starts_with("./") || ("/" + path + "/").find("/../") != path.npos ||
        (!path.ends_with(".yaml") && !path.ends_with(".yml")))
        b.error(at, "'" + path + "' is no file that can be included", "give a path inside the repository: ./name.yaml");
}

constexpr Field<model::Component> component_fields[] = {
    {"name", [](Builder& b, const Cursor& c, model::Component& m) { m.name = read_title(b, c); }},
    {"description", [](Builder& b, const Cursor& c, model::Component& m) { m.description = b.literal(c); }},
    {"inputs", [](Builder& b, const Cursor& c, model::Component& m) { m.inputs = read_parameters(b, c); }},
    {"outputs",
     [](Builder& b, const Cursor& c, model::Component& m) { m.outputs = b.text_map(c, NameRule::identifier); }},
    {"env", [](Builder& b, const Cursor& c, model::Component& m) { m.env = b.text_map(c, NameRule::variable); }},
    {"steps", [](Builder& b, const Cursor& c, model::Component& m) { m.steps = read_steps(b, c); }},
};

}  // namespace

model::Notifications read_notifications(Builder& b, const Cursor& at) {
    model::Notifications notifications;
    b.fields<model::Notifications>(at, notifications, notification_fields, "notifications");
    return notifications;
}

std::vector<model::Include> read_includes(Builder& b, const Cursor& at) {
    std::vector<model::Include> includes;
    b.each(at, [&](const Cursor& item) {
        model::Include include;
        include.mark = b.mark(item);
        if (item.kind() == NodeKind::map) {
            b.fields<model::Include>(item, include, include_fields, "an include");
            const bool path = item.node->find("path"), from_template = item.node->find("template");
            if (path == from_template) b.error(item, "an include has either 'path' or 'template'");
        } else {
            include.path = b.literal(item);
            if (item.kind() == NodeKind::text && include.path.empty()) b.error(item, "an include needs a path");
        }
        check_include_path(b, item, include.path);
        includes.push_back(std::move(include));
    });
    return includes;
}

Pipeline read_pipeline(Builder& b, const Cursor& at) {
    PipelineDraft draft;
    Pipeline& pipeline = draft.pipeline;
    pipeline.mark = b.mark(at);
    b.fields<PipelineDraft>(at, draft, pipeline_fields, "a pipeline");
    b.require(at, {"name"}, "a pipeline");
    if (pipeline.includes.empty()) b.require(at, {"stages"}, "a pipeline");
    Defaults defaults;
    if (draft.defaults)
        b.fields<Defaults, Job>(*draft.defaults, defaults, {default_fields}, defaults.job, {job_settings()},
                                "defaults");
    // Below the pipeline's own, so that stages and jobs can still replace them.
    for (auto& variable : defaults.env)
        if (std::none_of(pipeline.env.begin(), pipeline.env.end(),
                         [&](const auto& e) { return e.first == variable.first; }))
            pipeline.env.push_back(std::move(variable));
    if (draft.stages) pipeline.stages = read_stages(b, *draft.stages, defaults.job);
    resolve_needs(b, pipeline);
    if (!pipeline.includes.empty()) b.declare_parameters_open();
    b.check_references(pipeline.parameters);
    return std::move(pipeline);
}

model::Component read_component(Builder& b, const Cursor& at) {
    model::Component component;
    component.mark = b.mark(at);
    b.fields<model::Component>(at, component, component_fields, "a component");
    b.require(at, {"name", "steps"}, "a component");
    b.check_references(component.inputs);
    return component;
}

}  // namespace cicd::pipeline
