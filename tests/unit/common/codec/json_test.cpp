#include "common/codec/json.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using codec::parse_json;
using codec::to_json;

TEST_CASE("JSON is written as it was read") {
    for (const std::string text :
         {R"({"b":1,"a":[true,false,null,"x\n\"\\"],"c":{}})", "[]", "0.5", "-7", "9007199254740991", "\"\\u0001é\"",
          R"({"":[[]]})"}) {
        const auto value = parse_json(text);
        REQUIRE(value.has_value());
        CHECK(to_json(*value) == text);
    }
    CHECK(to_json(*parse_json(R"({"a":[1,{}]})"), 2) == "{\n  \"a\": [\n    1,\n    {}\n  ]\n}");
    CHECK(to_json(std::string("a\xff")) == "\"a\xEF\xBF\xBD\"");
    CHECK(to_json(1e300 * 1e300) == "null");
}

TEST_CASE("errors say where") {
    const auto broken = parse_json("{\n  \"a\": tru\n}");
    REQUIRE_FALSE(broken.has_value());
    CHECK(broken.error().kind == ErrorKind::invalid);
    CHECK(broken.error().problems.front().line == 2);
    CHECK(broken.error().message.find("line 2, column") != std::string::npos);
    for (const std::string text : {"", "{", "[1,]", "{'a':1}", "01", "nan", "1 2", "\"\x01\"", "\"\xff\"", "1e999",
                                   "{\"a\":1,\"a\":2}", "// no\n1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_json(text).has_value());
    }
}

TEST_CASE("depth and width are bounded") {
    CHECK(parse_json(std::string(64, '[') + std::string(64, ']')).has_value());
    CHECK_FALSE(parse_json(std::string(65, '[') + std::string(65, ']')).has_value());
    CHECK_FALSE(parse_json(std::string(1'000'000, '[')).has_value());
    std::string wide = "{\"k\":0";
    for (int i = 0; i < 10'001; ++i) wide += ",\"k" + std::to_string(i) + "\":0";
    CHECK_FALSE(parse_json(wide + "}").has_value());
}
