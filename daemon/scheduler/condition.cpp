#include "daemon/scheduler/condition.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"

#include <array>
#include <vector>

namespace cicd::scheduler {
namespace {

constexpr std::array<std::string_view, 4> status_names{"success", "failure", "always", "cancelled"};
constexpr std::array<std::string_view, 2> surviving_names{"always", "cancelled"};

std::vector<expr::Function> status_functions(const Status& status) {
    const auto constant = [](const char* name, bool value) {
        return expr::Function{name, 0, 255, [value](std::span<const Value>) -> Result<Value> { return Value(value); }};
    };
    return {constant("success", status.success), constant("failure", status.failure), constant("always", true),
            constant("cancelled", status.cancelled)};
}

std::vector<std::string> names_of(const Object& contexts) {
    std::vector<std::string> names{"secrets", "steps", "job", "runner"};  // nothing is in them yet
    for (const auto& [name, value] : contexts) names.push_back(name);
    return names;
}

/// The values that an expression read: "params.skipTests = true".
std::string explain(const expr::Expression& expression, const Object& contexts) {
    std::string list;
    for (const auto& path : expression.references()) {
        Value value = contexts;
        for (const auto& part : split(path, '.')) value = value[part];
        auto text = codec::to_json(value);
        if (text.size() > 80) text = text.substr(0, 77) + "...";
        list += (list.empty() ? ": " : ", ") + path + " = " + to_valid_utf8(text);
    }
    return list;
}

}  // namespace

Result<Condition> Condition::parse(std::string_view text, const Object& contexts) {
    Condition condition;
    condition.text_ = std::string(trim(expr::strip_braces(trim(text))));
    if (condition.text_.empty() || condition.text_ == "on_success") return condition;
    if (condition.text_ == "on_failure") {
        condition.kind_ = Kind::on_failure;
        return condition;
    }
    if (condition.text_ == "always") {
        condition.kind_ = Kind::always;
        condition.survives_cancel_ = true;
        return condition;
    }
    condition.kind_ = Kind::expression;
    const auto names = names_of(contexts);
    const auto functions = status_functions({});
    auto parsed = expr::Expression::parse(condition.text_, names, functions);
    if (!parsed) return Error(parsed.error()).within("condition '" + condition.text_ + "'");
    condition.asks_status_ = parsed->calls(status_names);
    condition.survives_cancel_ = parsed->calls(surviving_names);
    condition.expression_ = std::move(*parsed);
    return condition;
}

Object Condition::values(const Object& contexts) const {
    Object values;
    if (!expression_) return values;
    for (const auto& path : expression_->references()) {
        Value value = contexts;
        for (const auto& part : split(path, '.')) value = value[part];
        values.set(path, value);
    }
    return values;
}

bool Condition::reads_matrix() const {
    if (!expression_) return false;
    for (const auto& path : expression_->references())
        if (const auto root = path.substr(0, path.find('.')); root == "matrix" || root == "strategy") return true;
    return false;
}

Result<Verdict> Condition::judge(const Status& status, const Object& contexts) const {
    switch (kind_) {
        case Kind::always:
            return Verdict{};
        case Kind::on_success:
            return Verdict{status.success, status.cause};
        case Kind::on_failure:
            if (status.failure && !status.cancelled) return Verdict{};
            return Verdict{false, "condition 'on_failure': nothing it needs failed"};
        case Kind::expression:
            break;
    }
    if (!asks_status_ && !status.success) return Verdict{false, status.cause};
    const auto value = expression_->evaluate({contexts, status_functions(status)});
    if (!value) return Error(value.error()).within("condition '" + text_ + "'");
    if (expr::is_truthy(*value)) return Verdict{};
    return Verdict{false, "condition '" + text_ + "' is false" + explain(*expression_, contexts)};
}

Result<bool> evaluate_flag(const std::string& expression, const Object& contexts) {
    CICD_TRY(const auto result, expr::evaluate(trim(expr::strip_braces(trim(expression))), {contexts, {}}));
    return expr::is_truthy(result);
}

}  // namespace cicd::scheduler
