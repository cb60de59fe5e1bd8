#include "common/expr/json.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace cicd;
using expr::JsonFault;

namespace {

std::string again(std::string_view text) {
    const auto read = expr::read_json(text);
    if (const auto* fault = std::get_if<JsonFault>(&read)) return std::to_string(fault->offset) + ": " + fault->why;
    return expr::write_json(std::get<Value>(read));
}

bool refused(std::string_view text) { return std::holds_alternative<JsonFault>(expr::read_json(text)); }

}  // namespace

TEST_CASE("what is read is written with two spaces") {
    CHECK(again(" [1, -0.5e1, true, null, \"a\"] ") == "[\n  1,\n  -5,\n  true,\n  null,\n  \"a\"\n]");
    CHECK(again(R"({"b": {}, "a": []})") == "{\n  \"b\": {},\n  \"a\": []\n}");
    CHECK(again(R"("\u00e4\ud83d\ude00\n\u0001\/")") == "\"ä😀\\n\\u0001/\"");
    CHECK(again(R"("\ud800x")") == "\"\xEF\xBF\xBDx\"");
    CHECK(again("1e999") == "null");
}

TEST_CASE("of equal keys the last counts, of keys like in all but case the first") {
    CHECK(again(R"({"a": 1, "a": 2})") == "{\n  \"a\": 2\n}");
    CHECK(again(R"({"a": 1, "A": 2})") == "{\n  \"a\": 1\n}");
}

TEST_CASE("what is no JSON is refused, with its place") {
    for (const char* text : {"", "[1,]", "{\"a\":}", "{a:1}", "01", "1.", ".5", "+1", "'a'", "\"a", "\"\t\"", "\"\\x\"",
                             "\"\\u12g4\"", "nul", "[1 2]", "1 2", "[", "{\"a\" 1}", "NaN", "-"})
        CHECK_MESSAGE(refused(text), text);
    CHECK(again("[1, x]") == "4: a value is expected here");
}

TEST_CASE("depth and size are bounded") {
    const auto nested = [](int depth) {
        return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
    };
    CHECK_FALSE(refused(nested(100)));
    CHECK(refused(nested(100'000)));
    std::string large = "{";
    for (int i = 0; i < 50'000; ++i) large += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
    large.back() = '}';
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(refused(large));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}
