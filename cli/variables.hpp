#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cicd::cli {

/// Lines NAME=VALUE as in `.env` files: `#` begins a comment, `export` may stand before, quotes are taken off, and in double
/// quotes \n, \r, \t, \" and \ are what they mean. Fails at a line that is none of these, with its number.
Result<std::vector<std::pair<std::string, std::string>>> parse_variables(std::string_view text);

}  // namespace cicd::cli
