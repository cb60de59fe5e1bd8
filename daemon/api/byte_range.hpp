#pragma once

#include "daemon/api/http.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace cicd::api {

struct ByteRange {
    std::uint64_t begin = 0, end = 0;  ///< [begin, end)
};

/// RFC 9110, section 14.1.2: one range. Absent: none, or one that is to be ignored. An empty one: not satisfiable.
std::optional<ByteRange> read_range(std::string_view text, std::uint64_t size);

/// The range that the request asks for of a body of that size, all of it where it asks for none; status and header fields
/// of the response are set for it.
ByteRange choose_range(std::string_view asked, std::uint64_t size, Response& response);

}  // namespace cicd::api
