#include "cli/times.hpp"

#include "cli/command.hpp"

namespace cicd::cli {
namespace {

Result<Timestamp> time_of(std::string_view option, const std::string& typed, int direction) {
    const auto now = SystemClock().now();
    if (typed == "now") return now;
    if (const auto duration = parse_duration(typed)) return now + direction * *duration;
    if (const auto time = parse_time(typed)) return *time;
    if (typed.size() == 10)
        if (const auto day = parse_time(typed + "T00:00:00Z")) return *day;
    return usage_error(std::string(option) + " cannot be '" + typed + "'",
                       "a duration such as 10m, a day such as 2026-11-21, or a time such as 2026-11-21T04:40:32Z");
}

}  // namespace

Result<Timestamp> past_time(std::string_view option, const std::string& typed) {
    return time_of(option, typed, -1);
}

Result<Timestamp> future_time(std::string_view option, const std::string& typed) {
    return time_of(option, typed, 1);
}

}  // namespace cicd::cli
