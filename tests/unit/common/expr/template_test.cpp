#include "common/expr/expression.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace cicd;

namespace {

expr::Scope scope() {
    expr::Scope made;
    made.contexts.set("a", 1);
    made.contexts.set("o", Object{{"k", "v"}});
    return made;
}

std::string filled(std::string_view text) {
    const auto result = expr::interpolate(text, scope());
    return result ? *result : result.error().code;
}

}  // namespace

TEST_CASE("one expression and nothing else keeps its type") {
    const auto whole = expr::evaluate_template("${{ o }}", scope());
    REQUIRE(whole.has_value());
    CHECK(whole->is_object());
    const auto joined = expr::evaluate_template("x${{ o }}", scope());
    REQUIRE(joined.has_value());
    CHECK(joined->as_string() == "xObject");
    const auto two = expr::evaluate_template("${{ a }}${{ a }}", scope());
    REQUIRE(two.has_value());
    CHECK(two->as_string() == "11");
    const auto plain = expr::evaluate_template("plain", scope());
    REQUIRE(plain.has_value());
    CHECK(plain->as_string() == "plain");
}

TEST_CASE("braces inside a string literal do not end an expression") {
    CHECK(filled("<${{ '}}' }}>") == "<}}>");
    CHECK(filled("${{ format('{0}}}', a) }}") == "1}");
    CHECK(filled("${{ 'it''s }}' }}!") == "it's }}!");
    CHECK(filled("no $ { {{ }} here") == "no $ { {{ }} here");
}

TEST_CASE("an expression that is not closed is an error") {
    CHECK(filled("x ${{ a") == "EXPR_002");
    CHECK(filled("${{ 'a }}") == "EXPR_002");
    CHECK(filled("${{ }}") == "EXPR_002");
    CHECK(expr::embedded_expressions("${{ a }} ${{").has_error());
}

TEST_CASE("embedded expressions come with where they start") {
    const auto found = expr::embedded_expressions("a ${{ x }} b ${{y}}");
    REQUIRE(found.has_value());
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].text == "x");
    CHECK((*found)[0].offset == 6);
    CHECK((*found)[1].text == "y");
    CHECK((*found)[1].offset == 16);
    CHECK(expr::has_expression("a ${{ x }}"));
    CHECK_FALSE(expr::has_expression("a $x {{ }}"));
}

TEST_CASE("conditions may be written with and without braces") {
    CHECK(expr::strip_braces(" ${{ a == 1 }} ") == "a == 1");
    CHECK(expr::strip_braces("a == 1") == "a == 1");
    CHECK(expr::strip_braces("${{ a }} && ${{ b }}") == "${{ a }} && ${{ b }}");
}

TEST_CASE("an empty expression has its place in the text") {
    const auto found = expr::embedded_expressions("echo ${{}}");
    REQUIRE(found.has_value());
    REQUIRE(found->size() == 1);
    CHECK(found->front().offset == 8);
    CHECK(found->front().text.empty());
}

TEST_CASE("values become conditions, texts and numbers") {
    CHECK_FALSE(expr::is_truthy(Value()));
    CHECK_FALSE(expr::is_truthy(std::numeric_limits<double>::quiet_NaN()));
    CHECK_FALSE(expr::is_truthy(""));
    CHECK(expr::is_truthy("false"));
    CHECK(expr::is_truthy(Array{}));
    CHECK(expr::to_display_text(Value()).empty());
    CHECK(expr::to_display_text(-0.0) == "0");
    CHECK(expr::to_number(" 12 ") == 12);
    CHECK(expr::to_number("\xC2\xA0" "12\xEF\xBB\xBF") == 12);
    CHECK(expr::to_number("") == 0);
    CHECK(std::isnan(expr::to_number("1 2")));
    CHECK(std::isnan(expr::to_number(Object{})));
    CHECK(std::isinf(expr::to_number("1e999")));
}
