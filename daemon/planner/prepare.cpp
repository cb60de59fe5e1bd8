#include "daemon/planner/prepare.hpp"

#include "common/base/subordinate_ids.hpp"
#include "common/base/text.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/os/cgroup.hpp"
#include "daemon/os/way_out.hpp"
#include "daemon/planner/planner.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace cicd::planner {

namespace {

namespace fs = std::filesystem;

bool is_yaml(const std::string& name) { return name.ends_with(".yaml") || name.ends_with(".yml"); }

/// Pipelines of other systems that lie in the repository, for a message that helps.
Result<std::vector<std::string>> foreign_files(git::Sources& sources, const model::Source& source) {
    std::vector<std::string> found;
    CICD_TRY(const auto workflows, sources.list(source, ".github/workflows"));
    for (const auto& name : workflows)
        if (is_yaml(name)) found.push_back(".github/workflows/" + name);
    CICD_TRY(const auto root, sources.list(source, ""));
    for (const char* name : {".gitlab-ci.yml", "bitbucket-pipelines.yml"})
        if (std::find(root.begin(), root.end(), name) != root.end()) found.emplace_back(name);
    return found;
}

bool is_foreign(const std::string& file) {
    return file.starts_with(".github/workflows/") || file == ".gitlab-ci.yml" || file == "bitbucket-pipelines.yml";
}

Error not_available(const std::vector<std::string>& files) {
    return invalid("PIPELINE_006", "not available yet: pipelines of other systems (" + join(files, ", ") + ")",
                   "write a pipeline of our own: `cicdctl init`");
}

Result<std::string> choose_file(git::Sources& sources, const model::Source& source) {
    CICD_TRY(const auto root, sources.list(source, ""));
    std::vector<std::string> found;
    for (const char* name : {".cicd.yaml", ".cicd.yml"})
        if (std::find(root.begin(), root.end(), name) != root.end()) found.emplace_back(name);
    if (found.empty()) {
        CICD_TRY(const auto folder, sources.list(source, ".cicd/pipelines"));
        for (const auto& name : folder)
            if (is_yaml(name)) found.push_back(".cicd/pipelines/" + name);
    }
    if (found.size() == 1) return found.front();
    if (found.size() > 1)
        return invalid("PIPELINE_008", "there are several pipelines: " + join(found, ", "),
                       "choose one: cicdctl run -f " + found.front());
    CICD_TRY(const auto foreign, foreign_files(sources, source));
    if (!foreign.empty()) return not_available(foreign);
    return not_found("PIPELINE_001", "there is no pipeline in " + source.name + " (.cicd.yaml or .cicd/pipelines/*.yaml)",
                     "write one with `cicdctl init`");
}

/// The file as a path in the repository, given as that or as an absolute one below it.
std::string in_repository(const std::string& file, const model::Source& source) {
    fs::path path = fs::path(file).lexically_normal();
    if (path.is_absolute() && fs::path(source.repository).is_absolute())
        path = path.lexically_relative(source.repository);
    return path.string();
}

Result<std::string> read_pipeline(git::Sources& sources, model::Source& source, const std::string& file) {
    if (file.empty()) {
        CICD_TRY(source.pipeline_file, choose_file(sources, source));
    } else {
        source.pipeline_file = in_repository(file, source);
    }
    if (is_foreign(source.pipeline_file)) return not_available({source.pipeline_file});
    auto text = sources.read_file(source, source.pipeline_file);
    if (text || text.error().kind != ErrorKind::not_found) return text;
    Error error = text.error();
    const fs::path path = source.pipeline_file;
    CICD_TRY(const auto names, sources.list(source, path.parent_path().string()));
    const std::string guess = did_you_mean(path.filename().string(), names);
    error.code = "PIPELINE_001";
    error.hint = !guess.empty() ? guess : "files that git ignores are not part of the source";
    return error;
}

Result<model::Source> find_source(git::Sources& sources, const contract::StartRun& request) {
    if (request.repository.empty())
        return invalid("SOURCE_001", "no repository is named", "run this in a git repository, or name one with --repository");
    if (request.working_tree) return sources.snapshot(request.repository);
    return sources.resolve(request.repository, {request.commit, request.branch, request.tag, request.pull_request});
}

bool filters_paths(const model::Pipeline& pipeline, model::TriggerType type) {
    return std::any_of(pipeline.triggers.begin(), pipeline.triggers.end(), [&](const model::Trigger& trigger) {
        return trigger.type == type && trigger.enabled && (!trigger.paths.empty() || !trigger.paths_ignore.empty());
    });
}

Result<model::Event> make_event(git::Sources& sources, const contract::StartRun& request, const model::Source& source,
                                const model::Pipeline& pipeline) {
    model::Event event;
    event.type = request.event;
    event.branch = request.branch.empty() ? source.branch : request.branch;
    event.tag = request.tag;
    if (!event.tag.empty()) event.branch.clear();
    event.pull_request = request.pull_request;
    event.actor = source.author;
    const bool pull_request = request.event == model::TriggerType::pull_request;
    if (pull_request) {
        event.base_branch = request.base;
        for (const char* prefix : {"refs/heads/", "origin/"})
            if (event.base_branch.starts_with(prefix)) event.base_branch.erase(0, std::string_view(prefix).size());
    }
    const bool compares = pull_request || (request.event == model::TriggerType::push && event.tag.empty());
    if (!compares || !filters_paths(pipeline, request.event)) return event;
    std::optional<std::string> base;
    if (!request.base.empty()) {
        base = request.base;
    } else {
        CICD_TRY(base, sources.default_base(source));
    }
    if (!base) return event;
    CICD_TRY(event.changed_paths, sources.changed_paths(source, *base, pull_request));
    return event;
}

std::vector<Diagnostic> warnings_of(const std::vector<Diagnostic>& problems) {
    std::vector<Diagnostic> warnings;
    for (const auto& problem : problems)
        if (problem.severity != Severity::error) warnings.push_back(problem);
    return warnings;
}

}  // namespace

