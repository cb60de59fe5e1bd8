#include "common/base/time.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace std::chrono_literals;

namespace {

long long ms(std::string_view text) {
    const auto parsed = parse_duration(text);
    return parsed ? static_cast<long long>(parsed->count()) : -1;
}

long long bytes(std::string_view text) {
    const auto parsed = parse_size(text);
    return parsed ? static_cast<long long>(*parsed) : -1;
}

std::string again(std::string_view text) {
    const auto time = parse_time(text);
    return time ? format_time(*time) : "refused";
}

}  // namespace

TEST_CASE("times are RFC 3339 in UTC") {
    CHECK(again("2026-11-21T04:40:32.123Z") == "2026-11-21T04:40:32.123Z");
    CHECK(again("2026-11-21t04:40:32z") == "2026-11-21T04:40:32.000Z");
    CHECK(again("2026-11-21T01:40:32.1239+02:30") == "2026-11-20T23:10:32.123Z");
    CHECK(again("1969-12-31T23:59:59.999Z") == "1969-12-31T23:59:59.999Z");
    CHECK(again("2024-02-29T00:00:00Z") == "2024-02-29T00:00:00.000Z");
    for (const char* bad : {"", "2026-11-21", "2026-11-21T04:40:32", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
                            "2026-11-21T24:00:00Z", "2026-11-21T04:40:32.Z", "2026-11-21T04:40:32Zx",
                            "2026-11-21T04:40:32+2:00", "x026-11-21T04:40:32Z"})
        CHECK_MESSAGE(again(bad) == "refused", bad);
}

TEST_CASE("durations are numbers with units") {
    CHECK(ms("1h30m") == 5'400'000);
    CHECK(ms("90s") == 90'000);
    CHECK(ms("1.5h") == 5'400'000);
    CHECK(ms("250ms") == 250);
    CHECK(ms("2d") == 172'800'000);
    CHECK(ms("1w") == 604'800'000);
    CHECK(ms("0s") == 0);
    CHECK(ms("1m30s500ms") == 90'500);
    for (const char* bad : {"", "10", "-5s", "5", "s", "1x", "1h 30m", "30m1h", "1s1s", "1.s", ".5s", "1e3s",
                            "99999999999999999999s", "300000000w", "1h30"})
        CHECK_MESSAGE(ms(bad) == -1, bad);
    CHECK(parse_duration("10").error().message == "'10' is not a duration: a unit (ms, s, m, h, d, w) is missing");
}

TEST_CASE("a duration is written so that it reads back") {
    CHECK(format_duration(90min) == "1h30m");
    CHECK(format_duration(90s) == "1m30s");
    CHECK(format_duration(250ms) == "250ms");
    CHECK(format_duration(0ms) == "0s");
    for (const long long count : {1LL, 999LL, 1'000LL, 60'001LL, 86'400'000LL, 123'456'789'012LL})
        CHECK(ms(format_duration(Milliseconds(count))) == count);
}

TEST_CASE("people read durations in at most two units") {
    CHECK(humanize_duration(3'600us) == "3.6ms");
    CHECK(humanize_duration(842ms) == "842ms");
    CHECK(humanize_duration(3ms) == "3ms");
    CHECK(humanize_duration(1'240ms) == "1.2s");
    CHECK(humanize_duration(59'960ms) == "1m 00s");
    CHECK(humanize_duration(125'000ms) == "2m 05s");
    CHECK(humanize_duration(3'840'000ms) == "1h 04m");
    CHECK(humanize_duration(Milliseconds(51h)) == "2d 03h");
    CHECK(humanize_duration(0ms) == "0ms");
    CHECK(humanize_duration(-842ms) == "-842ms");
}

TEST_CASE("sizes have binary and decimal units") {
    CHECK(bytes("500Mi") == 524'288'000);
    CHECK(bytes("1.5Gi") == 1'610'612'736);
    CHECK(bytes("100M") == 100'000'000);
    CHECK(bytes("1k") == 1'000);
    CHECK(bytes("4096") == 4'096);
    for (const char* bad : {"", "-1", "1.5", "1Xi", "Mi", "1 Mi Mi", "999999999Pi"}) CHECK_MESSAGE(bytes(bad) == -1, bad);
    CHECK(format_size(524'288'000) == "500Mi");
    CHECK(format_size(4'097) == "4097");
    CHECK(format_size(0) == "0");
    for (const std::uint64_t size : {1ull, 1'024ull, 1'536ull, 1ull << 40, 14'487'644'073'709'551'616ull, 18'446'744'073'709'551'615ull}) {
        const auto parsed = parse_size(format_size(size));
        CHECK((parsed && *parsed == size));
    }
    CHECK(humanize_size(512) == "512 B");
    CHECK(humanize_size(1'288'490'189) == "1.2 GiB");
    CHECK(humanize_size(1'048'575) == "1.0 MiB");
}
