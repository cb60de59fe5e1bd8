#include "common/base/text.hpp"

#include <doctest/doctest.h>

using namespace cicd;

TEST_CASE("a typo's nearest word is found, a different word is not") {
    const std::vector<std::string> words{"stages", "stage", "parameters", "needs", "env"};
    CHECK(nearest("stagse", words) == "stages");
    CHECK(nearest("Stages", words) == "stages");
    CHECK(nearest("paramters", words) == "parameters");
    CHECK(nearest("nedes", words) == "needs");
    CHECK_FALSE(nearest("notifications", words));
    CHECK_FALSE(nearest("xyz", words));
    CHECK_FALSE(nearest("", words));
    CHECK_FALSE(nearest("x", words));
    CHECK_FALSE(nearest(std::string(100'000, 'a'), words));
    CHECK(did_you_mean("stagse", words) == "did you mean 'stages'?");
    CHECK(did_you_mean("qqq", words).empty());
}

TEST_CASE("UTF-8 is told from what is not") {
    CHECK(is_valid_utf8("plain, ä, ☺, 😀"));
    CHECK(is_valid_utf8(""));
    for (const char* bad : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x98", "\x80", "a\xC3"})
        CHECK_FALSE(is_valid_utf8(bad));
}

TEST_CASE("each maximal ill-formed part becomes one replacement character") {
    const std::string mark = "\xEF\xBF\xBD";
    CHECK(to_valid_utf8("aä") == "aä");
    CHECK(to_valid_utf8("a\xFF" "b") == "a" + mark + "b");
    CHECK(to_valid_utf8("\xE2\x98" "x") == mark + "x");
    CHECK(to_valid_utf8("\xED\xA0\x80") == mark + mark + mark);
    CHECK(to_valid_utf8("\xF0\x9F\x98") == mark);
}

TEST_CASE("texts are split, joined, trimmed and lowered") {
    CHECK(split("a,b,,c", ',') == std::vector<std::string>{"a", "b", "", "c"});
    CHECK(split("", ',') == std::vector<std::string>{""});
    const std::vector<std::string> parts{"a", "b", "c"};
    CHECK(join(parts, ", ") == "a, b, c");
    CHECK(join({}, ", ").empty());
    CHECK(trim(" \t\r\na b\n") == "a b");
    CHECK(trim("   ").empty());
    const std::string_view blank = "   ";
    CHECK(trim(blank).data() == blank.data() + blank.size());  // still inside the text
    CHECK(to_lower("AbC-Ä") == "abc-Ä");
}
