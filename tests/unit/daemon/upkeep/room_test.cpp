#include "daemon/upkeep/room.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::upkeep;

namespace {
constexpr std::uint64_t mib = 1 << 20, gib = 1 << 30;
}  // namespace

TEST_CASE("a reserve is a size or a share") {
    CHECK(parse_reserve("1Gi")->bytes == gib);
    CHECK(!parse_reserve("1Gi")->percent);
    CHECK(parse_reserve("2.5%")->percent == 2.5);
    CHECK(!parse_reserve("2.5%")->bytes);
    for (const char* wrong : {"", "%", "-1%", "101%", "much", "1 Gi%"}) {
        INFO(wrong);
        CHECK(!parse_reserve(wrong).has_value());
    }
}

TEST_CASE("by default a GiB or two percent stay free, whichever is less") {
    CHECK(bytes_to_keep({1000 * gib, 0, 0, 0}, {}) == gib);
    CHECK(bytes_to_keep({100 * mib, 0, 0, 0}, {}) == 2 * mib);
    CHECK(bytes_to_keep({100 * mib, 0, 0, 0}, {std::nullopt, std::nullopt}) == 0);
}

TEST_CASE("a shortage is told with numbers, and ends only when a little more is free again") {
    Watermark watermark("/state", {100 * mib, std::nullopt});
    CHECK(watermark.judge({gib, 100 * mib, 0, 0}).empty());
    const auto reason = watermark.judge({gib, 99 * mib, 0, 0});
    CHECK(reason.find("99.0 MiB") != std::string::npos);
    CHECK(reason.find("/state") != std::string::npos);
    CHECK(reason.find("cleanup") != std::string::npos);
    CHECK(watermark.judge({gib, 98 * mib, 0, 0}).find("100.0 MiB are to stay free (disk.reserve);") != std::string::npos);
    CHECK(watermark.judge({gib, 101 * mib, 0, 0}).find("a tenth more") != std::string::npos);
    CHECK(watermark.judge({gib, 111 * mib, 0, 0}).empty());
    CHECK(watermark.judge({gib, 101 * mib, 0, 0}).empty());
}

TEST_CASE("a file system that has no room for more files is short too, one that does not count them is not") {
    Watermark watermark("/state", {mib, std::nullopt});
    CHECK(watermark.judge({gib, gib, 100'000, 999}).find("999 more files") != std::string::npos);
    CHECK(watermark.judge({gib, gib, 0, 0}).empty());
}

TEST_CASE("a folder that is not there cannot be looked at") {
    CHECK(!room_at("/no/such/folder").has_value());
    CHECK(room_at("/tmp")->total > 0);
}
