#include "common/codec/codecs.hpp"
#include "common/codec/page.hpp"

namespace cicd::codec {

template <>
struct Fields<model::PipelineRecord> {
    using T = model::PipelineRecord;
    static constexpr auto list = std::tuple{
        required("id", &T::id), required("name", &T::name), shown("description", &T::description),
        required("status", &T::state), required("version", &T::version), shown("repository", &T::repository),
        shown("file", &T::file), shown("definition", &T::definition), shown("createdBy", &T::created_by),
        required("createdTime", &T::created_time), required("updatedTime", &T::updated_time)};
};

template <>
struct Fields<contract::LogEntry> {
    using T = contract::LogEntry;
    static constexpr auto list =
        std::tuple{required("jobId", &T::job), shown("jobKey", &T::job_key), required("line", &T::line),
                   shown("step", &T::step), required("stream", &T::stream), required("time", &T::time),
                   required("text", &T::text), shown("partial", &T::partial), shown("attempt", &T::attempt)};
};

template <>
struct Fields<contract::DaemonStatus> {
    using T = contract::DaemonStatus;
    static constexpr auto list = std::tuple{
        required("pid", &T::pid), shown("version", &T::version), shown("stateDirectory", &T::state_directory),
        shown("socket", &T::socket), shown("startTime", &T::start_time), shown("runningJobs", &T::running_jobs),
        shown("queuedJobs", &T::queued_jobs), shown("activeRuns", &T::active_runs),
        shown("cpuCapacity", &T::cpu_capacity), shown("memoryCapacity", &T::memory_capacity),
        shown("slots", &T::slots), shown("gpuCapacity", &T::gpu_capacity), shown("accepting", &T::accepting),
        shown("notAcceptingReason", &T::not_accepting_reason), shown("limits", &T::limits)};
};

template <>
struct Fields<contract::CleanUpReport> {
    using T = contract::CleanUpReport;
    static constexpr auto list =
        std::tuple{required("runs", &T::runs), shown("logs", &T::logs), shown("workspaces", &T::workspaces),
                   shown("mirrors", &T::mirrors), required("bytes", &T::bytes), shown("notes", &T::notes)};
};

template <>
struct Fields<contract::BackupReport> {
    using T = contract::BackupReport;
    static constexpr auto list =
        std::tuple{required("path", &T::path), required("sha256", &T::sha256), required("bytes", &T::bytes),
                   shown("runs", &T::runs), shown("logs", &T::logs)};
};

template <>
struct Fields<contract::Image> {
    using T = contract::Image;
    static constexpr auto list =
        std::tuple{required("digest", &T::digest), shown("names", &T::names), shown("source", &T::source),
                   shown("createdTime", &T::created_time), shown("bytes", &T::bytes), shown("files", &T::files),
                   shown("skipped", &T::skipped), shown("env", &T::env), shown("user", &T::user),
                   shown("workingDirectory", &T::working_directory), shown("entrypoint", &T::entrypoint),
                   shown("command", &T::command)};
};

template <>
struct Fields<contract::ImageList> {
    using T = contract::ImageList;
    static constexpr auto list = std::tuple{required("data", &T::data)};
};

template <>
struct Fields<contract::BuildProgress> {
    using T = contract::BuildProgress;
    static constexpr auto list =
        std::tuple{omitted("line", &T::line), omitted("image", &T::image), omitted("error", &T::error)};
};

CICD_CODEC_BY_FIELDS(contract::Image)
CICD_CODEC_BY_FIELDS(contract::BuildProgress)
CICD_CODEC_BY_FIELDS(contract::ImageList)
CICD_CODEC_BY_FIELDS(contract::CleanUpReport)
CICD_CODEC_BY_FIELDS(contract::BackupReport)
CICD_CODEC_BY_FIELDS(model::PipelineRecord)
CICD_CODEC_BY_FIELDS(contract::LogEntry)
CICD_CODEC_BY_FIELDS(contract::DaemonStatus)
CICD_CODEC_BY_FIELDS(contract::Pagination)

template <>
Value encode(const contract::Page<model::PipelineRecord>& page) {
    return write_page(page);
}
template <>
Result<contract::Page<model::PipelineRecord>> decode(const Value& value) {
    return read_page<model::PipelineRecord>(value);
}

}  // namespace cicd::codec
