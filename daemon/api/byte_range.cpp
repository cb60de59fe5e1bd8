#include "daemon/api/byte_range.hpp"

#include <algorithm>
#include <charconv>

namespace cicd::api {

std::optional<ByteRange> read_range(std::string_view text, std::uint64_t size) {
    constexpr std::string_view unit = "bytes=";
    if (!text.starts_with(unit)) return std::nullopt;
    text.remove_prefix(unit.size());
    const auto dash = text.find('-');
    if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return std::nullopt;
    const auto number = [](std::string_view digits, std::uint64_t& out) {
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
        return error == std::errc{} && end == digits.data() + digits.size();
    };
    const auto first = text.substr(0, dash), last = text.substr(dash + 1);
    std::uint64_t from = 0, to = 0;
    if (first.empty()) {
        if (!number(last, to)) return std::nullopt;
        return ByteRange{size - std::min(size, to), size};
    }
    if (!number(first, from) || (!last.empty() && (!number(last, to) || to < from))) return std::nullopt;
    if (from >= size) return ByteRange{};
    return ByteRange{from, last.empty() ? size : std::min(size, to + 1)};
}

ByteRange choose_range(std::string_view asked, std::uint64_t size, Response& response) {
    response.headers.emplace_back("Accept-Ranges", "bytes");
    ByteRange range{0, size};
    if (const auto wanted = read_range(asked, size)) {
        range = *wanted;
        response.status = range.begin < range.end ? 206 : 416;
        response.headers.emplace_back("Content-Range",
                                      range.begin < range.end
                                          ? "bytes " + std::to_string(range.begin) + "-" + std::to_string(range.end - 1) +
                                                "/" + std::to_string(size)
                                          : "bytes */" + std::to_string(size));
    }
    response.length = range.end - range.begin;
    return range;
}

}  // namespace cicd::api
