// Expressions, templates and the JSON of fromJSON/toJSON.
#include "common/expr/expression.hpp"
#include "common/expr/json.hpp"
#include "common/expr/lexer.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <cmath>

using namespace cicd;

namespace {

expr::Scope make_scope() {
    expr::Scope scope;
    const Value matrix(Object{{"os", "linux"}, {"version", 3.5}, {"list", Array{1, "two", true, nullptr}}});
    scope.contexts = Object{{"params", Object{{"level", "full"}, {"deploy", false}, {"Größe", "ß"}}},
                            {"matrix", matrix},
                            {"needs", Object{{"build", Object{{"result", "success"}, {"outputs", Object{{"v", "1"}}}}}}},
                            {"run", Object{{"number", 7}, {"id", "run-7"}}}};
    scope.functions.push_back({"always", 0, 0, [](std::span<const Value>) -> Result<Value> { return Value(true); }});
    scope.functions.push_back({"hashFiles", 1, 255, [](std::span<const Value> arguments) -> Result<Value> {
                                   return Value(expr::to_display_text(arguments.front()));
                               }});
    return scope;
}

bool holds_nan(const Value& value) {
    if (value.is_number()) return std::isnan(value.as_number()) || std::isinf(value.as_number());
    if (value.is_array())
        for (const auto& element : value.as_array())
            if (holds_nan(element)) return true;
    if (value.is_object())
        for (const auto& [key, member] : value.as_object())
            if (holds_nan(member)) return true;
    return false;
}

void use(const Result<Value>& result) {
    if (!result) return fuzz::require_good(result.error());
    (void)expr::is_truthy(*result);
    (void)expr::to_number(*result);
    (void)expr::to_display_text(*result);
}

void try_expression(std::string_view text, const expr::Scope& scope) {
    if (const auto tokens = expr::lex(text)) {
        fuzz::require(!tokens->empty() && tokens->back().kind == expr::TokenKind::end, "the last token is the end");
        for (const auto& token : *tokens) fuzz::require(token.offset <= text.size(), "a token is inside its expression");
    } else {
        fuzz::require_good(tokens.error());
    }
    std::vector<std::string> names;
    for (const auto& [name, value] : scope.contexts) names.push_back(name);
    const auto parsed = expr::Expression::parse(text, names, scope.functions);
    if (!parsed) return fuzz::require_good(parsed.error());
    (void)parsed->references();
    const auto value = parsed->evaluate(scope);
    use(value);
    const auto again = expr::evaluate(text, scope);
    fuzz::require(value.has_value() == again.has_value(), "an expression has one outcome");
}

void try_template(std::string_view text, const expr::Scope& scope) {
    use(expr::evaluate_template(text, scope));
    const auto embedded = expr::embedded_expressions(text);
    if (embedded)
        for (const auto& one : *embedded) fuzz::require(one.offset <= text.size(), "an expression is inside its text");
    const auto whole = expr::interpolate(text, scope);
    if (whole && !expr::has_expression(text)) fuzz::require(*whole == text, "a text without expressions stays as it is");
    (void)expr::strip_braces(text);
}

void try_json(std::string_view text) {
    const auto read = expr::read_json(text);
    if (const auto* fault = std::get_if<expr::JsonFault>(&read)) {
        fuzz::require(fault->offset <= text.size() && !fault->why.empty(), "a fault is inside the text");
        return;
    }
    const auto& value = std::get<Value>(read);
    if (holds_nan(value)) return;
    const auto written = expr::write_json(value);
    const auto again = expr::read_json(written);
    fuzz::require(std::holds_alternative<Value>(again), "what is written as JSON can be read", written);
    fuzz::require(std::get<Value>(again) == value, "what is written as JSON is the same when it is read", written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto scope = make_scope();
    auto text = fuzz::as_text(data, size);
    switch (fuzz::take_byte(text)) {
        case 't': try_template(text, scope); break;
        case 'j': try_json(text); break;
        default: try_expression(text, scope); break;
    }
    return 0;
}
