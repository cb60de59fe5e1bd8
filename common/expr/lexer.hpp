#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace cicd::expr {

enum class TokenKind {
    left_paren, right_paren, left_bracket, right_bracket, comma, dot, star,
    bang, bang_equal, equal_equal, greater, greater_equal, less, less_equal, both, either,
    number, string, identifier, true_word, false_word, null_word, end,
};

struct Token {
    TokenKind kind = TokenKind::end;
    std::string_view text;   ///< as written; a view of the expression
    std::size_t offset = 0;  ///< in bytes
    double number = 0;
};

/// The expression's tokens, the last one being `end`. Fails with EXPR_001.
Result<std::vector<Token>> lex(std::string_view expression);

/// "what. Located at position N within expression: E"; positions count UTF-16 units from 1, as GitHub's do.
Error located(const char* code, const std::string& what, std::size_t offset, std::string_view expression);
/// What a string literal means: without its quotes, with '' as '.
std::string unquote(std::string_view literal);

constexpr std::size_t longest_expression = 21'000;  ///< in UTF-16 units
constexpr int deepest_expression = 50;

}  // namespace cicd::expr
