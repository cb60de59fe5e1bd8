#pragma once

#include "common/codec/fields.hpp"
#include "common/job/keeping.hpp"

namespace cicd::codec {

template <>
struct Fields<job::CachePlaces> {
    using T = job::CachePlaces;
    static constexpr auto list =
        std::tuple{shown("project", &T::project), shown("read", &T::read), shown("write", &T::write), omitted("whyNotWritten", &T::why_not_written)};
};

}  // namespace cicd::codec
