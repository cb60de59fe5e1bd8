#include "common/expr/lexer.hpp"

#include "common/base/text.hpp"
#include "common/expr/coerce.hpp"

#include <cmath>
#include <limits>

namespace cicd::expr {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_identifier(std::string_view text) {
    if (text.empty() || !is_letter(text[0])) return false;
    for (const char c : text)
        if (!is_letter(c) && !is_digit(c) && c != '-') return false;
    return true;
}

/// Length in UTF-16 units.
std::size_t units(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        count += (byte & 0xC0) == 0x80 ? 0 : byte >= 0xF0 ? 2 : 1;
    }
    return count;
}

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Result<std::vector<Token>> run() {
        if (text_.size() > longest_expression && units(text_) > longest_expression)
            return invalid("EXPR_001", "Exceeded max expression length " + std::to_string(longest_expression));
        tokens_.reserve(text_.size() / 4 + 2);
        while (at_ < text_.size()) {
            start_ = at_;
            if (!next()) return unexpected();
        }
        tokens_.push_back({TokenKind::end, {}, start_, 0});
        return std::move(tokens_);
    }

private:
    bool next() {
        const char c = text_[at_++];
        switch (c) {
            case '(': return add(TokenKind::left_paren);
            case ')': return add(TokenKind::right_paren);
            case '[': return add(TokenKind::left_bracket);
            case ']': return add(TokenKind::right_bracket);
            case ',': return add(TokenKind::comma);
            case '*': return add(TokenKind::star);
            case '!': return take('=') ? add(TokenKind::bang_equal) : add(TokenKind::bang);
            case '<': return take('=') ? add(TokenKind::less_equal) : add(TokenKind::less);
            case '>': return take('=') ? add(TokenKind::greater_equal) : add(TokenKind::greater);
            case '=': return take('=') ? add(TokenKind::equal_equal) : word();
            case '&': return take('&') ? add(TokenKind::both) : word();
            case '|': return take('|') ? add(TokenKind::either) : word();
            case '.': return follows_value() ? add(TokenKind::dot) : number();
            case '-':
            case '+': return number();
            case ' ':
            case '\t':
            case '\r':
            case '\n': return true;
            case '\'': return string();
            default: return is_digit(c) ? number() : word();
        }
    }

    bool add(TokenKind kind, double number = 0) {
        tokens_.push_back({kind, text_.substr(start_, at_ - start_), start_, number});
        return true;
    }

    bool take(char wanted) {
        if (at_ >= text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }

    [[nodiscard]] TokenKind previous() const { return tokens_.empty() ? TokenKind::end : tokens_.back().kind; }

    /// Whether a dot here takes a property; otherwise it begins a number.
    [[nodiscard]] bool follows_value() const {
        const auto kind = previous();
        return kind == TokenKind::identifier || kind == TokenKind::right_bracket || kind == TokenKind::right_paren ||
               kind == TokenKind::star;
    }

    [[nodiscard]] bool at_boundary() const {
        return std::string_view("([)],.!><=&|").find(text_[at_]) != std::string_view::npos ||
               space_length(text_.substr(at_, 3)) > 0;
    }

    bool number() {
        while (at_ < text_.size() && (text_[at_] == '.' || !at_boundary())) ++at_;
        const double value = parse_number(text_.substr(start_, at_ - start_));
        return !std::isnan(value) && add(TokenKind::number, value);
    }

    bool string() {
        while (at_ < text_.size()) {
            if (text_[at_++] != '\'') continue;
            if (!take('\'')) return add(TokenKind::string);
        }
        return false;
    }

    bool word() {
        while (at_ < text_.size() && !at_boundary()) ++at_;
        const auto text = text_.substr(start_, at_ - start_);
        if (previous() != TokenKind::dot) {
            if (text == "true") return add(TokenKind::true_word);
            if (text == "false") return add(TokenKind::false_word);
            if (text == "null") return add(TokenKind::null_word);
            if (text == "NaN") return add(TokenKind::number, std::numeric_limits<double>::quiet_NaN());
            if (text == "Infinity") return add(TokenKind::number, std::numeric_limits<double>::infinity());
        }
        return is_identifier(text) && add(TokenKind::identifier);
    }

    [[nodiscard]] Error unexpected() const {
        const std::string symbol(text_.substr(start_, at_ - start_));
        return located("EXPR_001", "Unexpected symbol: '" + symbol + "'", start_, text_);
    }

    std::string_view text_;
    std::size_t start_ = 0;
    std::size_t at_ = 0;
    std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> lex(std::string_view expression) { return Lexer(expression).run(); }

Error located(const char* code, const std::string& what, std::size_t offset, std::string_view expression) {
    return invalid(code, to_valid_utf8(what + ". Located at position " +
                                       std::to_string(units(expression.substr(0, offset)) + 1) +
                                       " within expression: " + std::string(expression)));
}

std::string unquote(std::string_view literal) {
    std::string text;
    const auto inner = literal.substr(1, literal.size() - 2);
    for (std::size_t i = 0; i < inner.size(); ++i) {
        text += inner[i];
        if (inner[i] == '\'') ++i;
    }
    return text;
}

}  // namespace cicd::expr
