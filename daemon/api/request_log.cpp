#include "daemon/api/request_log.hpp"

#include "common/base/text.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace cicd::api {
namespace {

constexpr auto slow = std::chrono::seconds(1);
constexpr std::size_t longest_target = 500;

/// `"…"` where the value holds spaces, quotes or what is not printable.
std::string in_quotes(std::string_view raw) {
    const auto value = to_valid_utf8(raw.substr(0, longest_target));
    const auto plain = [](unsigned char c) { return c > ' ' && c != '"' && c != '\\' && c != '=' && c != 0x7F; };
    if (!value.empty() && std::all_of(value.begin(), value.end(), plain)) return value;
    std::string text = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') text += '\\';
        text += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? ' ' : c;
    }
    return text + '"';
}

}  // namespace

void log_request(const Request& facts, std::string_view route, const Response& response, std::chrono::nanoseconds took) {
    const bool is_slow = took >= slow;
    const auto level = is_slow || response.status == 500 ? spdlog::level::warn : spdlog::level::debug;
    if (!spdlog::should_log(level)) return;
    const double ms = std::chrono::duration<double, std::milli>(took).count();
    spdlog::log(level, "msg={} request={} user={} method={} route={} target={} status={} bytes={} ms={:.3f}",
                is_slow ? "\"slow request\"" : "request", facts.id, in_quotes(facts.user), in_quotes(facts.method), route,
                in_quotes(facts.target), response.status, response.body.size(), ms);
}

}  // namespace cicd::api
