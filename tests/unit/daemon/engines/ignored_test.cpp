#include "daemon/engines/ignored.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using engines::Ignored;

TEST_CASE("what a .dockerignore names stays out of the context, with all that is below it; the last pattern that fits decides") {
    const auto ignored = Ignored::parse("# a comment\n\n  /node_modules/ \n*.log\n**/*.tmp\n!keep.log\ndocs\n!docs/README.md\nsecret?\n[ab].txt\n{x}\n");
    REQUIRE(ignored.has_value());
    for (const auto* out : {"node_modules", "node_modules/a/b.js", "a.log", "x.tmp", "deep/down/x.tmp", "docs/a", "secrets", "a.txt", "{x}"})
        CHECK_MESSAGE(ignored->excludes(out), out);
    for (const auto* in : {"keep.log", "sub/a.log", "docs/README.md", "sub/node_modules", "secret", "c.txt", "x", "#a"})
        CHECK_MESSAGE(!ignored->excludes(in), in);
    CHECK(ignored->has_exceptions());
    CHECK(Ignored::parse("# nothing\n.\n")->empty());
    CHECK(!Ignored::parse("[a\n").has_value());
}

TEST_CASE("everything can be ignored but for what is named") {
    const auto ignored = Ignored::parse("*\n!src\n!Makefile\r\n");
    REQUIRE(ignored.has_value());
    CHECK(ignored->excludes("other"));
    CHECK(!ignored->excludes("src"));
    CHECK(!ignored->excludes("src/deep/a.c"));
    CHECK(!ignored->excludes("Makefile"));
}
