#include "common/base/glob.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>

using namespace cicd;

namespace {

bool selects(std::vector<std::string> patterns, std::string_view text) {
    const auto compiled = FilterPatterns::compile(patterns);
    REQUIRE(compiled.has_value());
    return compiled->matches(text);
}

bool refused(std::string pattern) {
    const std::vector<std::string> patterns{std::move(pattern)};
    return FilterPatterns::compile(patterns).has_error();
}

bool globs(std::string_view pattern, std::string_view path) {
    const auto matched = glob_match(pattern, path);
    return matched && *matched;
}

std::string repeat(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("a star stays within a segment, two stars do not") {
    CHECK(selects({"feature/*"}, "feature/a"));
    CHECK_FALSE(selects({"feature/*"}, "feature/a/b"));
    CHECK(selects({"feature/**"}, "feature/a/b"));
    CHECK(selects({"**.js"}, "src/js/app.js"));
    CHECK(selects({"docs/**/*.md"}, "docs/a.md"));
    CHECK(selects({"**/docs/**"}, "docs/hello.md"));
    CHECK_FALSE(selects({"**/docs/**"}, "mydocs/hello.md"));
    CHECK_FALSE(selects({"*"}, "a/b"));
}

TEST_CASE("? and + repeat the character before, [] lists characters") {
    CHECK(selects({"*.jsx?"}, "page.js"));
    CHECK(selects({"v[12].[0-9]+.[0-9]+"}, "v1.10.0"));
    CHECK_FALSE(selects({"v[12].[0-9]+"}, "v3.1"));
    CHECK_FALSE(selects({"v[12].[0-9]+"}, "v1."));
    CHECK(selects({"**a?"}, "xx"));
    CHECK(selects({"ü+"}, "üüü"));
    CHECK(selects({"a\\*b"}, "a*b"));
    CHECK_FALSE(selects({"a\\*b"}, "axb"));
}

TEST_CASE("the last pattern that matches decides") {
    CHECK(selects({"*.md", "!README.md"}, "hello.md"));
    CHECK_FALSE(selects({"*.md", "!README.md"}, "README.md"));
    CHECK(selects({"*.md", "!README.md", "README*"}, "README.md"));
    CHECK_FALSE(selects({}, "anything"));
}

TEST_CASE("sets of paths are selected by one, ignored only by all") {
    const std::vector<std::string> patterns{"docs/**"};
    const auto compiled = FilterPatterns::compile(patterns);
    REQUIRE(compiled.has_value());
    const std::vector<std::string> mixed{"docs/a.md", "src/a.c"};
    const std::vector<std::string> docs{"docs/a.md"};
    CHECK(compiled->any_selected(mixed));
    CHECK_FALSE(compiled->all_ignored(mixed));
    CHECK(compiled->all_ignored(docs));
    CHECK_FALSE(compiled->all_ignored({}));
    CHECK_FALSE(compiled->empty());
}

TEST_CASE("patterns that cannot be read are refused with their place") {
    for (const char* pattern : {"a[", "[]", "a\\", "+a", "?", "[a"}) CHECK_MESSAGE(refused(pattern), pattern);
    const std::vector<std::string> patterns{"ok", "!ab["};
    const auto compiled = FilterPatterns::compile(patterns);
    REQUIRE(compiled.has_error());
    CHECK(compiled.error().message == "bad pattern '!ab[', character 4: the '[' is not closed");
}

TEST_CASE("file globs follow doublestar") {
    CHECK(globs("a/**", "a"));
    CHECK(globs("a/**/b", "a/b"));
    CHECK(globs("a/**/d", "a/b/c/d"));
    CHECK(globs("**/*.txt", "x.txt"));
    CHECK_FALSE(globs("a**", "a/b"));
    CHECK(globs("ab{c,d,*}", "abcde"));
    CHECK(globs("{a/{b,c},abc}", "a/c"));
    CHECK_FALSE(globs("{a/{b,c},abc}", "a/b/c"));
    CHECK(globs("a{,bc}", "a"));
    CHECK(globs("a?b", "a☺b"));
    CHECK_FALSE(globs("a?b", "a/b"));
    CHECK_FALSE(globs("a[!x]b", "a/b"));
    CHECK(globs("[a-b-d]", "-"));
    CHECK_FALSE(globs("[a-b-d]", "c"));
    CHECK(globs("e/\\{", "e/{"));
    CHECK(globs("", ""));
    for (const char* pattern : {"\\", "[^", "a[", "{a", "{a,{b}"})
        CHECK_MESSAGE(glob_match(pattern, "a").has_error(), pattern);
}

TEST_CASE("hostile patterns end quickly") {
    const auto start = std::chrono::steady_clock::now();
    const std::string text = repeat("a", 2'000);
    CHECK_FALSE(selects({repeat("a?", 200) + repeat("*", 3) + "b"}, text));
    CHECK_FALSE(selects({repeat("*a", 200) + "b"}, text));
    CHECK_FALSE(globs(repeat("**/", 200) + "b", repeat("a/", 1'000)));
    CHECK_FALSE(globs(repeat("{a,aa}", 200) + "b", text));
    CHECK(glob_match(repeat("{", 1'000), "a").has_error());
    CHECK(glob_match(repeat("a", 100'000), "a").has_error());
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}
