#include "common/expr/expression.hpp"

#include "common/expr/coerce.hpp"
#include "common/expr/json.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>

using namespace cicd;
using cicd::test::contains;

namespace {

expr::Scope scope() {
    expr::Scope made;
    made.contexts.set("params", Object{{"skipTests", true}, {"name", "World"}, {"count", 3}});
    made.contexts.set("needs", Object{{"build", Object{{"outputs", Object{{"version", "1.2"}}}}}});
    made.contexts.set("list", Array{Object{{"Id", 1}}, Object{{"id", 2}}, Object{{"other", 3}}});
    made.functions.push_back({"always", 0, 0, [](std::span<const Value>) -> Result<Value> { return Value(true); }});
    made.functions.push_back({"twice", 1, 1, [](std::span<const Value> arguments) -> Result<Value> {
                                  return Value(expr::to_number(arguments[0]) * 2);
                              }});
    return made;
}

/// The result as JSON, or "code: message".
std::string run(std::string_view text) {
    const auto result = expr::evaluate(text, scope());
    return result ? expr::write_json(*result) : result.error().code + ": " + result.error().message;
}

std::string repeat(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("numbers are written in every form") {
    CHECK(run("0xff") == "255");
    CHECK(run("0o17") == "15");
    CHECK(run("-.5e1") == "-5");
    CHECK(run("NaN") == "null");
    CHECK(run("format('{0} {1} {2}', 1.50, 1e21, -Infinity)") == "\"1.5 1e+21 -Infinity\"");
    CHECK(run("format('{0}', 0.1234567890123456789)") == "\"0.123456789012346\"");
    CHECK(contains(run("1.2.3"), "EXPR_001: Unexpected symbol: '1.2.3'. Located at position 1 within expression: 1.2.3"));
    CHECK(contains(run("0o8"), "EXPR_001"));
    CHECK(contains(run("1-2"), "Unexpected symbol: '1-2'"));
}

TEST_CASE("a doubled quote in a string is one quote") {
    CHECK(run("'it''s ''fine'''") == "\"it's 'fine'\"");
    CHECK(contains(run("'open"), "Unexpected symbol: ''open'"));
    CHECK(contains(run("'open''"), "EXPR_001"));
}

TEST_CASE("names, properties and functions are found without case") {
    CHECK(run("PARAMS.SKIPTESTS") == "true");
    CHECK(run("params['NAME']") == "\"World\"");
    CHECK(run("ALWAYS()") == "true");
    CHECK(run("ENDSWITH(params.name, 'LD')") == "true");
    CHECK(run("params.missing.deeper") == "null");
}

TEST_CASE("a star selects, and the indexes after it apply to each item") {
    CHECK(run("join(list.*.id, '+')") == "\"1+2\"");
    CHECK(run("join((list.*).id, '+')") == "\"1+2\"");
    CHECK(run("list[1].id") == "2");
    CHECK(run("list['1'].id") == "2");
    CHECK(run("list[1.9].id") == "2");
    CHECK(run("list[-1]") == "null");
    CHECK(run("list[99]") == "null");
}

TEST_CASE("comparisons coerce as JavaScript does, texts without case, objects by identity") {
    CHECK(run("'TRUE' == 'true'") == "true");
    CHECK(run("true == '1'") == "true");
    CHECK(run("null == ''") == "true");
    CHECK(run("'a' < 1") == "false");
    CHECK(run("params == params") == "true");
    CHECK(run("fromJSON('[]') == fromJSON('[]')") == "false");
    CHECK(run("'straße' == 'STRASSE'") == "false");
    CHECK(run("'ǅ' == 'ǆ'") == "true");
    CHECK(run("false && 1 || params.name") == "\"World\"");
}

TEST_CASE("functions say what is wrong with their parameters") {
    CHECK(contains(run("contains('a')"), "EXPR_002: Too few parameters supplied: 'contains'. Located at position 1"));
    CHECK(contains(run("always(1)"), "Too many parameters supplied: 'always'"));
    CHECK(contains(run("nope()"), "Unrecognized function: 'nope'"));
    CHECK(contains(run("nope"), "Unrecognized named-value: 'nope'"));
    CHECK(contains(run("fromJSON('{')"), "EXPR_003: Error parsing JSON when evaluating fromJson"));
    CHECK(contains(run("fromJSON(' ')"), "EXPR_003: empty input"));
    CHECK(contains(run("list[fromJSON('x')]"), "could not evaluate index for index access: Error parsing JSON"));
    CHECK(contains(run("format('{99999999999999999999}')"), "references more arguments"));
    CHECK(run("twice('21')") == "42");
}

TEST_CASE("an unfinished or empty expression is refused") {
    CHECK(contains(run(""), "An expression was expected"));
    CHECK(contains(run("  "), "EXPR_002"));
    CHECK(contains(run("list["), "Unexpected end of expression: '['"));
    CHECK(contains(run("list[1"), "Unexpected symbol: 'EOF'"));
    CHECK(contains(run("format('a',)"), "Unexpected symbol: ')'"));
    CHECK(contains(run("'ü' 😊"), "Unexpected symbol: '😊'. Located at position 5"));
}

TEST_CASE("an expression tells what it calls and what it reads") {
    const auto s = scope();
    const std::vector<std::string> names{"params", "needs", "list"};
    const auto parsed = expr::Expression::parse(
        "Always() && params.skipTests || needs.build.outputs['version'] == list[params.count].x && params.skipTests",
        names, s.functions);
    REQUIRE(parsed.has_value());
    const std::string_view always[]{"success", "always"};
    const std::string_view failure[]{"failure"};
    CHECK(parsed->calls(always));
    CHECK_FALSE(parsed->calls(failure));
    CHECK(parsed->references() ==
          std::vector<std::string>{"params.skipTests", "needs.build.outputs.version", "list", "params.count"});
}

TEST_CASE("hostile expressions end quickly and within bounds") {
    const auto start = std::chrono::steady_clock::now();
    CHECK(contains(run(repeat("(", 20'000)), "Exceeded max expression depth 50"));
    CHECK(contains(run(repeat("!", 20'000) + "1"), "Exceeded max expression depth 50"));
    CHECK(contains(run(repeat("1", 21'001)), "EXPR_001: Exceeded max expression length 21000"));
    CHECK(run("1" + repeat("<1", 10'000)) == "true");
    CHECK(run("1" + repeat("==1", 6'000)) == "true");
    CHECK(run("0" + repeat("||0", 6'000)) == "0");
    CHECK(contains(run("fromJSON('" + repeat("[", 20'000) + "')"), "Error parsing JSON"));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("the empty expression object refuses to be evaluated") {
    CHECK(expr::Expression().evaluate(scope()).has_error());
    CHECK(expr::Expression().references().empty());
}
