#include "common/base/time.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>

namespace cicd {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 6> duration_units{
    {{"w", 7 * 86'400e3}, {"d", 86'400e3}, {"h", 3'600e3}, {"m", 60e3}, {"s", 1e3}, {"ms", 1}}};

constexpr double longest_duration = 100 * 365 * 86'400e3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads digits with at most one point between them; advances `text` behind them.
bool read_number(std::string_view& text, double& number) {
    std::size_t length = 0;
    while (length < text.size() && (is_digit(text[length]) || text[length] == '.')) ++length;
    if (length == 0 || text[0] == '.' || text[length - 1] == '.') return false;
    const auto* end = text.data() + length;
    const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (error != std::errc{} || stop != end) return false;
    text.remove_prefix(length);
    return true;
}

Error bad_duration(std::string_view text, std::string_view why) {
    return invalid("CICD_400", "'" + std::string(text) + "' is not a duration: " + std::string(why),
                   "write it like 90s, 15m, 1h30m or 2d");
}

Error bad_time(std::string_view text) {
    return invalid("CICD_400", "'" + std::string(text) + "' is not a time", "write it like 2026-01-31T12:00:00Z");
}

}  // namespace

std::string format_time(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    std::array<char, 40> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return buffer.data();
}

Result<Timestamp> parse_time(std::string_view text) {
    static constexpr std::string_view shape = "dddd-dd-dd?dd:dd:dd";
    if (text.size() < shape.size()) return bad_time(text);
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] == 'd' && !is_digit(text[i])) return bad_time(text);
    const std::string copy(text);
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, length = 0;
    if (std::sscanf(copy.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
                    &length) != 6 || length == 0)
        return bad_time(text);
    const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day)));
    if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return bad_time(text);
    std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(length));
    Milliseconds fraction{0};
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        int unit = 100;
        std::size_t digits = 0;
        for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits, unit /= 10)
            fraction += Milliseconds((rest[digits] - '0') * unit);
        if (digits == 0) return bad_time(text);
        rest.remove_prefix(digits);
    }
    std::chrono::minutes offset{0};
    if (rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':') {
        for (const std::size_t i : {1u, 2u, 4u, 5u})
            if (!is_digit(rest[i])) return bad_time(text);
        const int hours = (rest[1] - '0') * 10 + (rest[2] - '0');
        const int minutes = (rest[4] - '0') * 10 + (rest[5] - '0');
        if (hours > 23 || minutes > 59) return bad_time(text);
        offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
        if (rest[0] == '-') offset = -offset;
    } else if (rest != "Z" && rest != "z") {
        return bad_time(text);
    }
    return Timestamp(std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                     std::chrono::seconds(second) + fraction - offset);
}

Result<Milliseconds> parse_duration(std::string_view text) {
    auto rest = text;
    double total = 0;
    std::size_t last_unit = 0;
    if (rest.empty()) return bad_duration(text, "it is empty");
    while (!rest.empty()) {
        double number = 0;
        if (!read_number(rest, number)) return bad_duration(text, "a number is expected");
        std::size_t length = 0;
        while (length < rest.size() && rest[length] >= 'a' && rest[length] <= 'z') ++length;
        const auto unit = rest.substr(0, length);
        if (unit.empty()) return bad_duration(text, "a unit (ms, s, m, h, d, w) is missing");
        std::size_t index = 0;
        while (index < duration_units.size() && duration_units[index].first != unit) ++index;
        if (index == duration_units.size()) return bad_duration(text, "'" + std::string(unit) + "' is no unit");
        if (total > 0 && index <= last_unit) return bad_duration(text, "units go from large to small, each once");
        last_unit = index;
        total += number * duration_units[index].second;
        rest.remove_prefix(length);
    }
    if (!(total <= longest_duration)) return bad_duration(text, "it is longer than 100 years");
    return Milliseconds(std::llround(total));
}

