#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/pipeline/github/write_parts.hpp"
#include "common/pipeline/step_controls.hpp"

#include <algorithm>

namespace cicd::pipeline::github {
namespace {

using namespace model;

Value minutes(Milliseconds duration) { return static_cast<double>(duration.count()) / 60'000; }

void put_choice(Object& object, const char* key, Names& names, const OrExpression<bool>& choice, bool usual, const Mark& mark) {
    if (!choice.expression.empty()) object.set(key, names.text(choice.expression, mark));
    else if (choice.value != usual) object.set(key, choice.value);
}

std::string join_lines(const Strings& lines) { return join(lines, "\n"); }

/// Where a pattern begins to be one; a plain path counts with its folder.
std::string fixed_folder(const std::string& pattern) {
    const auto special = pattern.find_first_of("*?[");
    const auto fixed = pattern.substr(0, special);
    const auto slash = fixed.rfind('/');
    return slash == fixed.npos ? "" : fixed.substr(0, slash);
}

/// What upload-artifact takes for the root of several paths, and thus where a download has to put them.
std::string common_folder(const Strings& paths) {
    std::optional<std::string> common;
    for (const auto& path : paths) {
        const auto folder = fixed_folder(path);
        if (!common) common = folder;
        while (!common->empty() && folder != *common && !folder.starts_with(*common + "/")) {
            const auto slash = common->rfind('/');
            common = slash == common->npos ? "" : common->substr(0, slash);
        }
    }
    return common.value_or("");
}

Object use(const char* action, Object with, const std::string& condition = "") {
    Object step;
    put(step, "if", condition);
    step.set("uses", action);
    if (!with.empty()) step.set("with", std::move(with));
    return step;
}

void write_caches(Names& names, const Job& job, Array& steps) {
    for (const auto& cache : job.cache) {
        Object with;
        with.set("path", names.text(join_lines(cache.paths), cache.mark));
        with.set("key", names.text(cache.key, cache.mark));
        put(with, "restore-keys", names.text(join_lines(cache.restore_keys), cache.mark));
        steps.push_back(use(cache.policy == "pull" ? "actions/cache/restore@v4" : "actions/cache@v4", std::move(with)));
        if (cache.ttl || !cache.scope.empty()) names.tell(Carried::approximated, cache.mark, "cache " + cache.key, "GitHub has its own scopes and times for caches");
    }
}

void download_of(Names& names, const Stage& stage, const Job& job, Array& steps) {
    for (const auto& artifact : job.artifacts) {
        Object with;
        with.set("name", names.text(artifact.name.empty() ? stage.name + "-" + job.name : artifact.name, artifact.mark));
        put(with, "path", common_folder(artifact.paths));
        steps.push_back(use("actions/download-artifact@v4", std::move(with)));
        if (job.matrix) names.tell(Carried::approximated, artifact.mark, "artifact " + artifact.name, "each combination needs an artifact name of its own there");
    }
}

/// Artifacts of whatever the job waits for, directly or not, unless it names their jobs, as our jobs find them.
void write_downloads(Names& names, const Stage& stage, const Job& job, Array& steps) {
    if (job.artifacts_from) {
        for (const auto& source : *job.artifacts_from)
            if (const auto* other = names.stage(source.stage))
                for (const auto& each : other->jobs)
                    if (source.job.empty() || source.job == each.name) download_of(names, *other, each, steps);
        return;
    }
    std::vector<std::pair<const Stage*, const Job*>> left{{&stage, &job}}, seen = left;
    for (std::size_t i = 0; i < left.size(); ++i) {
        auto all = names.needs(*left[i].first);
        all.insert(all.end(), left[i].second->needs.begin(), left[i].second->needs.end());
        for (const auto& need : all) {
            const auto* other = names.stage(need.stage);
            if (!other) continue;
            for (const auto& each : other->jobs) {
                const std::pair found{other, &each};
                if ((!need.job.empty() && need.job != each.name) || std::find(seen.begin(), seen.end(), found) != seen.end()) continue;
                seen.push_back(found);
                left.push_back(found);
                download_of(names, *other, each, steps);
            }
        }
    }
}

void write_uploads(Names& names, const Stage& stage, const Job& job, Array& steps) {
    for (const auto& artifact : job.artifacts) {
        Strings paths = artifact.paths;
        for (const auto& path : artifact.exclude) paths.push_back("!" + path);
        Object with;
        with.set("name", names.text(artifact.name.empty() ? stage.name + "-" + job.name : artifact.name, artifact.mark));
        with.set("path", names.text(join_lines(paths), artifact.mark));
        if (artifact.retention) with.set("retention-days", std::max(1.0, static_cast<double>(artifact.retention->count()) / 86'400'000));
        const char* condition = artifact.when == ArtifactWhen::always ? "always()" : artifact.when == ArtifactWhen::on_failure ? "failure()" : "";
        steps.push_back(use("actions/upload-artifact@v4", std::move(with), condition));
    }
}

/// For a shell's command line, which `options` is read like.
std::string quoted(const std::string& text) {
    if (text.find_first_of(" \t\n\"'\\") == text.npos) return text;
    std::string made = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') made += '\\';
        made += c;
    }
    return made + "\"";
}

/// Where a text's user ends and its password begins: not within an expression.
std::size_t end_of_user(const std::string& login) {
    for (std::size_t i = 0; i < login.size(); ++i)
        if (login.compare(i, 3, "${{") == 0) i = std::min(login.find("}}", i), login.size() - 1);
        else if (login[i] == ':') return i;
    return login.npos;
}

/// Into `credentials` and `volumes`; gives the flags for `options`.
std::string write_options(Names& names, const model::ContainerOptions& options, const model::Mark& mark, Object& into) {
    if (const auto end = end_of_user(options.login); end != options.login.npos)
        into.set("credentials", Object{{"username", names.text(options.login.substr(0, end), mark)}, {"password", names.text(options.login.substr(end + 1), mark)}});
    else if (!options.login.empty())
        names.tell(Carried::manual, mark, "login of the image", "give the container its credentials");
    Array volumes;
    for (const auto& text : options.volumes) volumes.emplace_back(names.text(text, mark));
    if (!volumes.empty()) into.set("volumes", std::move(volumes));
    std::string flags;
    const auto flag = [&](const char* name, const std::string& value) { flags += std::string(flags.empty() ? "" : " ") + name + " " + quoted(names.text(value, mark)); };
    if (!options.hostname.empty()) flag("--hostname", options.hostname);
    for (const auto& text : options.aliases) flag("--network-alias", text);
    for (const auto& text : options.hosts) flag("--add-host", text);
    for (const auto& [name, value] : options.labels) flag("--label", name + "=" + value);
    for (const auto& text : options.tmpfs) flag("--tmpfs", text);
    for (const auto& text : options.ulimits) flag("--ulimit", text);
    if (options.cpu) flag("--cpus", number_text(*options.cpu));
    if (options.memory) flag("--memory", std::to_string(*options.memory));
    if (options.shared_memory) flag("--shm-size", std::to_string(*options.shared_memory));
    return flags;
}

void write_services(Names& names, const Job& job, Object& into) {
    Object services;
    for (const auto& service : job.services) {
        if (service.image.empty()) {
            names.tell(Carried::unsupported, service.mark, "service " + service.name, "a service is an image there: start it in a step");
            continue;
        }
        Object one;
        one.set("image", names.text(service.image, service.mark));
        if (!service.env.empty()) one.set("env", write_texts(names, service.env, service.mark));
        if (!service.ports.empty()) one.set("ports", Array(service.ports.begin(), service.ports.end()));
        auto flags = write_options(names, service.options, service.mark, one);
        const auto add = [&](const std::string& text) { flags += (flags.empty() ? "" : " ") + text; };
        if (!service.user.empty()) add("--user " + quoted(service.user));
        if (!service.working_directory.empty()) add("--workdir " + quoted(service.working_directory));
        if (service.entrypoint.size() == 1) add("--entrypoint " + quoted(service.entrypoint.front()));
        else if (!service.entrypoint.empty()) names.tell(Carried::unsupported, service.mark, "entrypoint of service " + service.name, "only a program's name can be given there");
        if (!service.ready.empty()) add("--health-cmd " + quoted(service.ready) + " --health-interval 5s --health-retries 20");
        put(one, "options", flags);
        if (!service.command.empty()) names.tell(Carried::unsupported, service.mark, "command of service " + service.name, "a service runs what its image says there");
        services.set(service.name, std::move(one));
    }
    if (!services.empty()) into.set("services", std::move(services));
}

Value write_list(const std::vector<Value>& values, Names& names, const Mark& mark) {
    Array list;
    for (const auto& value : values) list.push_back(value.is_string() ? Value(names.text(value.as_string(), mark)) : value);
    return list;
}

void write_matrix(Names& names, const Job& job, Object& into) {
    Object strategy;
    put_choice(strategy, "fail-fast", names, job.fail_fast, true, job.mark);
    if (job.max_parallel) strategy.set("max-parallel", *job.max_parallel);
    if (job.matrix) {
        const auto& matrix = *job.matrix;
        Object axes;
        for (const auto& axis : matrix.axes)
            axes.set(axis.name, axis.expression.empty() ? write_list(axis.values, names, job.mark) : Value(names.text(axis.expression, job.mark)));
        if (!matrix.include_expression.empty()) axes.set("include", names.text(matrix.include_expression, job.mark));
        else if (!matrix.include.empty()) axes.set("include", write_list(matrix.include, names, job.mark));
        if (!matrix.exclude_expression.empty()) axes.set("exclude", names.text(matrix.exclude_expression, job.mark));
        else if (!matrix.exclude.empty()) axes.set("exclude", write_list(matrix.exclude, names, job.mark));
        strategy.set("matrix", matrix.expression.empty() ? Value(std::move(axes)) : Value(names.text(matrix.expression, job.mark)));
    }
    if (!strategy.empty()) into.set("strategy", std::move(strategy));
}

/// What a condition of ours is as `if`; empty: nothing has to be said.
std::string write_condition(Names& names, const std::string& condition, const Mark& mark) {
    if (condition.empty() || condition == "on_success") return "";
    if (condition == "on_failure") return "failure()";
    if (condition == "always") return "always()";
    return names.expression(condition, mark);
}

Object write_step(Names& names, const Step& step) {
    Object made;
    put(made, "name", names.text(step.name, step.mark));
    put(made, "id", step.id);
    if (step.control != model::StepControl::none) {
        put_choice(made, "continue-on-error", names, step.continue_on_error, false, step.mark);
        if (step.control == model::StepControl::wait && step.parallel == 0) made.set("wait", Array(step.targets.begin(), step.targets.end()));
        if (step.control == model::StepControl::wait_all) made.set("wait-all", Value());
        for (const auto& target : step.targets)
            if (step.control == model::StepControl::cancel) made.set("cancel", target);
        return made;
    }
    put(made, "if", write_condition(names, step.condition, step.mark));
    if (step.background) made.set("background", true);
    if (step.uses.empty()) {
        made.set("run", names.script(step.run, step.mark));
    } else {
        names.tell(Carried::unsupported, step.mark, "uses: " + step.uses, "GitHub does not know our components: write its commands, or an action");
        made.set("run", "echo 'not exported: " + step.uses.substr(0, step.uses.find('\'')) + "' >&2; exit 1");
    }
    put(made, "shell", step.shell);
    put(made, "working-directory", names.text(step.working_directory, step.mark));
    if (!step.env.empty()) made.set("env", write_texts(names, step.env, step.mark));
    put_choice(made, "continue-on-error", names, step.continue_on_error, false, step.mark);
    if (step.timeout) made.set("timeout-minutes", minutes(*step.timeout));
    return made;
}

/// The job's condition and its stage's. A stage that its own condition skips does not hold up what comes after it.
std::string condition_of(Names& names, const Stage& stage, const Job& job) {
    auto first = write_condition(names, stage.condition, stage.mark);
    const auto second = write_condition(names, job.condition, job.mark);
    if (!second.empty()) first = first.empty() ? second : "(" + first + ") && (" + second + ")";
    const bool optional = std::ranges::any_of(names.needs(stage), [&](const Need& need) {
        const auto* other = names.stage(need.stage);
        return need.job.empty() && other && !other->condition.empty() && other->condition != "on_success";
    });
    const bool asks = first.find("always()") != first.npos || first.find("failure()") != first.npos || first.find("success()") != first.npos ||
                      first.find("cancelled()") != first.npos;
    if (!optional || asks) return first;
    return "!failure() && !cancelled()" + (first.empty() ? "" : " && (" + first + ")");
}

void tell_rest(Names& names, const Stage& stage, const Job& job) {
    const auto at = [&](const char* key) -> const Mark& { return job.key_marks.find(key, job.mark); };
    const auto lost = [&](bool there, const char* key, const char* why) {
        if (there) names.tell(Carried::unsupported, at(key), key, why);
    };
    lost(job.retry.has_value() && job.retry->max > 0, "retry", "a job is not tried again by itself there");
    lost(stage.fail_fast && stage.jobs.size() > 1, "parallel", "there a failure only cancels instances of the same matrix");
    lost(!job.allowed_exit_codes.empty(), "allowFailure", "there every failure is allowed, or none");
    lost(job.reports.has_value(), "reports", "use an action that publishes them");
    lost(!job.volumes.empty(), "volumes", "what has to stay goes into a cache");
    lost(job.silence_timeout.has_value(), "silenceTimeout", "only timeout-minutes ends a job");
    lost(job.zone.has_value(), "zone", "choose a runner by its labels: runs-on");
    lost(job.priority.has_value(), "priority", "jobs have none there");
    const auto& resources = job.resources;
    const bool asks = resources.cpu || resources.memory || resources.gpu || resources.storage || resources.pids;
    if (asks) names.tell(Carried::manual, at("resources"), "resources", "choose a runner that has them: runs-on");
    if (job.network == NetworkMode::none) names.tell(Carried::approximated, at("network"), "network: none", "jobs always have a network there");
}

}  // namespace

Object write_texts(Names& names, const Texts& texts, const Mark& mark) {
    Object map;
    for (const auto& [name, text] : texts) map.set(name, names.text(text, mark));
    return map;
}

Object write_concurrency(Names& names, const Concurrency& concurrency, const Mark& mark) {
    Object made;
    made.set("group", names.text(concurrency.group, mark));
    put_choice(made, "cancel-in-progress", names, concurrency.cancel_in_progress, false, mark);
    return made;
}

Object write_job(Names& names, const Stage& stage, const Job& job) {
    Object made;
    const auto& id = names.id(stage, job);
    const auto title = job.title.empty() ? job.name : job.title;
    if (title != id) made.set("name", names.text(title, job.mark));
    Array needs;
    auto all = names.needs(stage);
    all.insert(all.end(), job.needs.begin(), job.needs.end());
    if (!stage.parallel && &job != &stage.jobs.front()) all.push_back({stage.name, (&job - 1)->name, {}});
    for (const auto& need : all)
        for (const auto& other : names.ids(need))
            if (std::find(needs.begin(), needs.end(), Value(other)) == needs.end()) needs.emplace_back(other);
    if (!needs.empty()) made.set("needs", std::move(needs));
    put(made, "if", condition_of(names, stage, job));
    made.set("runs-on", "ubuntu-latest");
    put(made, "environment", names.text(job.environment.empty() ? stage.environment : job.environment, job.mark));
    if (job.image) {
        Object container;
        container.set("image", names.text(job.image->name, job.mark));
        auto flags = write_options(names, job.image->options, job.mark, container);
        if (!job.image->user.empty()) flags += (flags.empty() ? "--user " : " --user ") + quoted(job.image->user);
        put(container, "options", flags);
        if (!job.image->credentials.empty()) names.tell(Carried::manual, job.mark, "credentials of the image", "give the container its credentials");
        if (!job.image->entrypoint.empty()) names.tell(Carried::unsupported, job.mark, "entrypoint of the image", "GitHub replaces it");
        made.set("container", std::move(container));
    }
    write_services(names, job, made);
    write_matrix(names, job, made);
    put_choice(made, "continue-on-error", names, job.allow_failure, false, job.mark);
    if (job.timeout) made.set("timeout-minutes", minutes(*job.timeout));
    if (job.concurrency) made.set("concurrency", write_concurrency(names, *job.concurrency, job.mark));
    auto env = write_texts(names, stage.env, stage.mark);
    for (const auto& [name, text] : job.env) env.set(name, names.text(text, job.mark));
    if (!env.empty()) made.set("env", std::move(env));
    Object run;
    put(run, "shell", job.shell);
    put(run, "working-directory", names.text(job.working_directory, job.mark));
    if (!run.empty()) made.set("defaults", Object{{"run", std::move(run)}});
    if (!job.outputs.empty()) made.set("outputs", write_texts(names, job.outputs, job.mark));
    Array steps;
    if (!job.empty_workspace) steps.push_back(use("actions/checkout@v4", {}));
    write_downloads(names, stage, job, steps);
    write_caches(names, job, steps);
    for (auto& step : list_steps(job.steps, [&](const Step& one) { return Value(write_step(names, one)); })) steps.push_back(std::move(step));
    write_uploads(names, stage, job, steps);
    made.set("steps", std::move(steps));
    tell_rest(names, stage, job);
    return made;
}

}  // namespace cicd::pipeline::github
