#include "daemon/api/fingerprint.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace cicd::api {
namespace {

std::uint64_t finished(std::uint64_t bits) {
    bits = (bits ^ (bits >> 33)) * 0xff51afd7ed558ccdULL;
    bits = (bits ^ (bits >> 33)) * 0xc4ceb9fe1a85ec53ULL;
    return bits ^ (bits >> 33);
}

}  // namespace

std::string fingerprint(std::string_view text) {
    std::uint64_t first = 0xcbf29ce484222325ULL ^ text.size();
    std::uint64_t second = 0x9e3779b97f4a7c15ULL + text.size();
    while (!text.empty()) {
        std::uint64_t word = 0;
        const auto length = std::min<std::size_t>(sizeof word, text.size());
        std::memcpy(&word, text.data(), length);
        text.remove_prefix(length);
        first = (first ^ word) * 0x100000001b3ULL;
        first ^= first >> 29;
        second = (second ^ finished(word)) * 0x9ddfea08eb382d69ULL;
    }
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const auto part : {finished(first), finished(second)})
        for (int shift = 60; shift >= 0; shift -= 4) hex += digits[(part >> shift) & 15];
    return hex;
}

}  // namespace cicd::api