std::string format_duration(Milliseconds duration) {
    auto left = duration.count();
    if (left == 0) return "0s";
    std::string text = left < 0 ? "-" : "";
    if (left < 0) left = -left;
    for (const auto& [unit, size] : duration_units) {
        if (unit == "w" || unit == "d") continue;
        const auto milliseconds = static_cast<std::int64_t>(size);
        if (const auto count = left / milliseconds; count > 0) {
            text += std::to_string(count) + std::string(unit);
            left %= milliseconds;
        }
    }
    return text;
}

std::string humanize_duration(std::chrono::microseconds duration) {
    const auto us = static_cast<double>(duration.count());
    std::array<char, 48> buffer{};
    if (duration.count() < 0) return "-" + humanize_duration(-duration);
    const auto seconds = (duration.count() + 500'000) / 1'000'000;
    if (us < 99'950)
        std::snprintf(buffer.data(), buffer.size(), "%.1fms", us / 1e3);
    else if (us < 999'500)
        std::snprintf(buffer.data(), buffer.size(), "%.0fms", us / 1e3);
    else if (us < 59'950'000)
        std::snprintf(buffer.data(), buffer.size(), "%.1fs", us / 1e6);
    else if (seconds < 3600)
        std::snprintf(buffer.data(), buffer.size(), "%dm %02ds", static_cast<int>(seconds / 60), static_cast<int>(seconds % 60));
    else if (seconds < 86'400)
        std::snprintf(buffer.data(), buffer.size(), "%dh %02dm", static_cast<int>(seconds / 3600),
                      static_cast<int>(seconds / 60 % 60));
    else
        std::snprintf(buffer.data(), buffer.size(), "%lldd %02dh", static_cast<long long>(seconds / 86'400),
                      static_cast<int>(seconds / 3600 % 24));
    return buffer.data();
}

std::string humanize_duration(Milliseconds duration) {
    if (std::chrono::abs(duration) < std::chrono::seconds(1)) return std::to_string(duration.count()) + "ms";
    return humanize_duration(std::chrono::duration_cast<std::chrono::microseconds>(duration));
}

Result<std::uint64_t> parse_size(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, double>, 13> units{{{"", 1},
                                                                                {"k", 1e3},
                                                                                {"K", 1e3},
                                                                                {"M", 1e6},
                                                                                {"G", 1e9},
                                                                                {"T", 1e12},
                                                                                {"P", 1e15},
                                                                                {"Ki", 1024.0},
                                                                                {"Mi", 1048576.0},
                                                                                {"Gi", 1073741824.0},
                                                                                {"Ti", 1099511627776.0},
                                                                                {"Pi", 1125899906842624.0},
                                                                                {"B", 1}}};
    auto rest = text;
    double number = 0;
    std::uint64_t exact = 0;  // a double would round bytes beyond 2^53
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), exact);
    if (error == std::errc{})
        for (const auto& [unit, size] : units)
            if (text.substr(static_cast<std::size_t>(stop - text.data())) == unit &&
                !__builtin_mul_overflow(exact, static_cast<std::uint64_t>(size), &exact))
                return exact;
    if (read_number(rest, number))
        for (const auto& [unit, size] : units)
            if (rest == unit && number * size < 9e18 && (size > 1 || number == std::floor(number))) return static_cast<std::uint64_t>(std::llround(number * size));
    return invalid("CICD_400", "'" + std::string(text) + "' is not a size", "write it like 500Mi, 2Gi or 4096 (bytes)");
}

std::string format_size(std::uint64_t bytes) {
    static constexpr std::array<std::string_view, 6> units{"", "Ki", "Mi", "Gi", "Ti", "Pi"};
    std::size_t unit = 0;
    while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < units.size()) {
        bytes /= 1024;
        ++unit;
    }
    return std::to_string(bytes) + std::string(units[unit]);
}

std::string humanize_size(std::uint64_t bytes) {
    static constexpr std::array<const char*, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    auto size = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (size >= 1023.95 && unit + 1 < units.size()) {
        size /= 1024;
        ++unit;
    }
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
    return buffer.data();
}

}  // namespace cicd
