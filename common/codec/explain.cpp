#include "common/codec/codecs.hpp"
#include "common/codec/fields.hpp"

namespace cicd::codec {

template <>
struct Fields<contract::Cause> {
    using T = contract::Cause;
    static constexpr auto list = std::tuple{required("kind", &T::kind), required("text", &T::text),
                                            shown("facts", &T::facts), shown("remedy", &T::remedy)};
};

template <>
struct Fields<contract::JobExplanation> {
    using T = contract::JobExplanation;
    static constexpr auto list =
        std::tuple{required("jobId", &T::job), required("key", &T::key), required("status", &T::state),
                   required("verdict", &T::verdict), required("causes", &T::causes)};
};

template <>
struct Fields<contract::Explanation> {
    using T = contract::Explanation;
    static constexpr auto list =
        std::tuple{required("runId", &T::run), required("status", &T::state), required("verdict", &T::verdict),
                   required("causes", &T::causes), required("jobs", &T::jobs)};
};

CICD_CODEC_BY_FIELDS(contract::Explanation)

}  // namespace cicd::codec
