#pragma once

#include "common/codec/fields.hpp"
#include "common/model/job_spec.hpp"
#include "common/model/run.hpp"

namespace cicd::codec {

template <>
struct Fields<model::Usage> {
    using T = model::Usage;
    static constexpr auto list =
        std::tuple{shown("cpuMs", &T::cpu_ms), shown("peakMemory", &T::peak_memory), shown("wallMs", &T::wall_ms)};
};

template <>
struct Fields<model::Annotation> {
    using T = model::Annotation;
    static constexpr auto list =
        std::tuple{required("level", &T::level), required("message", &T::message), omitted("title", &T::title),
                   omitted("file", &T::file), omitted("line", &T::line), omitted("column", &T::column),
                   omitted("endLine", &T::end_line), omitted("endColumn", &T::end_column)};
};

template <>
struct Fields<model::StepRun> {
    using T = model::StepRun;
    static constexpr auto list =
        std::tuple{required("index", &T::index), shown("id", &T::id), shown("name", &T::name),
                   required("status", &T::state), shown("startTime", &T::start_time), shown("endTime", &T::end_time),
                   shown("exitCode", &T::exit_code), shown("endReason", &T::end_reason), shown("message", &T::message),
                   shown("usage", &T::usage), omitted("annotations", &T::annotations)};
};

template <>
struct Fields<model::StageRun> {
    using T = model::StageRun;
    static constexpr auto list =
        std::tuple{required("name", &T::name), required("status", &T::state), shown("startTime", &T::start_time),
                   shown("endTime", &T::end_time), shown("message", &T::message)};
};

template <>
struct Fields<model::NeededArtifact> {
    using T = model::NeededArtifact;
    static constexpr auto list =
        std::tuple{required("jobKey", &T::job_key), required("name", &T::name), required("digest", &T::digest)};
};

template <>
struct Fields<model::JobArtifact> {
    using T = model::JobArtifact;
    static constexpr auto list =
        std::tuple{required("name", &T::name), omitted("type", &T::type), required("digest", &T::digest),
                   required("size", &T::size), required("files", &T::files), omitted("retention", &T::retention)};
};

template <>
struct Fields<model::JobCache> {
    using T = model::JobCache;
    static constexpr auto list =
        std::tuple{required("key", &T::key), required("hit", &T::hit), omitted("matched", &T::matched),
                   shown("reason", &T::reason), omitted("size", &T::size), shown("saved", &T::saved)};
};

template <>
struct Fields<model::ArtifactRecord> {
    using T = model::ArtifactRecord;
    static constexpr auto list = std::tuple{
        required("id", &T::id), required("runId", &T::run), required("jobId", &T::job), shown("jobKey", &T::job_key),
        shown("attempt", &T::attempt), required("name", &T::name), shown("type", &T::type), required("digest", &T::digest),
        required("size", &T::size), required("files", &T::files), shown("createdTime", &T::created_time),
        shown("expireTime", &T::expire_time), shown("createdBy", &T::created_by)};
};

template <>
struct Fields<model::JobInputs> {
    using T = model::JobInputs;
    static constexpr auto list = std::tuple{shown("digest", &T::digest), omitted("parts", &T::parts),
                                            shown("decision", &T::decision), omitted("from", &T::from)};
};

template <>
struct Fields<model::JobRun> {
    using T = model::JobRun;
    static constexpr auto list =
        std::tuple{required("id", &T::id), required("runId", &T::run), shown("key", &T::key), shown("name", &T::name),
                   shown("stage", &T::stage), required("status", &T::state), shown("attempt", &T::attempt),
                   omitted("image", &T::image), shown("allowFailure", &T::allow_failure), shown("priority", &T::priority),
                   shown("notBefore", &T::not_before), shown("createdTime", &T::created_time),
                   shown("queuedTime", &T::queued_time), shown("startTime", &T::start_time),
                   shown("endTime", &T::end_time), shown("exitCode", &T::exit_code),
                   shown("endReason", &T::end_reason), shown("message", &T::message), shown("outputs", &T::outputs),
                   shown("usage", &T::usage), shown("steps", &T::steps),
                   omitted("artifacts", &T::artifacts), omitted("caches", &T::caches), omitted("inputs", &T::inputs)};
};

/// `triggeredBy` besides: a summary of who and what, made from `event` and `source`.
template <>
struct Fields<model::Run> {
    using T = model::Run;
    static constexpr auto list = std::tuple{
        required("id", &T::id), required("number", &T::number), shown("pipelineId", &T::pipeline_id),
        shown("pipeline", &T::pipeline), shown("pipelineVersion", &T::pipeline_version), required("status", &T::state),
        shown("priority", &T::priority), shown("event", &T::event), shown("source", &T::source), shown("createdTime", &T::created_time),
        shown("startTime", &T::start_time), shown("endTime", &T::end_time), shown("message", &T::message),
        shown("retryOf", &T::retry_of), shown("stages", &T::stages), shown("jobs", &T::jobs)};
};

/// `duration` for people and `durationMs`, both null until both times are known.
void write_duration(Object& object, const std::optional<Timestamp>& start, const std::optional<Timestamp>& end);

}  // namespace cicd::codec
