#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cicd {

/// The candidate nearest to `word` by edit distance (transpositions count one), if it is near enough to be a typo of it.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);
/// "did you mean 'x'?" or "".
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

[[nodiscard]] bool is_valid_utf8(std::string_view text);
/// Invalid sequences replaced by U+FFFD, one for each maximal ill-formed part.
std::string to_valid_utf8(std::string_view text);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string_view trim(std::string_view text);  ///< ASCII white space
std::string to_lower(std::string_view text);   ///< ASCII only
std::optional<int> to_integer(std::string_view text);  ///< all of it, in decimal digits

}  // namespace cicd
