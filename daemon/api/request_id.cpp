#include "daemon/api/request_id.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>

namespace cicd::api {
namespace {

constexpr std::size_t longest_id = 64;

}  // namespace

std::string next_request_id() {
    static const auto seed = std::random_device{}();
    static std::atomic<std::uint64_t> count{0};
    // SplitMix64's finaliser: ids that look unrelated, from a counter.
    auto bits = (static_cast<std::uint64_t>(seed) << 32) + ++count * 0x9e3779b97f4a7c15ULL;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
    bits ^= bits >> 31;
    static constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
    std::string id = "req_";
    for (int i = 0; i < 12; ++i, bits >>= 5) id += digits[bits & 31];
    return id;
}

std::string request_id(std::string_view wanted) {
    const auto plain = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    const bool usable = !wanted.empty() && wanted.size() <= longest_id && std::all_of(wanted.begin(), wanted.end(), plain);
    return usable ? std::string(wanted) : next_request_id();
}

}  // namespace cicd::api
