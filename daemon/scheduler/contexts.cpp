#include "common/model/action.hpp"
#include "common/codec/json.hpp"
#include "daemon/planner/planner.hpp"
#include "daemon/scheduler/graph.hpp"

#include <algorithm>

/// What conditions and jobs can read, and the job's description for its runner.
namespace cicd::scheduler {
namespace {

/// A stage with more jobs than this shows their results only as a whole: nobody reads thousands, and every spec holds
/// them.
constexpr std::size_t most_jobs_shown = 1000;

void merge(Object& into, const Value& outputs) {
    if (!outputs.is_object()) return;
    for (const auto& [name, value] : outputs.as_object()) into.set(name, value);
}

/// Variables whose values are known before the job runs.
void add_literals(Object& env, const model::Texts& texts) {
    for (const auto& [name, value] : texts)
        if (!expr::has_expression(value)) env.set(name, value);
}

/// Those that a stage declares, from those of its jobs. What cannot be evaluated is empty.
Object chosen_outputs(const model::Texts& chosen, const Value& jobs) {
    Object outputs;
    for (const auto& [name, text] : chosen) {
        auto value = expr::interpolate(text, {Object{{"jobs", jobs}}, {}});
        outputs.set(name, value ? std::move(*value) : std::string());
    }
    return outputs;
}

/// What the container is made by is known before its job runs. A login is the runner's to evaluate: it reads secrets.
void settle_options(model::JobSpec& spec) {
    const auto settle = [&](model::ContainerOptions& options) {
        const auto settle_text = [&](std::string& text) {
            if (!expr::has_expression(text)) return;
            if (auto known = expr::interpolate(text, {spec.contexts.as_object(), {}})) text = std::move(*known);
        };
        settle_text(options.hostname);
        for (auto* list : {&options.volumes, &options.aliases, &options.hosts, &options.tmpfs, &options.ulimits})
            for (auto& text : *list) settle_text(text);
        for (auto& [name, text] : options.labels) settle_text(text);
    };
    if (spec.image) settle(spec.image->options);
    for (auto& each : spec.services) settle(each.service.options);
}

Object strategy_context(const Group& group, const model::PlannedJob& planned) {
    // GitHub's names and the camelCase that everything of ours has.
    const Value limit = group.limit > 0 ? group.limit : planned.matrix_total;
    return {{"failFast", group.fail_fast},          {"fail-fast", group.fail_fast},
            {"jobIndex", planned.matrix_index},     {"job-index", planned.matrix_index},
            {"jobTotal", planned.matrix_total},     {"job-total", planned.matrix_total},
            {"maxParallel", limit},                 {"max-parallel", limit}};
}

}  // namespace

Value RunNode::stage_jobs(const StageNode& stage, Object& outputs) {
    Object shown;
    for (const int g : stage.groups) {
        const auto entry = target_context(groups[g].target);
        merge(outputs, entry["outputs"]);
        if (stage.groups.size() <= most_jobs_shown)
            shown.set(bare_name(targets[stage.target].name, groups[g].base), entry);
    }
    return shown;
}

/// {result, outputs}, and for a stage also {jobs}. Of a matrix, the outputs of later instances win.
Value RunNode::target_context(int index) {
    auto& target = targets[index];
    if (target.context) return *target.context;
    Object entry, outputs;
    entry.set("result", std::string(pipeline::result_word(plan.dialect, to_text(target.result()))));
    if (target.is_stage) {
        const auto shown = stage_jobs(stages[index], outputs);
        if (const auto& chosen = planned_stage(index).outputs; !chosen.empty()) outputs = chosen_outputs(chosen, shown);
        entry.set("outputs", outputs);
        entry.set("jobs", shown);
    } else {
        for (const int job : groups[group_by_base_.at(target.name)].jobs) merge(outputs, run.jobs[job].outputs);
        entry.set("outputs", outputs);
    }
    Value context(std::move(entry));
    if (target.open == 0) target.context = context;
    return context;
}

Value RunNode::needs_context(int index) {
    auto& group = groups[index];
    if (group.needs_context) return *group.needs_context;
    Object needs;
    std::vector<int> all = stages[group.stage].needs;
    all.insert(all.end(), group.needs.begin(), group.needs.end());
    const auto add_bare = [&](const Group& other) {
        const auto name = bare_name(targets[stages[other.stage].target].name, other.base);
        if (!needs.contains(name)) needs.set(name, target_context(other.target));
    };
    for (const int need : all) needs.set(targets[need].name, target_context(need));
    for (const int need : all) {
        if (!targets[need].is_stage)
            add_bare(groups[group_by_base_.at(targets[need].name)]);
        else if (stages[need].groups.size() <= most_jobs_shown)
            for (const int g : stages[need].groups) add_bare(groups[g]);
    }
    Value context(std::move(needs));
    if (std::all_of(all.begin(), all.end(), [&](int need) { return targets[need].open == 0; }))
        group.needs_context = context;
    return context;
}

std::vector<model::NeededArtifact> RunNode::needed_artifacts(int index) const {
    std::vector<model::NeededArtifact> found;
    if (keepers.empty()) return found;
    std::vector<char> seen(groups.size());
    std::vector<int> left{index};
    const auto reach = [&](int group) {
        if (!std::exchange(seen[static_cast<std::size_t>(group)], 1)) left.push_back(group);
    };
    const auto reach_all = [&](const std::vector<int>& all) {
        for (const int need : all) {
            const auto& target = targets[static_cast<std::size_t>(need)];
            if (!target.is_stage) reach(group_by_base_.at(target.name));
            else
                for (const int g : stages[static_cast<std::size_t>(need)].groups) reach(g);
        }
    };
    if (const auto& named = groups[static_cast<std::size_t>(index)].artifacts_from) {
        reach_all(*named);
        left.clear();
    }
    while (!left.empty()) {
        const auto& group = groups[static_cast<std::size_t>(left.back())];
        left.pop_back();
        std::vector<int> all = stages[static_cast<std::size_t>(group.stage)].needs;
        all.insert(all.end(), group.needs.begin(), group.needs.end());
        if (group.after >= 0) all.push_back(group.after);
        reach_all(all);
    }
    for (const int job : keepers)
        if (const int group = jobs[job].group; seen[static_cast<std::size_t>(group)] != 0 && group != index)
            for (const auto& artifact : run.jobs[job].artifacts) found.push_back({run.jobs[job].key, artifact.name, artifact.digest});
    return found;
}

Object RunNode::contexts_of(int index, const model::PlannedJob& planned) {
    const auto& stage = planned_stage(groups[index].stage);
    Object all = contexts;
    Object env;
    for (const auto* texts : std::initializer_list<const model::Texts*>{&plan.env, &stage.env, &planned.job.env})
        add_literals(env, *texts);
    all.set("env", env);
    all.set("matrix", planned.matrix);
    all.set("strategy", strategy_context(groups[index], planned));
    all.set("needs", needs_context(index));
    Object environment;
    environment.set("name", planned.job.environment.empty() ? stage.environment : planned.job.environment);
    all.set("environment", environment);
    return all;
}

Result<const Condition*> RunNode::condition(const std::string& text, const Object& scope) {
    if (const auto known = conditions.find(text); known != conditions.end()) return &known->second;
    CICD_TRY(auto parsed, Condition::parse(text, scope));
    return &conditions.emplace(text, std::move(parsed)).first->second;
}

std::vector<model::StepRun> pending_steps(const model::Job& job) {
    std::vector<model::StepRun> steps;
    for (const auto& step : job.steps)
        steps.push_back({.index = static_cast<int>(steps.size()), .id = step.id, .name = step.name});
    for (const auto& service : job.services) steps.push_back(model::service_step(service, static_cast<int>(steps.size())));
    return steps;
}

/// Whether a step can come to an action of another repository: by itself, or by one of ours.
bool uses_others(const model::Job& job) {
    return std::any_of(job.steps.begin(), job.steps.end(), [](const model::Step& step) {
        const auto kind = model::find_action(step.uses).kind;
        return !step.uses.empty() && (kind == model::ActionKind::remote || kind == model::ActionKind::local);
    });
}

model::JobSpec job_spec(RunNode& run, int index) {
    const auto& record = run.run.jobs[index];
    const auto& planned = *run.jobs[index].planned;
    const auto& job = planned.job;
    auto contexts = run.contexts_of(run.jobs[index].group, planned);
    const auto contexts_known = contexts;
    contexts.erase("env");  // the runner makes it, from the layers and what steps add
    model::JobSpec spec;
    spec.dialect = run.plan.dialect;
    spec.actions = run.plan.actions;
    if (uses_others(job)) spec.fetched = run.plan.fetched;
    spec.job = record.id;
    spec.run = record.run;
    spec.key = record.key;
    spec.name = record.name;
    spec.stage = record.stage;
    spec.attempt = record.attempt;
    spec.executor = job.executor.value_or(model::ExecutorKind::sandbox);
    spec.network = job.network.value_or(model::NetworkMode::host);
    spec.system = job.system.value_or(model::SystemMode::standard);
    spec.real_workspace = job.real_workspace;
    spec.contexts = Value(std::move(contexts));
    spec.image = job.image;
    if (spec.image && expr::has_expression(spec.image->name))
        if (auto name = expr::interpolate(spec.image->name, {spec.contexts.as_object(), {}})) spec.image->name = std::move(*name);
    for (const auto& service : job.services) {
        spec.services.push_back({.service = service, .root = {}, .entrypoint = {}, .command = {}, .working_directory = {}});
        auto& image = spec.services.back().service.image;
        if (expr::has_expression(image))
            if (auto name = expr::interpolate(image, {spec.contexts.as_object(), {}})) image = std::move(*name);
    }
    settle_options(spec);
    spec.env = {run.plan.env, run.planned_stage(run.groups[run.jobs[index].group].stage).env, job.env};
    spec.shell = job.shell;
    spec.working_directory = job.working_directory;
    spec.steps = job.steps;
    spec.outputs = job.outputs;
    spec.secrets = planner::secrets_of(spec.env[0], spec.env[1], job);
    spec.timeout = job.timeout;
    if (!job.timeout_minutes.empty())
        if (const auto minutes = expr::evaluate_template(job.timeout_minutes, {contexts_known, {}}); minutes && expr::to_number(*minutes) > 0)
            spec.timeout = Milliseconds(static_cast<std::int64_t>(std::min(expr::to_number(*minutes), 1e6) * 60'000));
    spec.silence_timeout = job.silence_timeout;
    spec.fail_on_silence = job.fail_on_silence;
    if (!job.empty_workspace) spec.git_depth = job.git_depth;
    spec.artifacts = job.artifacts;
    spec.caches = job.cache;
    spec.needed = run.needed_artifacts(run.jobs[index].group);
    spec.limits = {job.resources.cpu, job.resources.memory, job.resources.pids, job.resources.storage, {}};
    // Limits that no place has to be found for.
    if (job.image && !spec.limits.cpu) spec.limits.cpu = job.image->options.cpu;
    if (job.image && !spec.limits.memory) spec.limits.memory = job.image->options.memory;
    if (spec.executor == model::ExecutorKind::container) spec.limits.gpu = job.resources.gpu;
    return spec;
}

}  // namespace cicd::scheduler
