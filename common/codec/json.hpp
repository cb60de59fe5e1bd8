#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"

#include <string>
#include <string_view>

namespace cicd::codec {

/// Strict JSON (RFC 8259), depth at most 64. Fails with line and column.
Result<Value> parse_json(std::string_view text);
/// Compact for indent < 0. Integral numbers are written without a fraction; invalid UTF-8 as U+FFFD.
std::string to_json(const Value& value, int indent = -1);

/// `encode` gives the wire shape of a type; `decode` reads it back. A type without them does not link.
template <class T>
Value encode(const T& value);
template <class T>
Result<T> decode(const Value& value);

}  // namespace cicd::codec
