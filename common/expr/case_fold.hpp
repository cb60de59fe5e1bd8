#pragma once

#include <string>
#include <string_view>

namespace cicd::expr {

/// Upper case, character by character, as the language compares texts.
std::string to_upper(std::string_view text);
/// Whether two texts are the same but for case.
bool same_text(std::string_view a, std::string_view b);

void append_utf8(std::string& text, char32_t character);

}  // namespace cicd::expr
