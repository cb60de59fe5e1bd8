#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::pipeline::gitlab {

/// What a regular expression asks of a text, where that is no more than fixed texts in it: all that is said must hold.
struct Shape {
    bool whole = false;               ///< the text is `begin`
    std::string begin, end, within;   ///< it begins, ends with this; it holds this
    bool more = false;                ///< it has more than `begin` and `end`
    bool operator==(const Shape&) const = default;
};
/// The shapes of which any is enough, of /pattern/flags; nothing where the pattern asks for more than shapes can say.
std::optional<std::vector<Shape>> shapes_of(std::string_view pattern);
/// One of these is what a text that matches begins with; none where that cannot be told.
std::vector<std::string> beginnings_of(std::string_view pattern);

}  // namespace cicd::pipeline::gitlab
