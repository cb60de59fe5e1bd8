#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>

namespace cicd::pipeline::gitlab {

/// Whether a regular expression, written as /pattern/flags, is found in a text. Bounded in time and room.
Result<bool> matches(std::string_view written, std::string_view text);
/// Whether a text looks like /pattern/flags.
bool is_pattern(std::string_view text);

}  // namespace cicd::pipeline::gitlab
