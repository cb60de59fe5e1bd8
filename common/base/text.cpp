#include "common/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace cicd {
namespace {

// Optimal string alignment: insertions, deletions, substitutions and transpositions of neighbours cost one each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                current[j] = std::min(current[j], before[j - 2] + 1);
        }
        std::swap(before, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

// Length of the well-formed sequence at the start of `text`, or 0; `wrong` is then the length of the ill-formed part.
std::size_t sequence_length(std::string_view text, std::size_t& wrong) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto lead = at(0);
    wrong = 1;
    if (lead < 0x80) return 1;
    std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    std::uint8_t low = 0x80, high = 0xBF;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    for (std::size_t i = 1; i < length; ++i) {
        if (i >= text.size() || at(i) < low || at(i) > high) {
            wrong = i;
            return 0;
        }
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
    const auto lower = to_lower(word.substr(0, 64));
    std::size_t best = std::max<std::size_t>(1, lower.size() / 3) + 1;
    std::optional<std::string> found;
    for (const auto& candidate : candidates) {
        if (candidate.size() > 64 || candidate == word) continue;
        const auto distance = edit_distance(lower, to_lower(candidate));
        if (distance < best && distance < candidate.size()) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
    const auto near = nearest(word, candidates);
    return near ? "did you mean '" + *near + "'?" : "";
}

bool is_valid_utf8(std::string_view text) {
    for (std::size_t i = 0, wrong = 0; i < text.size();) {
        const auto length = sequence_length(text.substr(i), wrong);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

std::string to_valid_utf8(std::string_view text) {
    if (is_valid_utf8(text)) return std::string(text);
    std::string valid;
    valid.reserve(text.size() + 16);
    for (std::size_t i = 0, wrong = 0; i < text.size();) {
        const auto length = sequence_length(text.substr(i), wrong);
        if (length == 0) {
            valid += "\xEF\xBF\xBD";
            i += wrong;
        } else {
            valid.append(text.substr(i, length));
            i += length;
        }
    }
    return valid;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t start = 0;;) {
        const auto end = text.find(separator, start);
        parts.emplace_back(text.substr(start, end == std::string_view::npos ? end : end - start));
        if (end == std::string_view::npos) return parts;
        start = end + 1;
    }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
    std::string text;
    for (const auto& part : parts) {
        if (&part != parts.data()) text += separator;
        text += part;
    }
    return text;
}

std::optional<int> to_integer(std::string_view text) {
    int number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    return fault == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n\v\f";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return text.substr(text.size());  // callers count its place in the text
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (auto& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

}  // namespace cicd
