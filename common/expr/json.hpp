#pragma once

#include "common/base/value.hpp"

#include <string>
#include <string_view>
#include <variant>

/// The JSON that `fromJSON` reads and `toJSON` writes: RFC 8259 to the letter, two spaces of indentation.
namespace cicd::expr {

/// Where and why a text is no JSON.
struct JsonFault {
    std::size_t offset = 0;
    std::string why;
};

constexpr int deepest_json = 128;

std::variant<Value, JsonFault> read_json(std::string_view text);
/// A value nested too deeply for `read_json` is cut off with null.
std::string write_json(const Value& value);

}  // namespace cicd::expr
