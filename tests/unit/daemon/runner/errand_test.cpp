#include "daemon/runner/errand.hpp"

#include <doctest/doctest.h>

#include <string>

using cicd::runner::Errand;

TEST_CASE("an errand runs between being let go on and giving way, and says when it is over") {
    std::string told;
    Errand errand(
        [&] {
            told += "a";
            Errand::current()->give_way();
            told += "b";
        },
        [&] { told += "|"; });
    CHECK(Errand::current() == nullptr);
    errand.go_on();
    CHECK(told == "|a|");
    CHECK_FALSE(errand.is_over());
    errand.go_on();
    CHECK(told == "|a||b|");
    CHECK(errand.is_over());
    errand.go_on();
    CHECK(told == "|a||b|");
}

TEST_CASE("several errands take turns, each where it was") {
    std::string told;
    const auto count = [&](char name) {
        return [&told, name] {
            for (char c = '0'; c < '3'; ++c) {
                told += {name, c};
                Errand::current()->give_way();
            }
        };
    };
    Errand a(count('a'), [] {}), b(count('b'), [] {}), never(count('c'), [] {});
    while (!a.is_over() || !b.is_over()) {
        a.go_on();
        b.go_on();
    }
    CHECK(told == "a0b0a1b1a2b2");
}
