#include "common/base/text.hpp"
#include "common/expr/expression.hpp"

namespace cicd::expr {
namespace {

/// One `${{ … }}` of a text: where it begins and ends, and what is inside.
struct Part {
    std::size_t begin;
    std::size_t end;
    std::string_view inside;
};

/// The next expression at or after `from`. `}}` inside a string literal does not end it.
Result<std::optional<Part>> next_part(std::string_view text, std::size_t from) {
    const auto begin = text.find("${{", from);
    if (begin == std::string_view::npos) return std::optional<Part>();
    bool quoted = false;
    for (std::size_t i = begin + 3; i < text.size(); ++i) {
        if (text[i] == '\'') quoted = !quoted;
        if (quoted || !text.substr(i).starts_with("}}")) continue;
        return std::optional(Part{begin, i + 2, text.substr(begin + 3, i - begin - 3)});
    }
    return invalid("EXPR_002",
                   "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was "
                   "not found.",
                   quoted ? "a string literal is not closed: end it with '" : "close it with '}}'");
}

Result<std::string> fill(std::string_view text, const Scope& scope) {
    std::string filled;
    std::size_t at = 0;
    for (;;) {
        CICD_TRY(const auto part, next_part(text, at));
        if (!part) break;
        filled += text.substr(at, part->begin - at);
        CICD_TRY(const auto value, evaluate(trim(part->inside), scope));
        filled += to_display_text(value);
        at = part->end;
    }
    filled += text.substr(at);
    return filled;
}

/// The one expression that the whole text is.
std::optional<std::string_view> sole_expression(std::string_view text) {
    if (!text.starts_with("${{")) return std::nullopt;
    const auto part = next_part(text, 0);
    if (!part || !*part || (*part)->end != text.size()) return std::nullopt;
    return trim((*part)->inside);
}

}  // namespace

Result<Value> evaluate_template(std::string_view text, const Scope& scope) {
    if (const auto sole = sole_expression(text)) return evaluate(*sole, scope);
    CICD_TRY(auto filled, fill(text, scope));
    return Value(std::move(filled));
}

Result<std::string> interpolate(std::string_view text, const Scope& scope) { return fill(text, scope); }

Result<std::vector<Embedded>> embedded_expressions(std::string_view text) {
    std::vector<Embedded> found;
    for (std::size_t at = 0;;) {
        CICD_TRY(const auto part, next_part(text, at));
        if (!part) return found;
        const auto expression = trim(part->inside);
        found.push_back({static_cast<std::size_t>(expression.data() - text.data()), std::string(expression)});
        at = part->end;
    }
}

bool has_expression(std::string_view text) { return text.find("${{") != std::string_view::npos; }

std::string_view strip_braces(std::string_view text) {
    const auto sole = sole_expression(trim(text));
    return sole ? *sole : text;
}

}  // namespace cicd::expr
