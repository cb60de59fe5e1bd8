#include "daemon/planner/prepare.hpp"

#include "common/base/subordinate_ids.hpp"
#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/pipeline/front.hpp"
#include "daemon/os/cgroup.hpp"
#include "daemon/os/way_out.hpp"
#include "daemon/planner/containers.hpp"
#include "daemon/planner/fetched_actions.hpp"
#include "daemon/planner/planner.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace cicd::planner {

namespace {

namespace fs = std::filesystem;

bool is_yaml(const std::string& name) { return name.ends_with(".yaml") || name.ends_with(".yml"); }

std::vector<std::string> yaml_below(const std::vector<std::string>& names, const std::string& folder) {
    std::vector<std::string> found;
    for (const auto& name : names)
        if (is_yaml(name)) found.push_back(folder + name);
    return found;
}

/// Files that the event would start, of those that are there.
Result<std::vector<std::string>> listening(git::Sources& sources, const model::Source& source,
                                           const std::vector<std::string>& files, const std::string& event) {
    std::vector<std::string> found;
    for (const auto& file : files) {
        CICD_TRY(const auto text, sources.read_file(source, file));
        const auto front = pipeline::read_front(pipeline::dialect_of(file), text, file, {event, {}});
        const auto& triggers = front.parsed.value.triggers;
        if (std::any_of(triggers.begin(), triggers.end(), [&](const auto& trigger) { return trigger.id == front.event; }))
            found.push_back(file);
    }
    return found;
}

/// The file that is run, and those that could be as well.
struct Choice {
    std::string file;
    std::vector<std::string> others = {};
};

Result<Choice> choose_listening(git::Sources& sources, const model::Source& source, const std::vector<std::string>& files,
                                const std::string& event) {
    CICD_TRY(const auto those, listening(sources, source, files, event));
    if (those.size() == 1) {
        Choice choice{those.front(), files};
        std::erase(choice.others, choice.file);
        return choice;
    }
    const auto& shown = those.empty() ? files : those;
    return invalid("PIPELINE_008",
                   (those.empty() ? "none of several pipelines listens to the event " + event
                                  : std::to_string(those.size()) + " pipelines listen to the event " + event) + ": " + join(shown, ", "),
                   "choose one: cicdctl run -f " + shown.front());
}

Result<Choice> choose_foreign(git::Sources& sources, const model::Source& source, const std::vector<std::string>& root,
                              const std::string& asked) {
    std::vector<std::string> places{".cicd.yaml", ".cicd/pipelines/*.yaml"}, all, workflows;
    for (const auto& [folder, file] : pipeline::homes()) {
        if (!file.empty()) {
            if (std::find(root.begin(), root.end(), file) != root.end()) all.emplace_back(file);
            places.emplace_back(file);
            continue;
        }
        places.push_back(std::string(folder) + "/*.yml");
        CICD_TRY(const auto names, sources.list(source, std::string(folder)));
        workflows = yaml_below(names, std::string(folder) + "/");
        all.insert(all.end(), workflows.begin(), workflows.end());
    }
    if (all.size() == 1) return Choice{all.front()};
    if (!all.empty() && all.size() == workflows.size()) return choose_listening(sources, source, all, asked.empty() ? "push" : asked);
    if (!all.empty())
        return invalid("PIPELINE_008", "there are pipelines of several systems: " + join(all, ", "), "choose one: cicdctl run -f " + all.back());
    return not_found("PIPELINE_001", "there is no pipeline in " + source.name + " (" + join(places, ", ") + ")",
                     "write one with `cicdctl init`");
}

Result<Choice> choose_file(git::Sources& sources, const model::Source& source, const std::string& event) {
    CICD_TRY(const auto root, sources.list(source, ""));
    std::vector<std::string> found;
    for (const char* name : {".cicd.yaml", ".cicd.yml"})
        if (std::find(root.begin(), root.end(), name) != root.end()) found.emplace_back(name);
    if (found.empty()) {
        CICD_TRY(const auto folder, sources.list(source, ".cicd/pipelines"));
        found = yaml_below(folder, ".cicd/pipelines/");
    }
    if (found.size() == 1) return Choice{found.front()};
    if (found.size() > 1)
        return invalid("PIPELINE_008", "there are several pipelines: " + join(found, ", "),
                       "choose one: cicdctl run -f " + found.front());
    return choose_foreign(sources, source, root, event);
}

/// The file as a path in the repository, given as that or as an absolute one below it.
std::string in_repository(const std::string& file, const model::Source& source) {
    fs::path path = fs::path(file).lexically_normal();
    if (path.is_absolute() && fs::path(source.repository).is_absolute())
        path = path.lexically_relative(source.repository);
    return path.string();
}

Result<std::string> read_pipeline(git::Sources& sources, model::Source& source, const std::string& file,
                                  const std::string& event, std::vector<std::string>& notices) {
    if (file.empty()) {
        CICD_TRY(auto choice, choose_file(sources, source, event));
        source.pipeline_file = std::move(choice.file);
        if (!choice.others.empty())
            notices.push_back("runs " + source.pipeline_file + ", which listens to " + (event.empty() ? "push" : event) + "; there are also " +
                              join(choice.others, ", ") + ": cicdctl run -f FILE");
    } else {
        source.pipeline_file = in_repository(file, source);
    }
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

/// `name`: what the pipeline's language calls the event; empty in ours.
Result<model::Event> make_event(git::Sources& sources, const contract::StartRun& request, const model::Source& source,
                                const model::Pipeline& pipeline, const std::string& name) {
    model::Event event;
    event.type = request.event;
    if (pipeline.dialect != model::Dialect::native) {
        event.name = name;
        event.type = pipeline::event_type(pipeline.dialect, name);
        event.payload = request.payload;
        if (const auto& action = request.payload["action"]; action.is_string()) event.action = action.as_string();
    }
    event.branch = request.branch.empty() ? source.branch : request.branch;
    event.tag = request.tag;
    if (!event.tag.empty()) event.branch.clear();
    event.pull_request = request.pull_request;
    event.actor = source.author;
    const bool pull_request = event.type == model::TriggerType::pull_request;
    if (pull_request) {
        event.base_branch = request.base;
        for (const char* prefix : {"refs/heads/", "origin/"})
            if (event.base_branch.starts_with(prefix)) event.base_branch.erase(0, std::string_view(prefix).size());
        if (const auto& given = request.payload["pull_request"]["base"]["ref"]; event.base_branch.empty() && given.is_string()) event.base_branch = given.as_string();
        if (event.base_branch.empty()) event.base_branch = sources.default_branch(source);
    }
    const bool compares = pull_request || (event.type == model::TriggerType::push && event.tag.empty());
    if (!compares || !filters_paths(pipeline, event.type)) return event;
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

/// The event as a foreign language calls it; empty: the file decides.
std::string asked_event(const contract::StartRun& request) {
    if (!request.event_name.empty()) return request.event_name;
    return request.event == model::TriggerType::manual ? "" : std::string(to_text(request.event));
}

/// What a language that decides by the event which jobs there are is told. `sources`, `request` and `source` outlive it.
Result<pipeline::FrontFacts> make_facts(git::Sources& sources, const contract::StartRun& request, const model::Source& source,
                                        model::Dialect dialect, const std::string& asked) {
    pipeline::FrontFacts facts;
    model::Pipeline unread;
    unread.dialect = dialect;
    CICD_TRY(facts.event, make_event(sources, request, source, unread, asked.empty() ? "push" : asked));
    facts.source = source;
    facts.variables = request.vars;
    facts.variables.insert(facts.variables.end(), request.env.begin(), request.env.end());
    facts.jobs = request.jobs;
    const bool pull_request = facts.event.type == model::TriggerType::pull_request;
    facts.changed_paths = [&sources, &request, &source, pull_request, known = std::optional<std::optional<model::Strings>>()]() mutable {
        if (known) return *known;
        known.emplace();
        auto base = request.base.empty() ? sources.default_base(source) : Result<std::optional<std::string>>(request.base);
        if (!base || !*base) return *known;
        if (auto paths = sources.changed_paths(source, **base, pull_request)) known->emplace(std::move(*paths));
        return *known;
    };
    return facts;
}

/// Inputs that came with the event, below those that were given.
void add_payload_inputs(const contract::StartRun& request, const model::Pipeline& pipeline, PlanRequest& plan) {
    const auto& inputs = request.payload["inputs"];
    if (!inputs.is_object()) return;
    for (const auto& [name, value] : inputs.as_object())
        if (std::any_of(pipeline.parameters.begin(), pipeline.parameters.end(),
                        [&, &given = name](const model::Parameter& parameter) { return parameter.name == given; }))
            plan.params.insert(plan.params.begin(), {name, expr::to_display_text(value)});
}

/// Actions that somebody has to give are there now, or it is known why they are not.
void drop_found(pipeline::Report& report, const FetchedActions& fetched, const std::vector<std::pair<std::string, std::string>>& given) {
    const auto is_there = [&](const std::string& uses) {
        const auto action = model::find_action(uses);
        const auto is_same = [&](const auto& pair) { return to_lower(pair.first) == to_lower(action.name); };
        return std::any_of(given.begin(), given.end(), is_same) || fetched.has(uses);
    };
    std::erase_if(report.findings, [&](const auto& finding) { return finding.kind == pipeline::Carried::manual && is_there(finding.what); });
    for (auto& finding : report.findings)
        if (const auto why = fetched.missing(finding.what)) finding.reason += " (" + *why + ")";
}

/// Where there is an engine, what runs in a container is nothing to be told.
void judge_containers(pipeline::Report& report, const FetchedActions& fetched, const PrepareOptions& options, const std::string& file) {
    if (fetched.in_containers().empty()) return;
    const auto& steps = fetched.in_containers();
    std::erase_if(report.findings, [&](const auto& finding) {
        return finding.kind == pipeline::Carried::manual &&
               std::any_of(steps.begin(), steps.end(), [&](const auto& step) { return step.uses == finding.what; });
    });
    const auto why = options.why_no_engine ? options.why_no_engine() : std::nullopt;
    if (!why) return;
    for (const auto& step : steps)
        report.findings.push_back({pipeline::Carried::manual, step.mark.file.empty() ? file : step.mark.file, step.mark.line, step.mark.column, step.uses,
                                   "the step is skipped: it runs in a container, and there is no engine for it: " + *why});
}

/// What the file's report says, as far as it concerns whoever runs it.
Result<void> tell_report(const pipeline::Front& front, bool strict, std::vector<Diagnostic>& warnings) {
    std::vector<Diagnostic> found;
    for (const auto& finding : front.report.findings) {
        if (finding.kind == pipeline::Carried::approximated && !strict) continue;
        found.push_back({strict ? Severity::error : Severity::warning, finding.file, finding.line, finding.column, "",
                         finding.what + ": " + finding.reason, ""});
    }
    if (strict && !found.empty()) return pipeline::as_error(found);
    warnings.insert(warnings.end(), found.begin(), found.end());
    return {};
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
    std::vector<std::string> notices;
    const auto event_name = asked_event(request);
    if (request.definition.empty()) {
        CICD_TRY(prepared.definition, read_pipeline(sources, source, request.file, event_name, notices));
    } else {
        prepared.definition = request.definition;
        source.pipeline_file = request.file.empty() ? "" : in_repository(request.file, source);
    }
    const std::string shown = source.pipeline_file.empty() ? "pipeline" : source.pipeline_file;
    const auto read_file = [&](const std::string& path) { return sources.read_file(source, path); };
    FetchedActions fetched(sources, options.actions);
    const auto read_elsewhere = [&](const std::string& named) { return fetched.read(named); };
    const auto dialect = pipeline::guess_dialect(shown, prepared.definition);
    pipeline::FrontOptions front_options{.event = event_name, .read_file = read_file, .read_elsewhere = read_elsewhere};
    if (pipeline::decides_by_event(dialect)) {
        front_options.list = [&](const std::string& folder) { return sources.list(source, folder); };
        CICD_TRY(front_options.facts, make_facts(sources, request, source, dialect, event_name));
    }
    auto front = pipeline::read_front(dialect, prepared.definition, shown, front_options);
    auto& parsed = front.parsed;
    if (parsed.value.dialect == model::Dialect::native && !request.event_name.empty() &&
        !from_text<model::TriggerType>(request.event_name))
        return invalid("PIPELINE_006", "'" + request.event_name + "' is no event of our own pipelines",
                       "push, pull_request, manual or schedule");
    if (!parsed.ok()) return pipeline::as_error(parsed.problems);
    prepared.warnings = warnings_of(parsed.problems);
    if (parsed.value.dialect == model::Dialect::github) {
        fetched.follow(parsed.value, source, request.actions);
        drop_found(front.report, fetched, request.actions);
        judge_containers(front.report, fetched, options, shown);
    }
    const auto lacking = settle_containers(parsed.value, options, shown);
    front.report.findings.insert(front.report.findings.end(), lacking.begin(), lacking.end());
    const bool is_own = parsed.value.dialect == model::Dialect::native;
    CICD_CHECK(tell_report(front, request.strict || (is_own && !lacking.empty()), prepared.warnings));
    CICD_TRY(auto event, make_event(sources, request, source, parsed.value, front.event));
    if (!options.user.empty()) event.actor = options.user;

    PlanRequest plan;
    plan.event = std::move(event);
    plan.source = source;
    plan.params = request.params;
    add_payload_inputs(request, parsed.value, plan);
    plan.vars = request.vars;
    plan.env = request.env;
    plan.matrix = request.matrix;
    plan.actions = request.actions;
    plan.stages = request.stages;
    plan.jobs = request.jobs;
    plan.from_stage = request.from_stage;
    plan.allow_host_executor = options.allow_host_executor;
    plan.labels = options.labels;
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
    plan.read_file = read_file;
    if (options.pin_image)
        plan.pin_image = [&](const model::Image& image, model::ExecutorKind executor) {
            return options.pin_image(sources, source, image, executor);
        };
    CICD_TRY(prepared.plan, make_plan(parsed.value, plan));
    prepared.plan.fetched = fetched.found();
    if (!front.event.empty() && event_name.empty()) notices.push_back("simulates the event " + front.event + "; another one: --event NAME");
    notices.insert(notices.end(), fetched.notices().begin(), fetched.notices().end());
    prepared.plan.notices.insert(prepared.plan.notices.begin(), notices.begin(), notices.end());
    if (request.priority) prepared.plan.priority = *request.priority;
    return prepared;
}

}  // namespace cicd::planner
