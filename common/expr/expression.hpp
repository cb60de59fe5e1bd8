#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// GitHub's expression language, exactly: types, coercions, operators, functions and error texts. No I/O.
/// Errors have the codes EXPR_001 (lexing), EXPR_002 (parsing) and EXPR_003 (evaluation).
namespace cicd::expr {

struct Node;

/// Functions beyond the built-in ones. Names are compared without case.
struct Function {
    std::string name;
    int min_args = 0;
    int max_args = 0;
    std::function<Result<Value>(std::span<const Value>)> call;
};

/// What an expression can see.
struct Scope {
    Object contexts;                  ///< by name, looked up without case; an unknown name is a parse error
    std::vector<Function> functions;  ///< success, failure, always, cancelled, hashFiles, …
};

class Expression {
public:
    /// Parses the text between `${{` and `}}`, knowing which names and functions exist.
    static Result<Expression> parse(std::string_view text, std::span<const std::string> context_names,
                                    std::span<const Function> functions);
    [[nodiscard]] Result<Value> evaluate(const Scope& scope) const;
    /// Whether any of these functions is called (without case): decides if `success() &&` is implied.
    [[nodiscard]] bool calls(std::span<const std::string_view> names) const;
    /// Paths that are read, such as "params.skipTests" or "needs.build.outputs.version"; a computed index ends the path.
    [[nodiscard]] std::vector<std::string> references() const;

private:
    std::shared_ptr<const Node> root_;
};

/// Parse and evaluate in one go.
Result<Value> evaluate(std::string_view expression, const Scope& scope);

/// A text with any number of `${{ }}`: exactly one and nothing else keeps its type, otherwise everything is joined as text.
Result<Value> evaluate_template(std::string_view text, const Scope& scope);
Result<std::string> interpolate(std::string_view text, const Scope& scope);
/// The expressions inside a text, without white space around them, with the byte offset where each starts. Fails for an unclosed `${{`.
struct Embedded {
    std::size_t offset;
    std::string text;
};
Result<std::vector<Embedded>> embedded_expressions(std::string_view text);
[[nodiscard]] bool has_expression(std::string_view text);
/// `${{ x }}` → `x`; a text without the braces as it is (conditions may be written either way).
std::string_view strip_braces(std::string_view text);

/// The language's coercions.
bool is_truthy(const Value& value);
std::string to_display_text(const Value& value);  ///< as in `format`: null is "", objects are "Object"
double to_number(const Value& value);

}  // namespace cicd::expr