Result<Prepared> prepare(git::Sources& sources, const contract::StartRun& request, const PrepareOptions& options) {
    CICD_TRY(auto source, find_source(sources, request));
    Prepared prepared;
    if (request.definition.empty()) {
        CICD_TRY(prepared.definition, read_pipeline(sources, source, request.file));
    } else {
        prepared.definition = request.definition;
        source.pipeline_file = request.file.empty() ? "" : in_repository(request.file, source);
    }
    const std::string shown = source.pipeline_file.empty() ? "pipeline" : source.pipeline_file;
    auto parsed = pipeline::parse_pipeline(prepared.definition, shown);
    if (!parsed.ok()) return pipeline::as_error(parsed.problems);
    prepared.warnings = warnings_of(parsed.problems);
    CICD_TRY(auto event, make_event(sources, request, source, parsed.value));
    if (!options.user.empty()) event.actor = options.user;

    PlanRequest plan;
    plan.event = std::move(event);
    plan.source = source;
    plan.params = request.params;
    plan.vars = request.vars;
    plan.stages = request.stages;
    plan.jobs = request.jobs;
    plan.from_stage = request.from_stage;
    plan.allow_host_executor = options.allow_host_executor;
    static const std::string memory_weakness = os::limits_weakness("memory"), cpu_weakness = os::limits_weakness("cpu");
    plan.memory_weakness = memory_weakness;
    plan.cpu_weakness = cpu_weakness;
    plan.may_copy_system = ::geteuid() == 0;
    plan.users_weakness = [] {
        const auto ids = find_subordinate_ids();
        return ids ? std::string() : ids.error().message + ": " + ids.error().hint;
    };
    plan.way_out_weakness = os::way_out_weakness();
    if (options.secrets) {
        auto asked = plan.event;
        asked.branch.clear();  // a request may name any: that of the source counts
        plan.secrets = [&options, place = model::secret_place(source, asked)] { return options.secrets(place); };
    }
    plan.read_file = [&](const std::string& path) { return sources.read_file(source, path); };
    if (options.pin_image)
        plan.pin_image = [&](const model::Image& image, model::ExecutorKind executor) {
            return options.pin_image(sources, source, image, executor);
        };
    CICD_TRY(prepared.plan, make_plan(parsed.value, plan));
    if (request.priority) prepared.plan.priority = *request.priority;
    return prepared;
}

}  // namespace cicd::planner
