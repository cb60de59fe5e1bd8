#include "common/pipeline/gitlab/condition.hpp"

#include "common/base/text.hpp"
#include "common/pipeline/gitlab/decide.hpp"
#include "common/pipeline/gitlab/pattern.hpp"

#include <cctype>

namespace cicd::pipeline::gitlab {
namespace {

using Kind = Term::Kind;

constexpr std::size_t longest = 16 * 1024;
constexpr int deepest = 50;

Error wrong_condition(std::string_view text, const std::string& what) {
    return invalid("PIPELINE_006", "the condition '" + std::string(trim(text)) + "': " + what,
                   "compare variables with texts: $CI_COMMIT_BRANCH == \"main\"");
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<Term> parse() {
        CICD_TRY(auto result, any(0));
        skip();
        if (at_ < text_.size()) return wrong("'" + std::string(text_.substr(at_, 20)) + "' is not understood");
        return result;
    }

private:
    Error wrong(const std::string& what) const { return wrong_condition(text_, what); }

    void skip() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    }
    bool take(std::string_view token) {
        skip();
        if (!text_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }

    Result<Term> any(int depth) {
        if (depth > deepest) return wrong("is nested too deep");
        CICD_TRY(auto left, all(depth));
        while (take("||")) {
            CICD_TRY(auto right, all(depth));
            left = Term{.kind = Kind::any, .parts = {std::move(left), std::move(right)}};
        }
        return left;
    }

    Result<Term> all(int depth) {
        CICD_TRY(auto left, comparison(depth));
        while (take("&&")) {
            CICD_TRY(auto right, comparison(depth));
            left = Term{.kind = Kind::all, .parts = {std::move(left), std::move(right)}};
        }
        return left;
    }

    Result<Term> comparison(int depth) {
        CICD_TRY(auto left, operand(depth));
        for (const auto& [token, kind] : {std::pair{"==", Kind::equal}, {"!=", Kind::differs}, {"=~", Kind::matches}, {"!~", Kind::matches_not}}) {
            if (!take(token)) continue;
            CICD_TRY(auto right, operand(depth));
            return Term{.kind = kind, .parts = {std::move(left), std::move(right)}};
        }
        return left;
    }

    Result<Term> operand(int depth) {
        skip();
        if (take("(")) {
            CICD_TRY(auto inner, any(depth + 1));
            if (!take(")")) return wrong("a '(' is not closed");
            return Term{.kind = Kind::group, .parts = {std::move(inner)}};
        }
        if (at_ >= text_.size()) return wrong("ends where a variable or a text is expected");
        const char c = text_[at_];
        if (c == '$') return variable();
        if (c == '"' || c == '\'') return in_quotes(c);
        if (c == '/') return pattern();
        if (take("null")) return Term{};
        if (take("true")) return Term{.kind = Kind::truth, .truth = true};
        if (take("false")) return Term{.kind = Kind::truth};
        return wrong("'" + std::string(text_.substr(at_, 20)) + "' is not understood");
    }

    Result<Term> variable() {
        auto begin = ++at_;
        const bool braced = begin < text_.size() && text_[begin] == '{';
        if (braced) begin = ++at_;
        while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) ++at_;
        const std::string name(text_.substr(begin, at_ - begin));
        if (name.empty() || (braced && (at_ >= text_.size() || text_[at_++] != '}'))) return wrong("a '$' without a name");
        return Term{.kind = Kind::variable, .text = name};
    }

    Result<Term> in_quotes(char quote) {
        const auto end = text_.find(quote, at_ + 1);
        if (end == text_.npos) return wrong("a quote is not closed");
        Term result{.kind = Kind::text, .text = std::string(text_.substr(at_ + 1, end - at_ - 1))};
        at_ = end + 1;
        return result;
    }

    Result<Term> pattern() {
        const auto begin = at_++;
        while (at_ < text_.size() && text_[at_] != '/') at_ += text_[at_] == '\\' ? 2 : 1;
        if (at_ >= text_.size()) return wrong("a regular expression is not closed: it ends with '/'");
        ++at_;
        while (at_ < text_.size() && std::string_view("imsU").find(text_[at_]) != std::string_view::npos) ++at_;
        return Term{.kind = Kind::pattern, .text = std::string(text_.substr(begin, at_ - begin))};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// A text, nothing, or the answer of a comparison.
struct Operand {
    std::optional<std::string> text;
    std::optional<bool> truth;
    [[nodiscard]] bool holds() const { return truth ? *truth : text && !text->empty(); }
};

class Evaluation {
public:
    explicit Evaluation(const Variables& variables) : variables_(variables) {}

    Result<Operand> of(const Term& term) {
        switch (term.kind) {
            case Kind::null: return Operand{};
            case Kind::truth: return Operand{std::nullopt, term.truth};
            case Kind::text:
            case Kind::pattern: return Operand{term.text, std::nullopt};
            case Kind::variable: return variable(term.text);
            case Kind::group: {
                CICD_TRY(const auto inner, of(term.parts[0]));
                return Operand{std::nullopt, inner.holds()};
            }
            case Kind::any:
            case Kind::all:
            case Kind::equal:
            case Kind::differs:
            case Kind::matches:
            case Kind::matches_not: break;
        }
        CICD_TRY(const auto left, of(term.parts[0]));
        CICD_TRY(const auto right, of(term.parts[1]));
        CICD_TRY(const bool truth, answer(term.kind, left, right));
        return Operand{std::nullopt, truth};
    }

    std::string seen;

private:
    static Result<bool> answer(Kind kind, const Operand& left, const Operand& right) {
        if (kind == Kind::any) return left.holds() || right.holds();
        if (kind == Kind::all) return left.holds() && right.holds();
        if (kind == Kind::equal || kind == Kind::differs) return (left.text == right.text && left.truth == right.truth) == (kind == Kind::equal);
        if (!right.text || right.text->empty()) return kind == Kind::matches_not;
        // A variable that is to be a pattern may hold a plain text, which is then compared as it is.
        if (!is_pattern(*right.text)) return (left.text.value_or("").find(*right.text) != std::string::npos) == (kind == Kind::matches);
        CICD_TRY(const bool found, gitlab::matches(*right.text, left.text.value_or("")));
        return (left.text.has_value() && found) == (kind == Kind::matches);
    }

    Operand variable(const std::string& name) {
        auto value = variables_.known(name);
        const auto shown = name + (value ? " = \"" + value->substr(0, 60) + "\"" : " is not set");
        if (seen.find(shown) == std::string::npos) seen += (seen.empty() ? "" : ", ") + shown;
        return Operand{std::move(value), std::nullopt};
    }

    const Variables& variables_;
};

}  // namespace

Result<Term> parse_if(std::string_view expression) {
    if (expression.size() > longest) return invalid("PIPELINE_006", "a condition is longer than 16 KiB");
    return Parser(expression).parse();
}

Result<IfResult> evaluate_if(std::string_view expression, const Variables& variables) {
    CICD_TRY(const auto term, parse_if(expression));
    Evaluation evaluation(variables);
    CICD_TRY(const auto result, evaluation.of(term));
    return IfResult{result.holds(), evaluation.seen};
}

}  // namespace cicd::pipeline::gitlab
