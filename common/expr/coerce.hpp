#pragma once

#include "common/base/value.hpp"

#include <optional>
#include <string_view>

namespace cicd::expr {

/// Neither an array nor an object.
bool is_primitive(const Value& value);
/// A number as a text holds it, white space around it allowed: decimal, 0x, 0o, Infinity; an empty text is 0.
/// NaN for anything else.
double parse_number(std::string_view text);
/// White space at the front of the text, in bytes: that of ECMAScript.
std::size_t space_length(std::string_view text);

bool loosely_equal(const Value& left, const Value& right);
bool less(const Value& left, const Value& right);

}  // namespace cicd::expr
