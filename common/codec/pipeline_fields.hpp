#pragma once

#include "common/codec/fields.hpp"
#include "common/model/pipeline.hpp"

/// The stored shape of definitions: every field, marks included; what holds its default is left out.
namespace cicd::codec {

Result<void> read(const Value& value, model::Mark& out, const Path& path);
Result<void> read(const Value& value, model::OrExpression<bool>& out, const Path& path);

template <>
struct Fields<model::Trigger> {
    using T = model::Trigger;
    static constexpr auto list =
        std::tuple{required("type", &T::type), omitted("enabled", &T::enabled), omitted("id", &T::id),
                   omitted("branches", &T::branches), omitted("branchesIgnore", &T::branches_ignore),
                   omitted("tags", &T::tags), omitted("tagsIgnore", &T::tags_ignore), omitted("paths", &T::paths),
                   omitted("pathsIgnore", &T::paths_ignore), omitted("types", &T::types), omitted("cron", &T::cron),
                   omitted("timezone", &T::timezone), omitted("permissions", &T::permissions),
                   omitted("pipeline", &T::pipeline), omitted("on", &T::on), omitted("filter", &T::filter),
                   omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Parameter> {
    using T = model::Parameter;
    static constexpr auto list =
        std::tuple{required("name", &T::name), omitted("type", &T::type), omitted("description", &T::description),
                   omitted("default", &T::default_value), omitted("values", &T::values),
                   omitted("required", &T::required), omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Concurrency> {
    using T = model::Concurrency;
    static constexpr auto list =
        std::tuple{required("group", &T::group), omitted("cancelInProgress", &T::cancel_in_progress)};
};

template <>
struct Fields<model::Resources> {
    using T = model::Resources;
    static constexpr auto list =
        std::tuple{omitted("cpu", &T::cpu), size_field("memory", &T::memory), omitted("gpu", &T::gpu),
                   omitted("gpuType", &T::gpu_type), size_field("storage", &T::storage), omitted("pids", &T::pids)};
};

template <>
struct Fields<model::Retry> {
    using T = model::Retry;
    static constexpr auto list =
        std::tuple{omitted("max", &T::max), omitted("on", &T::on), omitted("exitCodes", &T::exit_codes),
                   omitted("backoff", &T::backoff)};
};

template <>
struct Fields<model::Cache> {
    using T = model::Cache;
    static constexpr auto list =
        std::tuple{omitted("key", &T::key), omitted("restoreKeys", &T::restore_keys), omitted("paths", &T::paths),
                   omitted("scope", &T::scope), omitted("policy", &T::policy), omitted("ttl", &T::ttl),
                   omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Artifact> {
    using T = model::Artifact;
    static constexpr auto list =
        std::tuple{omitted("name", &T::name), omitted("paths", &T::paths), omitted("exclude", &T::exclude),
                   omitted("type", &T::type), omitted("retention", &T::retention), omitted("when", &T::when),
                   omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Volume> {
    using T = model::Volume;
    static constexpr auto list =
        std::tuple{omitted("name", &T::name), omitted("path", &T::path), size_field("size", &T::size)};
};

template <>
struct Fields<model::ContainerOptions> {
    using T = model::ContainerOptions;
    static constexpr auto list =
        std::tuple{omitted("login", &T::login), omitted("volumes", &T::volumes), omitted("hostname", &T::hostname),
                   omitted("aliases", &T::aliases), omitted("hosts", &T::hosts), omitted("labels", &T::labels),
                   omitted("tmpfs", &T::tmpfs), omitted("ulimits", &T::ulimits), omitted("cpu", &T::cpu),
                   size_field("memory", &T::memory), size_field("sharedMemory", &T::shared_memory)};
};

template <>
struct Fields<model::Service> {
    using T = model::Service;
    static constexpr auto list =
        std::tuple{omitted("name", &T::name), omitted("image", &T::image), omitted("ready", &T::ready),
                   omitted("readyTimeout", &T::ready_timeout), omitted("user", &T::user), omitted("command", &T::command), omitted("env", &T::env), omitted("ports", &T::ports),
                   omitted("mark", &T::mark), omitted("entrypoint", &T::entrypoint), omitted("workingDirectory", &T::working_directory),
                   omitted("options", &T::options)};
};

template <>
struct Fields<model::ZoneSelector> {
    using T = model::ZoneSelector;
    static constexpr auto list =
        std::tuple{omitted("name", &T::name), omitted("labels", &T::labels), omitted("strategy", &T::strategy)};
};

template <>
struct Fields<model::Coverage> {
    using T = model::Coverage;
    static constexpr auto list =
        std::tuple{omitted("cobertura", &T::cobertura), omitted("lcov", &T::lcov), omitted("jacoco", &T::jacoco),
                   omitted("clover", &T::clover), omitted("threshold", &T::threshold)};
};

template <>
struct Fields<model::Reports> {
    using T = model::Reports;
    static constexpr auto list = std::tuple{omitted("junit", &T::junit), omitted("sarif", &T::sarif),
                                            omitted("coverage", &T::coverage), omitted("dotenv", &T::dotenv)};
};

template <>
struct Fields<model::Axis> {
    using T = model::Axis;
    static constexpr auto list = std::tuple{required("name", &T::name), omitted("values", &T::values),
                                            omitted("expression", &T::expression)};
};

template <>
struct Fields<model::Matrix> {
    using T = model::Matrix;
    static constexpr auto list =
        std::tuple{omitted("expression", &T::expression), omitted("axes", &T::axes), omitted("include", &T::include),
                   omitted("exclude", &T::exclude), omitted("includeExpression", &T::include_expression),
                   omitted("excludeExpression", &T::exclude_expression)};
};

template <>
struct Fields<model::Image> {
    using T = model::Image;
    static constexpr auto list =
        std::tuple{required("name", &T::name), omitted("pull", &T::pull), omitted("user", &T::user),
                   omitted("entrypoint", &T::entrypoint), omitted("credentials", &T::credentials),
                   omitted("options", &T::options)};
};

template <>
struct Fields<model::Step> {
    using T = model::Step;
    static constexpr auto list =
        std::tuple{omitted("id", &T::id), omitted("name", &T::name), omitted("run", &T::run),
                   omitted("uses", &T::uses), omitted("with", &T::with), omitted("shell", &T::shell),
                   omitted("workingDirectory", &T::working_directory), omitted("env", &T::env),
                   omitted("condition", &T::condition), omitted("continueOnError", &T::continue_on_error),
                   omitted("timeout", &T::timeout), omitted("timeoutMinutes", &T::timeout_minutes),
                   omitted("background", &T::background), omitted("control", &T::control), omitted("targets", &T::targets),
                   omitted("parallel", &T::parallel), omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Need> {
    using T = model::Need;
    static constexpr auto list =
        std::tuple{required("stage", &T::stage), omitted("job", &T::job), omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Job> {
    using T = model::Job;
    static constexpr auto list = std::tuple{
        required("name", &T::name), omitted("title", &T::title), omitted("description", &T::description), omitted("labels", &T::labels),
        omitted("needs", &T::needs), omitted("condition", &T::condition), omitted("image", &T::image),
        omitted("executor", &T::executor), omitted("network", &T::network), omitted("system", &T::system), omitted("env", &T::env),
        omitted("resources", &T::resources), omitted("cache", &T::cache), omitted("artifacts", &T::artifacts),
        omitted("artifactsFrom", &T::artifacts_from), omitted("services", &T::services), omitted("volumes", &T::volumes), omitted("zone", &T::zone),
        omitted("runsOn", &T::runs_on), omitted("unavailable", &T::unavailable),
        omitted("emptyWorkspace", &T::empty_workspace), omitted("gitDepth", &T::git_depth), omitted("realWorkspace", &T::real_workspace), omitted("timeout", &T::timeout),
        omitted("timeoutMinutes", &T::timeout_minutes), omitted("silenceTimeout", &T::silence_timeout),
        omitted("failOnSilence", &T::fail_on_silence), omitted("retry", &T::retry),
        omitted("allowFailure", &T::allow_failure), omitted("allowedExitCodes", &T::allowed_exit_codes), omitted("matrix", &T::matrix), omitted("failFast", &T::fail_fast),
        omitted("maxParallel", &T::max_parallel), omitted("reports", &T::reports), omitted("outputs", &T::outputs),
        omitted("environment", &T::environment), omitted("shell", &T::shell),
        omitted("workingDirectory", &T::working_directory), omitted("priority", &T::priority),
        omitted("concurrency", &T::concurrency), omitted("reuse", &T::reuse), omitted("steps", &T::steps),
        omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Gate> {
    using T = model::Gate;
    static constexpr auto list =
        std::tuple{omitted("type", &T::type), omitted("approvals", &T::approvals), omitted("roles", &T::roles),
                   omitted("users", &T::users), omitted("expires", &T::expires), omitted("condition", &T::condition),
                   omitted("message", &T::message), omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Deploy> {
    using T = model::Deploy;
    static constexpr auto list =
        std::tuple{omitted("artifact", &T::artifact), omitted("strategy", &T::strategy),
                   omitted("rollback", &T::rollback), omitted("target", &T::target),
                   omitted("validation", &T::validation), omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Stage> {
    using T = model::Stage;
    static constexpr auto list =
        std::tuple{required("name", &T::name), omitted("description", &T::description), omitted("needs", &T::needs),
                   omitted("condition", &T::condition), omitted("parallel", &T::parallel), omitted("failFast", &T::fail_fast),
                   omitted("timeout", &T::timeout), omitted("env", &T::env), omitted("environment", &T::environment),
                   omitted("gate", &T::gate), omitted("deploy", &T::deploy), omitted("jobs", &T::jobs), omitted("outputs", &T::outputs),
                   omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Notifications> {
    using T = model::Notifications;
    static constexpr auto list =
        std::tuple{omitted("onStart", &T::on_start), omitted("onSuccess", &T::on_success),
                   omitted("onFailure", &T::on_failure), omitted("onCancelled", &T::on_cancelled),
                   omitted("onBlocked", &T::on_blocked)};
};

template <>
struct Fields<model::Include> {
    using T = model::Include;
    static constexpr auto list =
        std::tuple{omitted("path", &T::path), omitted("template", &T::template_name), omitted("version", &T::version),
                   omitted("with", &T::with), omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Pipeline> {
    using T = model::Pipeline;
    static constexpr auto list =
        std::tuple{omitted("dialect", &T::dialect), required("name", &T::name), omitted("description", &T::description),
                   omitted("includes", &T::includes), omitted("triggers", &T::triggers),
                   omitted("parameters", &T::parameters), omitted("env", &T::env),
                   omitted("concurrency", &T::concurrency), omitted("timeout", &T::timeout),
                   omitted("priority", &T::priority), omitted("sharedWorkspace", &T::shared_workspace),
                   omitted("stages", &T::stages), omitted("notifications", &T::notifications),
                   omitted("mark", &T::mark)};
};

template <>
struct Fields<model::Component> {
    using T = model::Component;
    static constexpr auto list =
        std::tuple{required("name", &T::name), omitted("description", &T::description), omitted("inputs", &T::inputs),
                   omitted("outputs", &T::outputs), omitted("env", &T::env), omitted("steps", &T::steps),
                   omitted("mark", &T::mark)};
};

}  // namespace cicd::codec
