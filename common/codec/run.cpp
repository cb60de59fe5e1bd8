#include "common/codec/codecs.hpp"
#include "common/codec/page.hpp"
#include "common/codec/plan_fields.hpp"
#include "common/codec/run_fields.hpp"

namespace cicd::codec {

template <>
struct Fields<model::RunEvent> {
    using T = model::RunEvent;
    static constexpr auto list = std::tuple{
        required("seq", &T::seq), required("runId", &T::run), required("time", &T::time), required("type", &T::type),
        omitted("stage", &T::stage), omitted("jobKey", &T::job_key), omitted("jobId", &T::job),
        shown("status", &T::state), omitted("step", &T::step), omitted("name", &T::name),
        shown("exitCode", &T::exit_code), shown("endReason", &T::end_reason), omitted("attempt", &T::attempt),
        omitted("message", &T::message), omitted("durationMs", &T::duration_ms),
        omitted("allowFailure", &T::allow_failure)};
};

void write_duration(Object& object, const std::optional<Timestamp>& start, const std::optional<Timestamp>& end) {
    const bool known = start && end;
    object.set("duration", known ? Value(humanize_duration(*end - *start)) : Value());
    object.set("durationMs", known ? write((*end - *start).count()) : Value());
}

Value write(const model::StepRun& step) {
    Object object;
    write_fields(object, step);
    write_duration(object, step.start_time, step.end_time);
    return object;
}

Value write(const model::StageRun& stage) {
    Object object;
    write_fields(object, stage);
    write_duration(object, stage.start_time, stage.end_time);
    return object;
}

Value write(const model::JobRun& job) {
    Object object;
    write_fields(object, job);
    write_duration(object, job.start_time, job.end_time);
    return object;
}

Value write(const model::Run& run) {
    Object object;
    write_fields(object, run);
    if (run.pipeline_id.empty()) object.set("pipelineId", nullptr);
    write_duration(object, run.start_time, run.end_time);
    object.set("triggeredBy", Object{{"type", write(run.event.type)},
                                     {"user", run.triggered_by},
                                     {"commit", run.source.commit},
                                     {"branch", run.source.branch.empty() ? run.event.branch : run.source.branch}});
    return object;
}

Result<void> read(const Value& value, model::Run& out, const Path& path) {
    CICD_CHECK(read_fields(value, out, path));
    const Path trigger{&path, "triggeredBy"};
    if (const Value& by = value["triggeredBy"]; !by.is_null()) {
        CICD_CHECK(as_object(by, trigger));
        if (!by["user"].is_null()) CICD_CHECK(read(by["user"], out.triggered_by, Path{&trigger, "user"}));
    }
    return {};
}

CICD_CODEC_BY_FIELDS(model::Usage)
CICD_CODEC_BY_FIELDS(model::StepRun)
CICD_CODEC_BY_FIELDS(model::JobArtifact)
CICD_CODEC_BY_FIELDS(model::JobCache)
CICD_CODEC_BY_FIELDS(model::JobInputs)
CICD_CODEC_BY_FIELDS(model::ArtifactRecord)
CICD_CODEC_BY_FIELDS(model::StageRun)
CICD_CODEC_BY_FIELDS(model::JobRun)
CICD_CODEC_BY_FIELDS(model::Run)

template <>
Value encode(const model::RunEvent& event) {
    Object object{{"schemaVersion", 1}};
    write_fields(object, event);
    return object;
}
template <>
Result<model::RunEvent> decode(const Value& value) {
    return read_whole<model::RunEvent>(value);
}

template <>
Value encode(const contract::Page<model::Run>& page) {
    return write_page(page);
}
template <>
Result<contract::Page<model::Run>> decode(const Value& value) {
    return read_page<model::Run>(value);
}
template <>
Value encode(const contract::Page<model::ArtifactRecord>& page) {
    return write_page(page);
}
template <>
Result<contract::Page<model::ArtifactRecord>> decode(const Value& value) {
    return read_page<model::ArtifactRecord>(value);
}
template <>
Value encode(const contract::Page<model::JobRun>& page) {
    return write_page(page);
}
template <>
Result<contract::Page<model::JobRun>> decode(const Value& value) {
    return read_page<model::JobRun>(value);
}

}  // namespace cicd::codec
