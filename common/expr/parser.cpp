#include "common/expr/case_fold.hpp"
#include "common/expr/lexer.hpp"
#include "common/expr/node.hpp"

#include <algorithm>

namespace cicd::expr {
namespace {

/// Recursive descent; `depth_` counts what GitHub counts, which also bounds the recursion here.
class Parser {
public:
    Parser(std::string_view text, std::span<const Token> tokens, std::span<const std::string> context_names,
           std::span<const Function> functions)
        : text_(text), tokens_(tokens), context_names_(context_names), functions_(functions) {}

    Result<Node> run() {
        if (at(TokenKind::end)) return invalid("EXPR_002", "An expression was expected");
        CICD_TRY(auto node, expression());
        if (!at(TokenKind::end)) return unexpected();
        return node;
    }

private:
    /// One level deeper for as long as it lives.
    struct Level {
        explicit Level(int& depth) : depth_(depth) { ++depth_; }
        ~Level() { --depth_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;
        int& depth_;
    };

    [[nodiscard]] const Token& peek() const { return tokens_[at_]; }
    [[nodiscard]] bool at(TokenKind kind) const { return peek().kind == kind; }
    bool take(TokenKind kind) {
        if (!at(kind)) return false;
        if (kind != TokenKind::end) ++at_;
        return true;
    }

    [[nodiscard]] Error problem(const std::string& what, const Token& token) const {
        const std::string name = token.kind == TokenKind::end      ? "EOF"
                                 : token.kind == TokenKind::string ? unquote(token.text)
                                                                   : std::string(token.text);
        return located("EXPR_002", what + ": '" + name + "'", token.offset, text_);
    }
    [[nodiscard]] Error unexpected() const { return problem("Unexpected symbol", peek()); }
    [[nodiscard]] Error ended() const { return problem("Unexpected end of expression", tokens_[at_ ? at_ - 1 : 0]); }

    Result<bool> check_depth() const {
        if (depth_ <= deepest_expression) return true;
        return problem("Exceeded max expression depth " + std::to_string(deepest_expression), peek());
    }

    Result<bool> expect(TokenKind kind) {
        if (take(kind)) return true;
        return unexpected();
    }

    Result<Node> expression() {
        const Level level(depth_);
        CICD_CHECK(check_depth());
        return logical(TokenKind::either);
    }

    /// `a || b || …` of `a && b && …`: a chain is one level deeper, however long it is.
    Result<Node> logical(TokenKind operation) {
        const bool either = operation == TokenKind::either;
        const auto operand = [&] { return either ? logical(TokenKind::both) : comparison(true); };
        CICD_TRY(auto first, operand());
        if (!at(operation)) return first;
        const Level level(depth_);
        CICD_CHECK(check_depth());
        Node node{either ? NodeKind::either : NodeKind::both};
        node.children.push_back(std::move(first));
        while (take(operation)) {
            CICD_TRY(auto next, operand());
            node.children.push_back(std::move(next));
        }
        return node;
    }

    [[nodiscard]] std::optional<Comparison> comparison_here(bool equality) const {
        using enum Comparison;
        if (equality) {
            if (at(TokenKind::equal_equal)) return equal;
            if (at(TokenKind::bang_equal)) return unequal;
            return std::nullopt;
        }
        if (at(TokenKind::less)) return Comparison::less;
        if (at(TokenKind::less_equal)) return less_equal;
        if (at(TokenKind::greater)) return greater;
        if (at(TokenKind::greater_equal)) return greater_equal;
        return std::nullopt;
    }

    /// `==` and `!=`, whose operands are chains of `<`, `<=`, `>` and `>=`.
    Result<Node> comparison(bool equality) {
        const auto operand = [&] { return equality ? comparison(false) : unary(); };
        CICD_TRY(auto first, operand());
        auto operation = comparison_here(equality);
        if (!operation) return first;
        Node node{NodeKind::compare};
        node.children.push_back(std::move(first));
        for (; operation; operation = comparison_here(equality)) {
            ++at_;
            CICD_TRY(auto next, operand());
            node.operators.push_back(*operation);
            node.children.push_back(std::move(next));
        }
        return node;
    }

