#include "daemon/runner/context.hpp"

#include "common/base/text.hpp"
#include "daemon/runner/hash_files.hpp"

#include <array>

namespace cicd::runner {
namespace {

/// GitHub's `jobs` is known only where a called workflow gives its outputs.
constexpr std::array context_names{"params", "inputs", "vars", "matrix", "strategy", "needs",
                                   "run",    "git",    "runner", "environment", "secrets"};
constexpr std::array<std::string_view, 4> status_functions{"success", "failure", "always", "cancelled"};
constexpr int many = 255;

std::string_view word(JobStatus status) {
    switch (status) {
        case JobStatus::success: return "success";
        case JobStatus::failure: return "failure";
        case JobStatus::cancelled: return "cancelled";
    }
    return "";
}

expr::Function status_function(const char* name, bool answer) {
    return {name, 0, 0, [answer](std::span<const Value>) -> Result<Value> { return Value(answer); }};
}

Object to_object(const model::Texts& texts) {
    Object object;
    for (const auto& [name, value] : texts) object.set(name, value);
    return object;
}

}  // namespace

void put(model::Texts& texts, const std::string& name, std::string value) {
    for (auto& [known, old] : texts)
        if (known == name) {
            old = std::move(value);
            return;
        }
    texts.emplace_back(name, std::move(value));
}

Context::Context(const model::JobSpec& spec, Object secrets, Workspace workspace)
    : workspace_(std::move(workspace)) {
    for (const char* name : context_names) fixed_.set(name, Object());
    if (spec.contexts.is_object())
        for (const auto& [name, value] : spec.contexts.as_object()) fixed_.set(name, value);
    if (!spec.contexts["inputs"].is_object()) fixed_.set("inputs", *fixed_.find("params"));
    fixed_.set("secrets", std::move(secrets));
}

Result<void> Context::add_env(const model::Texts& layer) {
    for (const auto& [name, value] : layer) {
        auto evaluated = text(value);
        if (!evaluated) return std::move(evaluated.error()).within("env." + name);
        put(env_, name, std::move(*evaluated));
    }
    return {};
}

void Context::set_env(const model::Texts& values) {
    for (const auto& [name, value] : values) put(env_, name, value);
}

void Context::set_steps(std::string_view id, const model::Texts& outputs, std::string_view outcome,
                        std::string_view conclusion) {
    if (id.empty()) return;
    steps_.set(std::string(id),
               Object{{"outputs", to_object(outputs)}, {"outcome", outcome}, {"conclusion", conclusion}});
}

expr::Scope Context::scope() const {
    expr::Scope scope{fixed_, {}};
    scope.contexts.set("env", to_object(env_));
    scope.contexts.set("steps", steps_);
    scope.contexts.set("job", Object{{"status", word(status_)}});
    scope.functions = {status_function("success", status_ == JobStatus::success),
                       status_function("failure", status_ == JobStatus::failure), status_function("always", true),
                       status_function("cancelled", status_ == JobStatus::cancelled)};
    scope.functions.push_back({"hashFiles", 1, many, [this](std::span<const Value> arguments) -> Result<Value> {
        std::vector<std::string> patterns;
        for (const auto& argument : arguments)
            for (const auto& line : split(expr::to_display_text(argument), '\n'))
                if (!trim(line).empty()) patterns.emplace_back(trim(line));
        CICD_TRY(auto hash, hash_files(workspace_(), patterns));
        return Value(std::move(hash));
    }});
    return scope;
}

Result<std::string> Context::text(std::string_view text) const {
    if (!expr::has_expression(text)) return std::string(text);
    return expr::interpolate(text, scope());
}

Result<bool> Context::truth(const model::OrExpression<bool>& value) const {
    if (value.expression.empty()) return value.value;
    CICD_TRY(const auto result, expr::evaluate(expr::strip_braces(value.expression), scope()));
    return expr::is_truthy(result);
}

Result<Condition> Context::condition(std::string_view text) const {
    text = trim(text);
    const auto not_well = status_ == JobStatus::cancelled ? "the job was ended" : "an earlier step failed";
    if (text.empty() || text == "on_success") return Condition{status_ == JobStatus::success, not_well};
    if (text == "always") return Condition{true, {}};
    if (text == "on_failure") return Condition{status_ == JobStatus::failure, "no earlier step failed"};
    const auto now = scope();
    std::vector<std::string> names;
    for (const auto& [name, value] : now.contexts) names.push_back(name);
    CICD_TRY(const auto expression, expr::Expression::parse(expr::strip_braces(text), names, now.functions));
    if (!expression.calls(status_functions) && status_ != JobStatus::success) return Condition{false, not_well};
    CICD_TRY(const auto value, expression.evaluate(now));
    return Condition{expr::is_truthy(value), "condition '" + std::string(expr::strip_braces(text)) + "' is false"};
}

const Value& Context::spec_value(std::string_view context, std::string_view member) const {
    static const Value null;
    const Value* value = fixed_.find(context);
    return value ? (*value)[member] : null;
}

}  // namespace cicd::runner
