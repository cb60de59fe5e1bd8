#include "common/base/enum_text.hpp"
#include "common/pipeline/parse.hpp"
#include "common/pipeline/step_controls.hpp"

#include <algorithm>

/// The model in the language's canonical form: shorthands only where they lose nothing. Keys in the language's order.
namespace cicd::pipeline {
namespace {

using namespace model;

void put(Object& o, const char* key, const std::string& text) {
    if (!text.empty()) o.set(key, text);
}
void put(Object& o, const char* key, const Strings& list) {
    if (!list.empty()) o.set(key, Array(list.begin(), list.end()));
}
void put(Object& o, const char* key, const std::vector<Value>& list) {
    if (!list.empty()) o.set(key, Array(list));
}
void put(Object& o, const char* key, const Value& value) {
    if (!value.is_null()) o.set(key, value);
}
void put(Object& o, const char* key, const Texts& texts) {
    if (texts.empty()) return;
    Object map;
    for (const auto& [name, text] : texts) map.set(name, text);
    o.set(key, std::move(map));
}
void put(Object& o, const char* key, const std::vector<std::pair<std::string, Value>>& values) {
    if (values.empty()) return;
    Object map;
    for (const auto& [name, value] : values) map.set(name, value);
    o.set(key, std::move(map));
}
void put(Object& o, const char* key, const std::optional<Milliseconds>& duration) {
    if (duration) o.set(key, format_duration(*duration));
}
void put_size(Object& o, const char* key, const std::optional<std::uint64_t>& bytes) {
    if (bytes) o.set(key, format_size(*bytes));
}
template <class N>
void put_number(Object& o, const char* key, const std::optional<N>& number) {
    if (number) o.set(key, Value(*number));
}
template <class E>
void put_enum(Object& o, const char* key, const std::optional<E>& value) {
    if (value) o.set(key, to_text(*value));
}
void put(Object& o, const char* key, const OrExpression<bool>& choice, bool default_value) {
    if (!choice.expression.empty())
        o.set(key, choice.expression);
    else if (choice.value != default_value)
        o.set(key, choice.value);
}
template <class T, class Export>
void put_list(Object& o, const char* key, const std::vector<T>& list, Export one) {
    if (list.empty()) return;
    Array items;
    items.reserve(list.size());
    for (const auto& element : list) items.push_back(one(element));
    o.set(key, std::move(items));
}

Value trigger(const Trigger& t) {
    Object o;
    o.set("type", to_text(t.type));
    put(o, "id", t.id);
    if (!t.enabled) o.set("enabled", false);
    put(o, "branches", t.branches);
    put(o, "branchesIgnore", t.branches_ignore);
    put(o, "tags", t.tags);
    put(o, "tagsIgnore", t.tags_ignore);
    put(o, "paths", t.paths);
    put(o, "pathsIgnore", t.paths_ignore);
    put(o, "types", t.types);
    put(o, "cron", t.cron);
    put(o, "timezone", t.timezone);
    put(o, "permissions", t.permissions);
    put(o, "pipeline", t.pipeline);
    put(o, "on", t.on);
    if (t.filter) o.set("filter", *t.filter);
    return o;
}

Value parameter(const Parameter& p) {
    Object o;
    o.set("type", to_text(p.type));
    if (p.default_value) o.set("default", *p.default_value);
    put(o, "values", p.values);
    if (p.required) o.set("required", true);
    put(o, "description", p.description);
    return o;
}

Value concurrency(const Concurrency& c) {
    if (c.cancel_in_progress == OrExpression<bool>{}) return c.group;
    Object o;
    o.set("group", c.group);
    put(o, "cancelInProgress", c.cancel_in_progress, false);
    return o;
}

Object container_options(const ContainerOptions& c) {
    Object o;
    put(o, "login", c.login);
    put(o, "volumes", c.volumes);
    put(o, "hostname", c.hostname);
    put(o, "aliases", c.aliases);
    put(o, "hosts", c.hosts);
    put(o, "labels", c.labels);
    put(o, "tmpfs", c.tmpfs);
    put(o, "ulimits", c.ulimits);
    put_number(o, "cpu", c.cpu);
    put_size(o, "memory", c.memory);
    put_size(o, "sharedMemory", c.shared_memory);
    return o;
}

Value image(const Image& i) {
    if (i == Image{i.name, {}, {}, {}, {}, {}}) return i.name;
    Object o;
    o.set("name", i.name);
    put(o, "pull", i.pull);
    put(o, "user", i.user);
    put(o, "entrypoint", i.entrypoint);
    put(o, "credentials", i.credentials);
    if (i.options != ContainerOptions{}) o.set("options", container_options(i.options));
    return o;
}

Value retry(const Retry& r) {
    if (r.on.empty() && r.exit_codes.empty() && r.backoff.count() == 0) return r.max;
    Object o;
    o.set("max", r.max);
    put_list(o, "on", r.on, [](EndReason reason) { return Value(to_text(reason)); });
    put_list(o, "exitCodes", r.exit_codes, [](int code) { return Value(code); });
    if (r.backoff.count() != 0) o.set("backoff", format_duration(r.backoff));
    return o;
}

Object resources(const Resources& r) {
    Object o;
    put_number(o, "cpu", r.cpu);
    put_size(o, "memory", r.memory);
    put_number(o, "gpu", r.gpu);
    put(o, "gpuType", r.gpu_type);
    put_size(o, "storage", r.storage);
    put_number(o, "pids", r.pids);
    return o;
}

Value zone(const ZoneSelector& z) {
    if (z.labels.empty() && !z.strategy && !z.name.empty()) return z.name;
    Object o;
    put(o, "name", z.name);
    put(o, "labels", z.labels);
    put_enum(o, "strategy", z.strategy);
    return o;
}

Value cache(const Cache& c) {
    Object o;
    o.set("key", c.key);
    put(o, "restoreKeys", c.restore_keys);
    put(o, "paths", c.paths);
    put(o, "scope", c.scope);
    put(o, "policy", c.policy);
    put(o, "ttl", c.ttl);
    return o;
}

Value artifact(const Artifact& a) {
    Object o;
    o.set("name", a.name);
    put(o, "paths", a.paths);
    put(o, "exclude", a.exclude);
    put(o, "type", a.type);
    put(o, "retention", a.retention);
    if (a.when != ArtifactWhen::on_success) o.set("when", to_text(a.when));
    return o;
}

Value service(const Service& s) {
    Service plain;
    plain.name = s.name;
    plain.image = s.image;
    if (s == plain) return s.image;
    Object o;
    put(o, "image", s.image);
    put(o, "user", s.user);
    put(o, "entrypoint", s.entrypoint);
    put(o, "command", s.command);
    put(o, "workingDirectory", s.working_directory);
    put(o, "ready", s.ready);
    put(o, "readyTimeout", s.ready_timeout);
    put(o, "env", s.env);
    put(o, "ports", s.ports);
    if (s.options != ContainerOptions{}) o.set("options", container_options(s.options));
    return o;
}

Value volume(const Volume& v) {
    Object o;
    o.set("name", v.name);
    o.set("path", v.path);
    put_size(o, "size", v.size);
    return o;
}

Value reports(const Reports& r) {
    Object o;
    put(o, "junit", r.junit);
    put(o, "sarif", r.sarif);
    if (r.coverage) {
        Object c;
        put(c, "cobertura", r.coverage->cobertura);
        put(c, "lcov", r.coverage->lcov);
        put(c, "jacoco", r.coverage->jacoco);
        put(c, "clover", r.coverage->clover);
        put_number(c, "threshold", r.coverage->threshold);
        o.set("coverage", std::move(c));
    }
    put(o, "dotenv", r.dotenv);
    return o;
}

Value matrix(const Matrix& m) {
    if (!m.expression.empty()) return m.expression;
    Object o;
    for (const auto& axis : m.axes)
        o.set(axis.name, axis.expression.empty() ? Value(Array(axis.values)) : Value(axis.expression));
    put(o, "include", m.include);
    put(o, "include", m.include_expression);
    put(o, "exclude", m.exclude);
    put(o, "exclude", m.exclude_expression);
    return o;
}

bool is_command(const Step& s) {
    return !s.run.empty() && s == Step{.run = s.run};
}

Value step(const Step& s) {
    if (is_command(s)) return s.run;
    Object o;
    put(o, "id", s.id);
    put(o, "name", s.name);
    put(o, "condition", s.condition);
    put(o, "uses", s.uses);
    put(o, "with", s.with);
    put(o, "shell", s.shell);
    put(o, "workingDirectory", s.working_directory);
    put(o, "env", s.env);
    put(o, "continueOnError", s.continue_on_error, false);
    put(o, "timeout", s.timeout);
    put(o, "run", s.run);
    if (s.background) o.set("background", true);
    if (s.control == StepControl::wait && s.parallel == 0) o.set("wait", Array(s.targets.begin(), s.targets.end()));
    if (s.control == StepControl::wait_all) o.set("waitAll", true);
    if (s.control == StepControl::cancel) o.set("cancel", s.targets.empty() ? "" : s.targets.front());
    return o;
}

void put_steps(Object& o, const std::vector<Step>& steps) {
    if (!steps.empty()) o.set("steps", list_steps(steps, step));
}

/// Inside a stage a bare name is first a job of that stage; only then is the map form needed.
Value need(const Need& n, const Stage* own) {
    if (!n.job.empty()) return n.stage + "." + n.job;
    const auto hides = [&](const Job& job) { return job.name == n.stage; };
    if (!own || std::none_of(own->jobs.begin(), own->jobs.end(), hides)) return n.stage;
    Object o;
    o.set("stage", n.stage);
    return o;
}

Array needs(const std::vector<Need>& all, const Stage* own) {
    Array listed;
    for (const auto& each : all) listed.push_back(need(each, own));
    return listed;
}

/// What a job says beyond its own name, needs, condition, environment and timeout: this may also stand on its stage.
void put_settings(Object& o, const Job& j) {
    put(o, "labels", j.labels);
    if (j.image) o.set("image", image(*j.image));
    put_enum(o, "executor", j.executor);
    put_enum(o, "network", j.network);
    put_enum(o, "system", j.system);
    if (auto r = resources(j.resources); !r.empty()) o.set("resources", std::move(r));
    if (j.zone) o.set("zone", zone(*j.zone));
    put_enum(o, "priority", j.priority);
    put(o, "silenceTimeout", j.silence_timeout);
    if (j.fail_on_silence) o.set("failOnSilence", true);
    put_number(o, "gitDepth", j.git_depth);
    if (j.retry) o.set("retry", retry(*j.retry));
    put(o, "allowFailure", j.allow_failure, false);
    if (!j.allowed_exit_codes.empty() && j.allow_failure == model::OrExpression<bool>{})
        o.set("allowFailure", Object{{"exitCodes", Array(j.allowed_exit_codes.begin(), j.allowed_exit_codes.end())}});
    if (j.concurrency) o.set("concurrency", concurrency(*j.concurrency));
    if (j.reuse) o.set("reuse", true);
    if (j.matrix) o.set("matrix", matrix(*j.matrix));
    put(o, "failFast", j.fail_fast, true);
    put_number(o, "maxParallel", j.max_parallel);
    put_list(o, "cache", j.cache, cache);
    if (!j.services.empty()) {
        Object services;
        for (const auto& s : j.services) services.set(s.name, service(s));
        o.set("services", std::move(services));
    }
    put_list(o, "volumes", j.volumes, volume);
    put(o, "shell", j.shell);
    put(o, "workingDirectory", j.working_directory);
}

void put_results(Object& o, const Job& j, const Stage& stage) {
    put_list(o, "artifacts", j.artifacts, artifact);
    if (j.artifacts_from) o.set("artifactsFrom", needs(*j.artifacts_from, &stage));
    if (j.reports) o.set("reports", reports(*j.reports));
    put(o, "outputs", j.outputs);
}

Value job(const Job& j, const Stage& stage) {
    Object o;
    put(o, "description", j.description);
    put_list(o, "needs", j.needs, [&](const Need& n) { return need(n, &stage); });
    put(o, "condition", j.condition);
    put(o, "timeout", j.timeout);
    put(o, "environment", j.environment);
    put_settings(o, j);
    put(o, "env", j.env);
    put_steps(o, j.steps);
    put_results(o, j, stage);
    return o;
}

/// Whether the stage can be written without `jobs`.
bool is_short(const Stage& s) {
    if (s.jobs.size() != 1 || s.jobs[0].name != s.name || s.fail_fast) return false;  // `parallel` splits commands
    const Job& j = s.jobs[0];
    return j.description.empty() && j.needs.empty() && j.condition.empty() && !j.timeout && j.environment.empty() &&
           j.env.empty();
}

void put_jobs(Object& o, const Stage& s) {
    if (s.jobs.empty()) return;
    if (is_short(s)) {
        const Job& only = s.jobs[0];
        put_settings(o, only);
        const bool commands = std::all_of(only.steps.begin(), only.steps.end(), is_command);
        if (commands) put_list(o, "commands", only.steps, step);
        else put_steps(o, only.steps);
        put_results(o, only, s);
        return;
    }
    Object jobs;
    for (const auto& j : s.jobs) jobs.set(j.name, job(j, s));
    o.set("jobs", std::move(jobs));
}

Value gate(const Gate& g) {
    Object o;
    if (g.type != "approval") put(o, "type", g.type);
    o.set("approvals", g.approvals);
    put(o, "roles", g.roles);
    put(o, "users", g.users);
    put(o, "expires", g.expires);
    put(o, "condition", g.condition);
    put(o, "message", g.message);
    return o;
}

Value deploy(const Deploy& d) {
    Object o;
    put(o, "artifact", d.artifact);
    put(o, "strategy", d.strategy);
    put(o, "rollback", d.rollback);
    put(o, "target", d.target);
    put(o, "validation", d.validation);
    return o;
}

Value stage(const Stage& s) {
    Object o;
    o.set("name", s.name);
    put(o, "description", s.description);
    if (s.needs) o.set("needs", needs(*s.needs, nullptr));
    put(o, "condition", s.condition);
    if (!s.parallel) o.set("parallel", false);
    else if (s.fail_fast) o.set("parallel", Object{{"failFast", true}});
    put(o, "timeout", s.timeout);
    put(o, "environment", s.environment);
    if (s.gate) o.set("gate", gate(*s.gate));
    put(o, "env", s.env);
    put_jobs(o, s);
    if (s.deploy) o.set("deploy", deploy(*s.deploy));
    return o;
}

Value include(const Include& i) {
    if (i.template_name.empty() && i.with.empty()) return i.path;
    Object o;
    put(o, "path", i.path);
    if (!i.template_name.empty()) o.set("template", i.template_name + "@" + i.version);
    put(o, "with", i.with);
    return o;
}

Object notifications(const Notifications& n) {
    Object o;
    put(o, "onStart", n.on_start);
    put(o, "onSuccess", n.on_success);
    put(o, "onFailure", n.on_failure);
    put(o, "onCancelled", n.on_cancelled);
    put(o, "onBlocked", n.on_blocked);
    return o;
}

}  // namespace

Value export_value(const Pipeline& p) {
    Object o;
    o.set("name", p.name);
    put(o, "description", p.description);
    put_list(o, "include", p.includes, include);
    put_list(o, "triggers", p.triggers, trigger);
    if (!p.parameters.empty()) {
        Object parameters;
        for (const auto& each : p.parameters) parameters.set(each.name, parameter(each));
        o.set("parameters", std::move(parameters));
    }
    put(o, "env", p.env);
    if (p.concurrency) o.set("concurrency", concurrency(*p.concurrency));
    put(o, "timeout", p.timeout);
    put_enum(o, "priority", p.priority);
    if (p.shared_workspace) o.set("workspace", "shared");
    put_list(o, "stages", p.stages, stage);
    if (auto n = notifications(p.notifications); !n.empty()) o.set("notifications", std::move(n));
    return o;
}

std::string export_yaml(const Pipeline& pipeline) {
    return to_yaml(export_value(pipeline));
}

}  // namespace cicd::pipeline
