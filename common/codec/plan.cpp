#include "common/codec/codecs.hpp"
#include "common/codec/pipeline_fields.hpp"
#include "common/codec/plan_fields.hpp"

namespace cicd::codec {

template <>
struct Fields<model::Reason> {
    using T = model::Reason;
    static constexpr auto list = std::tuple{required("decision", &T::decision), omitted("text", &T::text)};
};

template <>
struct Fields<model::PlannedJob> {
    using T = model::PlannedJob;
    static constexpr auto list =
        std::tuple{required("key", &T::key), required("name", &T::name), required("base", &T::base),
                   required("stage", &T::stage), omitted("matrix", &T::matrix),
                   omitted("matrixIndex", &T::matrix_index), omitted("matrixTotal", &T::matrix_total),
                   required("reason", &T::reason), required("job", &T::job), omitted("expandLater", &T::expand_later)};
};

template <>
struct Fields<model::PlannedStage> {
    using T = model::PlannedStage;
    static constexpr auto list =
        std::tuple{required("name", &T::name), shown("needs", &T::needs), omitted("condition", &T::condition),
                   omitted("parallel", &T::parallel), omitted("failFast", &T::fail_fast), omitted("timeout", &T::timeout), omitted("env", &T::env),
                   omitted("environment", &T::environment), omitted("outputs", &T::outputs), required("reason", &T::reason)};
};

template <>
struct Fields<model::Plan> {
    using T = model::Plan;
    static constexpr auto list =
        std::tuple{omitted("dialect", &T::dialect), required("pipeline", &T::pipeline), required("event", &T::event), required("source", &T::source),
                   required("trigger", &T::trigger), shown("params", &T::params), omitted("env", &T::env), omitted("actions", &T::actions),
                   omitted("fetched", &T::fetched),
                   omitted("concurrency", &T::concurrency), omitted("timeout", &T::timeout),
                   shown("priority", &T::priority), omitted("sharedWorkspace", &T::shared_workspace), omitted("noReuse", &T::no_reuse),
                   omitted("notifications", &T::notifications), required("stages", &T::stages),
                   required("jobs", &T::jobs), shown("notices", &T::notices)};
};

CICD_CODEC_BY_FIELDS(model::Event)
CICD_CODEC_BY_FIELDS(model::Source)
CICD_CODEC_BY_FIELDS(model::Plan)

}  // namespace cicd::codec
