#include "common/pipeline/parse.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <random>

using namespace cicd;

namespace {

Value value(const std::string& yaml) {
    const auto parsed = pipeline::parse_yaml(yaml, "t");
    for (const auto& p : parsed.problems) FAIL_CHECK(yaml, ": ", p.message);
    return parsed.value;
}

Diagnostic problem(std::string_view yaml) {
    const auto parsed = pipeline::parse_yaml(yaml, "t");
    REQUIRE(!parsed.problems.empty());
    CHECK_FALSE(parsed.ok());
    return parsed.problems[0];
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("plain scalars are typed by YAML 1.2's core schema") {
    for (const char* text : {"on", "yes", "No", "off", "y", "0b11", "1_000", "12:30", "2026-01-01", "1e", ".", "+", "0o8", "tRue", "1.2.3", "- 1"})
        if (std::string(text) != "- 1") CHECK_MESSAGE(value(text) == Value(text), text);
    for (const char* text : {"null", "~", "NULL", "Null"}) CHECK(value(std::string("[") + text + "]").as_array().at(0).is_null());
    CHECK(value("[true, False, TRUE]") == Value(Array{true, false, true}));
    CHECK(value("[1, -2, +3, 0o17, 0x1F, 007, 1.5, .5, 1., 1e3, -1.5E-2, 12e03]") ==
          Value(Array{1, -2, 3, 15, 31, 7, 1.5, 0.5, 1, 1000, -0.015, 12000}));
    CHECK(std::isinf(value("-.inf").as_number()));
    CHECK(std::isnan(value(".nan").as_number()));
    CHECK(value("['1', \"true\", '', !!str 5, !!int '7']") == Value(Array{"1", "true", "", "5", 7}));
}

TEST_CASE("every escape of YAML gives the character that it names, in UTF-8") {
    CHECK(value(R"("\N\_\L\P\x41\u00e4\U0001F600\e")") == Value("\u0085\u00a0\u2028\u2029A\u00e4\U0001F600\x1b"));
    CHECK(value(R"("ä\_ä\N日\_")") == Value("ä\u00a0ä\u0085日\u00a0"));
}

TEST_CASE("anchors, aliases and merge keys work") {
    CHECK(value("{a: &x {b: 1}, c: *x}") == value("{a: {b: 1}, c: {b: 1}}"));
    CHECK(value("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}")["c"] == value("{x: 1, y: 1, z: 3}"));
    CHECK(value("{\"<<\": 1}") == value("{'<<': 1}"));
    CHECK(problem("a: 1\nb: {<<: 3}").line == 2);
}

TEST_CASE("what is not one YAML document is refused with its place") {
    for (const char* empty : {"", "\n", "# only a comment\n", "---\n", "\xEF\xBB\xBF"}) {
        const auto parsed = pipeline::parse_pipeline(empty, "t");
        REQUIRE(parsed.problems.size() == 1);
        CHECK(parsed.problems[0].message == "the file is empty");
        CHECK(parsed.problems[0].line == 1);
        CHECK(value(empty).is_null());
    }
    CHECK(problem("a: 1\n---\nb: 2\n").line == 2);
    CHECK(problem(std::string_view("a: 1\nb: \0x", 10)).column == 4);
    CHECK(problem("a: \x1b[0m").message == "the control character U+001B");
    CHECK(problem("a: 1\nb: caf\xE9 x").column == 7);
    CHECK(problem("a: 1\nb: \xED\xA0\x80").message == "invalid UTF-8");
    CHECK(problem("a: {b: 1, b: 2}").message == "the key 'b' is written twice in this map; first on line 1");
    CHECK(problem("a:\n\tb: 1").suggestion == "line 2 is indented with a tab; YAML wants spaces");
    CHECK(problem("a: \"open").suggestion == "a quote is opened and never closed");
    CHECK(problem("b: 1\na: \"open\n").message == "the quote \" is never closed");
    CHECK(problem("a: &x\n  - *x").message == "an anchor cannot contain itself");
    CHECK(problem("? [a]\n: b").message == "a key must be text, not a list");
    CHECK(problem("a: !ruby/object x").message == "unknown tag '!ruby/object'");
    CHECK(problem(std::string(1024 * 1024 + 1, 'a')).message == "the file is larger than 1 MiB");
    CHECK(problem(repeated("[", 65) + repeated("]", 65)).column == 65);
    CHECK(value(repeated("[", 64) + repeated("]", 64)).is_array());
}

TEST_CASE("a byte order mark and CRLF are no problem") {
    CHECK(value("\xEF\xBB\xBF" "a: 1\r\nb: |\r\n  x\r\n  y\r\n") == value("{a: 1, b: \"x\\ny\\n\"}"));
}

TEST_CASE("depth counts through aliases") {
    std::string yaml = "a0: &a0 x\n";
    for (int i = 1; i <= 70; ++i) yaml += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
    CHECK(problem(yaml).message == "nested deeper than 64 levels");
}

TEST_CASE("hostile input is refused or read in bounded time") {
    const std::size_t mib = 1024 * 1024;
    std::string merges = "m: &m {";
    for (int i = 0; i < 2000; ++i) merges += "k" + std::to_string(i) + ": 1, ";
    merges += "z: 1}\nl:\n" + repeated("  - {<<: *m}\n", 50'000);
    std::string keys;
    for (int i = 0; keys.size() < mib - 20; ++i) keys += "k" + std::to_string(i) + ": 1\n";
    const std::string inputs[] = {repeated("[", mib), repeated("{", mib), repeated("- ", mib / 2), repeated("a: ", mib / 3),
                                  repeated("? ", mib / 2), repeated("&a ", mib / 3), repeated("[1,", mib / 3),
                                  repeated("*a ", mib / 3), repeated("!a ", mib / 3), repeated("\"", mib), repeated("a\n", mib / 2),
                                  repeated("- a\n", mib / 4), repeated("- &a a\n", mib / 8), repeated("a: |\n", mib / 5),
                                  repeated("%A\n", mib / 3), repeated("---\n", mib / 4), repeated(" ", mib), repeated("#\n", mib / 2),
                                  repeated("${{ ", mib / 4), "a: \"" + repeated("${{ params.x }} ", mib / 16 - 2) + "\"",
                                  "[" + repeated("{a},", mib / 4 - 1) + "]", merges, keys};
    for (const auto& input : inputs) {
        const auto begin = std::chrono::steady_clock::now();
        const auto parsed = pipeline::parse_pipeline(input, "t");
        const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        CAPTURE(input.substr(0, 12));
        CHECK_FALSE(parsed.ok());
        CHECK(parsed.problems.size() <= 700);
        CHECK(seconds < 20);  // far above what it takes, far below a hang
    }
}

TEST_CASE("whatever is changed in a pipeline, the parser only reports") {
    const std::string seed = R"(name: x
triggers: [{type: push, branches: [main, "r/**"]}, manual]
parameters: {a: {type: choice, values: [b, c], default: b}}
env: &e {A: "${{ params.a }}"}
stages:
  - name: build
    needs: []
    matrix: {os: [a, b], include: [{os: c}]}
    retry: {max: 2, on: [lost], backoff: 10s}
    steps: [make, {run: "x", if: y}]
  - {name: test, needs: [build], env: {<<: *e}, commands: ["echo ${{ env.A }}"]}
)";
    std::mt19937 random(20240607);
    const std::string alphabet = "\n\t :-[]{}&*!|>'\"%@`#,?$\\x0a~<\xC3\xA9";
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    int count = 0;
    for (; count < 20'000 && std::chrono::steady_clock::now() < end; ++count) {
        std::string text = seed;
        for (auto edits = 1 + random() % 6; edits > 0; --edits) {
            const auto at = random() % text.size();
            switch (random() % 4) {
                case 0: text[at] = alphabet[random() % alphabet.size()]; break;
                case 1: text.insert(at, 1, alphabet[random() % alphabet.size()]); break;
                case 2: text.erase(at, 1 + random() % 5); break;
                default: text.insert(at, text.substr(random() % text.size(), random() % 40)); break;
            }
            if (text.empty()) text = "a";
        }
        const auto parsed = pipeline::parse_pipeline(text, "t");
        if (parsed.ok()) {
            const auto again = pipeline::parse_pipeline(pipeline::export_yaml(parsed.value), "t");
            CHECK_MESSAGE(again.value == parsed.value, text);
        }
        for (const auto& p : parsed.problems) CHECK(!p.message.empty());
    }
    CHECK(count > 100);
}
