#pragma once

#include <string>
#include <string_view>

namespace cicd::codec {

/// The text as a JSON string with its quotes; invalid UTF-8 as U+FFFD.
void append_json_string(std::string_view text, std::string& out);

}  // namespace cicd::codec
