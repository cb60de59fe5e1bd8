#pragma once

#include "common/base/time.hpp"

#include <string>
#include <string_view>

/// Texts as a terminal shows them.
namespace cicd::cli::render {

/// Columns that the text takes: UTF-8, wide and combining characters and escape sequences considered.
std::size_t columns(std::string_view text);
/// At most `width` columns, with "…" where something was cut. Escape sequences are kept whole.
std::string fit(std::string_view text, std::size_t width);
/// Filled with spaces up to `width` columns.
std::string padded(std::string text, std::size_t width, bool right = false);

/// Without escape sequences: for NO_COLOR.
std::string without_escapes(std::string_view text);
/// What a terminal would be left with after the line's carriage returns; only colours survive of its escape sequences.
std::string as_one_line(std::string_view text);

/// "12s", "5m", "3h", "4d": how long ago.
std::string age(Milliseconds elapsed);

enum class Tone { plain, bold, dim, red, green, yellow, blue, magenta, cyan };

/// Wraps texts in colours, or leaves them as they are.
struct Paint {
    bool on = false;
    [[nodiscard]] std::string operator()(Tone tone, std::string_view text) const;
};

}  // namespace cicd::cli::render
