#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace cicd {

using Milliseconds = std::chrono::milliseconds;
/// Wall-clock time, UTC, to the millisecond: what is stored and shown.
using Timestamp = std::chrono::sys_time<Milliseconds>;

/// The time as a port, so that decisions can be tested without waiting.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] Timestamp now() const override {
        return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
    }
};

/// RFC 3339, UTC, milliseconds: "2026-11-21T04:40:32.123Z".
std::string format_time(Timestamp time);
Result<Timestamp> parse_time(std::string_view text);

/// "1h30m", "90s", "1.5h", "250ms", "2d", "1w". A bare number is refused: its unit is unclear. Negative values are refused.
Result<Milliseconds> parse_duration(std::string_view text);
/// The exact inverse, for definitions: "1h30m", "1m30s", "250ms", "0s".
std::string format_duration(Milliseconds duration);
/// For people, at most two units and about three digits: "3.6ms", "842ms", "1.2s", "2m 05s", "1h 04m".
std::string humanize_duration(Milliseconds duration);
std::string humanize_duration(std::chrono::microseconds duration);

/// "500Mi", "2Gi", "1.5Gi", "100M", "4096": bytes. Ki/Mi/Gi/Ti/Pi are powers of 1024, k/K/M/G/T/P powers of 1000.
Result<std::uint64_t> parse_size(std::string_view text);
/// The largest binary unit that divides it without rest: "500Mi", "4097".
std::string format_size(std::uint64_t bytes);
/// For people: "1.2 GiB".
std::string humanize_size(std::uint64_t bytes);

}  // namespace cicd
