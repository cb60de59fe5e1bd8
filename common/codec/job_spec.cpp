#include "common/codec/codecs.hpp"
#include "common/codec/pipeline_fields.hpp"
#include "common/codec/plan_fields.hpp"
#include "common/codec/run_fields.hpp"

namespace cicd::codec {

template <>
struct Fields<model::JobLimits> {
    using T = model::JobLimits;
    static constexpr auto list =
        std::tuple{omitted("cpu", &T::cpu), size_field("memory", &T::memory), omitted("pids", &T::pids),
                   size_field("storage", &T::storage), omitted("gpu", &T::gpu)};
};

template <>
struct Fields<model::RootImage> {
    using T = model::RootImage;
    static constexpr auto list =
        std::tuple{shown("name", &T::name), required("digest", &T::digest), required("path", &T::path),
                   omitted("env", &T::env), required("user", &T::user), required("group", &T::group),
                   omitted("userName", &T::user_name), omitted("home", &T::home)};
};

template <>
struct Fields<model::JobService> {
    using T = model::JobService;
    static constexpr auto list =
        std::tuple{required("service", &T::service), omitted("root", &T::root), omitted("entrypoint", &T::entrypoint),
                   omitted("command", &T::command), omitted("workingDirectory", &T::working_directory)};
};

template <>
struct Fields<model::JobSpec> {
    using T = model::JobSpec;
    static constexpr auto list = std::tuple{
        required("version", &T::version), omitted("dialect", &T::dialect), required("job", &T::job), required("run", &T::run),
        required("key", &T::key), shown("name", &T::name), shown("stage", &T::stage),
        required("attempt", &T::attempt), required("executor", &T::executor), required("network", &T::network),
        omitted("system", &T::system),
        required("workspace", &T::workspace), omitted("workspaceLayers", &T::workspace_layers),
        omitted("image", &T::image), omitted("root", &T::root), omitted("imageFiles", &T::image_files),
        omitted("engine", &T::engine), omitted("mountable", &T::mountable), omitted("realWorkspace", &T::real_workspace), omitted("services", &T::services),
        omitted("cache", &T::cache), omitted("store", &T::store),
        shown("contexts", &T::contexts), omitted("env", &T::env),
        omitted("shell", &T::shell), omitted("workingDirectory", &T::working_directory), required("steps", &T::steps),
        omitted("actions", &T::actions), omitted("fetched", &T::fetched),
        omitted("secrets", &T::secrets), omitted("outputs", &T::outputs), omitted("timeout", &T::timeout),
        omitted("silenceTimeout", &T::silence_timeout), omitted("failOnSilence", &T::fail_on_silence), omitted("gitDepth", &T::git_depth),
        omitted("grace", &T::grace), omitted("limits", &T::limits),
        omitted("needed", &T::needed), omitted("artifacts", &T::artifacts), omitted("caches", &T::caches)};
};

template <>
struct Fields<model::JournalEntry> {
    using T = model::JournalEntry;
    static constexpr auto list = std::tuple{
        required("type", &T::type), required("time", &T::time), omitted("step", &T::step), omitted("name", &T::name),
        shown("status", &T::state), omitted("exitCode", &T::exit_code), omitted("endReason", &T::end_reason),
        omitted("message", &T::message), omitted("usage", &T::usage), omitted("pid", &T::pid)};
};

template <>
struct Fields<model::JobExit> {
    using T = model::JobExit;
    static constexpr auto list =
        std::tuple{required("status", &T::state), shown("exitCode", &T::exit_code),
                   shown("endReason", &T::end_reason), shown("message", &T::message),
                   required("startTime", &T::start_time), required("endTime", &T::end_time),
                   shown("outputs", &T::outputs), shown("usage", &T::usage), shown("steps", &T::steps),
                   omitted("artifacts", &T::artifacts), omitted("caches", &T::caches)};
};

CICD_CODEC_BY_FIELDS(model::JobSpec)
CICD_CODEC_BY_FIELDS(model::JournalEntry)
CICD_CODEC_BY_FIELDS(model::JobExit)

}  // namespace cicd::codec
