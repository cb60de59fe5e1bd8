#include "common/codec/codecs.hpp"
#include "common/codec/run_fields.hpp"

namespace cicd::codec {

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

CICD_CODEC_BY_FIELDS(model::Usage)
CICD_CODEC_BY_FIELDS(model::StepRun)

}  // namespace cicd::codec
