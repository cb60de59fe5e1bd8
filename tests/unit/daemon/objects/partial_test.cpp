#include "daemon/objects/partial.hpp"
#include "tests/unit/daemon/objects/fixture.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

using namespace cicd;
using namespace cicd::objects;

namespace {

std::size_t count(const std::filesystem::path& state) {
    const auto folder = state / "uploads";
    std::size_t found = 0;
    if (std::filesystem::exists(folder))
        for (const auto& entry : std::filesystem::directory_iterator(folder)) found += entry.exists() ? 1 : 0;
    return found;
}

}  // namespace

TEST_CASE("what has come of an upload is there for the next one to go on, and for nobody else meanwhile") {
    const Shop state;
    {
        auto first = PartialUpload::open(state.root, "mine");
        REQUIRE(first.has_value());
        CHECK(first->size() == 0);
        CHECK(first->add("12345678").has_value());
        const auto second = PartialUpload::open(state.root, "mine");
        REQUIRE(!second.has_value());
        CHECK(second.error().code == "ARTIFACT_008");
        CHECK(PartialUpload::open(state.root, "another")->size() == 0);
    }
    auto again = PartialUpload::open(state.root, "mine");
    REQUIRE(again.has_value());
    CHECK(again->size() == 8);
    CHECK(!again->go_on_at(9).has_value());
    CHECK(again->go_on_at(4).has_value());
    CHECK(again->size() == 4);
    again->remove();
    CHECK(count(state.root) == 1);
}

TEST_CASE("one that has become an object is never written to again") {
    const Shop state;
    (void)PartialUpload::open(state.root, "mine")->add("whole");
    const auto file = std::filesystem::directory_iterator(state.root / "uploads")->path();
    std::filesystem::create_hard_link(file, state.root / "object");
    auto again = PartialUpload::open(state.root, "mine");
    REQUIRE(again.has_value());
    CHECK(again->size() == 0);
    CHECK(again->add("other").has_value());
    CHECK(text_of(state.root / "object") == "whole");
}

TEST_CASE("leavings are removed after a day, but not what is being sent") {
    const Shop state;
    (void)PartialUpload::open(state.root, "left")->add("x");
    const auto sent = PartialUpload::open(state.root, "sent");
    const auto now = SystemClock().now();
    sweep_partial_uploads(state.root, now);
    CHECK(count(state.root) == 2);
    sweep_partial_uploads(state.root, now + std::chrono::hours(25));
    CHECK(count(state.root) == 1);
}
