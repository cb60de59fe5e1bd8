#pragma once

#include "common/codec/fields.hpp"
#include "common/model/run.hpp"

namespace cicd::codec {

template <>
struct Fields<model::Usage> {
    using T = model::Usage;
    static constexpr auto list =
        std::tuple{shown("cpuMs", &T::cpu_ms), shown("peakMemory", &T::peak_memory), shown("wallMs", &T::wall_ms)};
};

template <>
struct Fields<model::StepRun> {
    using T = model::StepRun;
    static constexpr auto list =
        std::tuple{required("index", &T::index), shown("id", &T::id), shown("name", &T::name),
                   required("status", &T::state), shown("startTime", &T::start_time), shown("endTime", &T::end_time),
                   shown("exitCode", &T::exit_code), shown("endReason", &T::end_reason), shown("message", &T::message),
                   shown("usage", &T::usage)};
};

/// `duration` for people and `durationMs`, both null until both times are known.
void write_duration(Object& object, const std::optional<Timestamp>& start, const std::optional<Timestamp>& end);

}  // namespace cicd::codec