    Result<Node> unary() {
        if (!take(TokenKind::bang)) return access();
        const Level level(depth_);
        CICD_CHECK(check_depth());
        CICD_TRY(auto operand, unary());
        Node node{NodeKind::negate};
        node.children.push_back(std::move(operand));
        return node;
    }

    Result<Node> access() {
        const bool group = at(TokenKind::left_paren);
        const bool named = at(TokenKind::identifier);
        CICD_TRY(auto base, named ? named_value() : primary());
        if (!group && !named) return base;
        if (!at(TokenKind::left_bracket) && !at(TokenKind::dot)) return base;
        Node node{NodeKind::access};
        node.children.push_back(std::move(base));
        const int depth = depth_;
        while (at(TokenKind::left_bracket) || at(TokenKind::dot)) {
            CICD_TRY(auto step, take(TokenKind::left_bracket) ? index() : property());
            node.children.push_back(std::move(step));
        }
        depth_ = depth;
        return node;
    }

    Result<Node> index() {
        Node step{NodeKind::star};
        if (!take(TokenKind::star)) {
            CICD_TRY(step, expression());
        }
        CICD_CHECK(expect(TokenKind::right_bracket));
        ++depth_;
        CICD_CHECK(check_depth());
        return step;
    }

    Result<Node> property() {
        take(TokenKind::dot);
        ++depth_;
        CICD_CHECK(check_depth());
        if (take(TokenKind::star)) return Node{NodeKind::star};
        if (!at(TokenKind::identifier)) return unexpected();
        return Node{NodeKind::literal, {}, Value(tokens_[at_++].text)};
    }

    Result<Node> named_value() {
        const Token& name = tokens_[at_++];
        if (take(TokenKind::left_paren)) return call(name);
        const bool known = std::any_of(context_names_.begin(), context_names_.end(),
                                       [&](const std::string& context) { return same_text(context, name.text); });
        if (!known) return problem("Unrecognized named-value", name);
        return Node{NodeKind::context, std::string(name.text)};
    }

    Result<Node> call(const Token& name) {
        Node node{NodeKind::call, std::string(name.text)};
        if (!take(TokenKind::right_paren)) {
            do {
                CICD_TRY(auto argument, expression());
                node.children.push_back(std::move(argument));
            } while (take(TokenKind::comma));
            CICD_CHECK(expect(TokenKind::right_paren));
        }
        const Function* function = built_in(name.text);
        if (!function) function = find_function(functions_, name.text);
        if (!function) return problem("Unrecognized function", name);
        const auto count = static_cast<int>(node.children.size());
        if (count < function->min_args) return problem("Too few parameters supplied", name);
        if (count > function->max_args) return problem("Too many parameters supplied", name);
        if (same_text(name.text, "case") && count % 2 == 0)
            return problem("Even number of parameters supplied, requires an odd number of parameters", name);
        return node;
    }

    Result<Node> primary() {
        const Token& token = peek();
        const auto literal = [&](Value value) {
            ++at_;
            return Node{NodeKind::literal, {}, std::move(value)};
        };
        if (at(TokenKind::true_word)) return literal(true);
        if (at(TokenKind::false_word)) return literal(false);
        if (at(TokenKind::null_word)) return literal(nullptr);
        if (at(TokenKind::number)) return literal(token.number);
        if (at(TokenKind::string)) return literal(unquote(token.text));
        if (at(TokenKind::end)) return ended();
        if (!take(TokenKind::left_paren)) return unexpected();
        CICD_TRY(auto inner, expression());
        if (at(TokenKind::end)) return ended();
        CICD_CHECK(expect(TokenKind::right_paren));
        return inner;
    }

    std::string_view text_;
    std::span<const Token> tokens_;
    std::span<const std::string> context_names_;
    std::span<const Function> functions_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace

Result<Expression> Expression::parse(std::string_view text, std::span<const std::string> context_names,
                                     std::span<const Function> functions) {
    CICD_TRY(const auto tokens, lex(text));
    CICD_TRY(auto node, Parser(text, tokens, context_names, functions).run());
    Node root{NodeKind::root, std::string(text)};
    root.children.push_back(std::move(node));
    Expression expression;
    expression.root_ = std::make_shared<const Node>(std::move(root));
    return expression;
}

}  // namespace cicd::expr
