#include "common/base/text.hpp"
#include "common/pipeline/gitlab/decide.hpp"
#include "common/pipeline/gitlab/pattern.hpp"

#include <cctype>

namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t longest = 16 * 1024;
constexpr int deepest = 50;

/// A text, nothing, or the answer of a comparison.
struct Operand {
    std::optional<std::string> text;
    std::optional<bool> truth;
    [[nodiscard]] bool holds() const { return truth ? *truth : text && !text->empty(); }
};

class Condition {
public:
    Condition(std::string_view text, const Variables& variables) : text_(text), variables_(variables) {}

    Result<IfResult> evaluate() {
        CICD_TRY(const auto result, any(0));
        skip();
        if (at_ < text_.size()) return wrong("'" + std::string(text_.substr(at_, 20)) + "' is not understood");
        return IfResult{result.holds(), seen_};
    }

private:
    Error wrong(const std::string& what) const {
        return invalid("PIPELINE_006", "the condition '" + std::string(trim(text_)) + "': " + what,
                       "compare variables with texts: $CI_COMMIT_BRANCH == \"main\"");
    }

    void skip() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    }
    bool take(std::string_view token) {
        skip();
        if (!text_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }

    Result<Operand> any(int depth) {
        if (depth > deepest) return wrong("is nested too deep");
        CICD_TRY(auto left, all(depth));
        while (take("||")) {
            CICD_TRY(const auto right, all(depth));
            left = {std::nullopt, left.holds() || right.holds()};
        }
        return left;
    }

    Result<Operand> all(int depth) {
        CICD_TRY(auto left, comparison(depth));
        while (take("&&")) {
            CICD_TRY(const auto right, comparison(depth));
            left = {std::nullopt, left.holds() && right.holds()};
        }
        return left;
    }

    Result<Operand> comparison(int depth) {
        CICD_TRY(auto left, operand(depth));
        for (const std::string_view token : {"==", "!=", "=~", "!~"}) {
            if (!take(token)) continue;
            CICD_TRY(const auto right, operand(depth));
            if (token == "==" || token == "!=") return Operand{std::nullopt, (left.text == right.text && left.truth == right.truth) == (token == "==")};
            if (!right.text || right.text->empty()) return Operand{std::nullopt, token == "!~"};
            // A variable that is to be a pattern may hold a plain text, which is then compared as it is.
            if (!is_pattern(*right.text)) return Operand{std::nullopt, (left.text.value_or("").find(*right.text) != std::string::npos) == (token == "=~")};
            CICD_TRY(const bool found, matches(*right.text, left.text.value_or("")));
            return Operand{std::nullopt, (left.text.has_value() && found) == (token == "=~")};
        }
        return left;
    }

    Result<Operand> operand(int depth) {
        skip();
        if (take("(")) {
            CICD_TRY(const auto inner, any(depth + 1));
            if (!take(")")) return wrong("a '(' is not closed");
            return Operand{std::nullopt, inner.holds()};
        }
        if (at_ >= text_.size()) return wrong("ends where a variable or a text is expected");
        const char c = text_[at_];
        if (c == '$') return variable();
        if (c == '"' || c == '\'') return in_quotes(c);
        if (c == '/') return pattern();
        if (take("null")) return Operand{};
        if (take("true")) return Operand{std::nullopt, true};
        if (take("false")) return Operand{std::nullopt, false};
        return wrong("'" + std::string(text_.substr(at_, 20)) + "' is not understood");
    }

    Result<Operand> variable() {
        auto begin = ++at_;
        const bool braced = begin < text_.size() && text_[begin] == '{';
        if (braced) begin = ++at_;
        while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) ++at_;
        const std::string name(text_.substr(begin, at_ - begin));
        if (name.empty() || (braced && (at_ >= text_.size() || text_[at_++] != '}'))) return wrong("a '$' without a name");
        auto value = variables_.known(name);
        const auto shown = name + (value ? " = \"" + value->substr(0, 60) + "\"" : " is not set");
        if (seen_.find(shown) == std::string::npos) seen_ += (seen_.empty() ? "" : ", ") + shown;
        return Operand{std::move(value), std::nullopt};
    }

    Result<Operand> in_quotes(char quote) {
        const auto end = text_.find(quote, at_ + 1);
        if (end == text_.npos) return wrong("a quote is not closed");
        Operand result{std::string(text_.substr(at_ + 1, end - at_ - 1)), std::nullopt};
        at_ = end + 1;
        return result;
    }

    Result<Operand> pattern() {
        const auto begin = at_++;
        while (at_ < text_.size() && text_[at_] != '/') at_ += text_[at_] == '\\' ? 2 : 1;
        if (at_ >= text_.size()) return wrong("a regular expression is not closed: it ends with '/'");
        ++at_;
        while (at_ < text_.size() && std::string_view("imsU").find(text_[at_]) != std::string_view::npos) ++at_;
        return Operand{std::string(text_.substr(begin, at_ - begin)), std::nullopt};
    }

    std::string_view text_;
    const Variables& variables_;
    std::size_t at_ = 0;
    std::string seen_;
};

}  // namespace

Result<IfResult> evaluate_if(std::string_view expression, const Variables& variables) {
    if (expression.size() > longest) return invalid("PIPELINE_006", "a condition is longer than 16 KiB");
    return Condition(expression, variables).evaluate();
}

}  // namespace cicd::pipeline::gitlab
