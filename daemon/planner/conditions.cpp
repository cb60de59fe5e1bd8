#include "common/base/text.hpp"
#include "common/pipeline/front.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <array>

namespace cicd::planner {

namespace {

using model::Decision;
using model::Reason;

constexpr std::array<std::string_view, 4> status_functions{"success", "failure", "always", "cancelled"};

/// How the needs may have ended, as the status functions tell it.
struct Ending {
    bool success, failure, cancelled;
};
constexpr std::array<Ending, 3> endings{{{true, false, false}, {false, true, false}, {false, false, true}}};

std::vector<expr::Function> functions(Ending ending) {
    const auto constant = [](bool value) {
        return [value](std::span<const Value>) -> Result<Value> { return Value(value); };
    };
    return {{"success", 0, 255, constant(ending.success)},
            {"failure", 0, 255, constant(ending.failure)},
            {"always", 0, 0, constant(true)},
            {"cancelled", 0, 0, constant(ending.cancelled)},
            {"hashFiles", 1, 255, [](std::span<const Value>) -> Result<Value> {
                 return invalid("EXPR_003", "hashFiles is known only inside a job");
             }}};
}

bool is_static_path(const std::string& path) {
    const auto parts = split(to_lower(path), '.');
    static const std::array<std::string_view, 8> known{"params", "inputs", "vars", "git", "run", "matrix", "strategy", "env"};
    if (const auto foreign = pipeline::is_known_before(to_lower(path))) return *foreign;
    if (std::find(known.begin(), known.end(), parts[0]) == known.end()) return false;
    if (parts[0] != "run") return true;
    return parts.size() > 1 && parts[1] != "id" && parts[1] != "number" && parts[1] != "attempt";
}

bool is_static_expression(const expr::Expression& expression) {
    static constexpr std::array<std::string_view, 1> files{"hashFiles"};
    const auto paths = expression.references();
    return !expression.calls(files) && std::all_of(paths.begin(), paths.end(), is_static_path);
}

Value at_path(const Object& contexts, const std::string& path) {
    Value value{contexts};
    for (const auto& part : split(path, '.')) {
        if (!value.is_object()) return {};
        Value next;
        for (const auto& [key, member] : value.as_object())
            if (to_lower(key) == to_lower(part)) next = member;
        value = next;
    }
    return value;
}

std::string shown(const Value& value) {
    if (value.is_string()) return "'" + value.as_string() + "'";
    if (value.is_null()) return "null";
    if (value.is_array()) return "a list of " + std::to_string(value.as_array().size());
    return expr::to_display_text(value);
}

/// "params.skipTests = true, git.branch = 'main'"
std::string values_of(const expr::Expression& expression, const Object& contexts) {
    std::vector<std::string> parts;
    for (const auto& path : expression.references()) {
        auto part = path + " = " + shown(at_path(contexts, path));
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
    }
    return parts.empty() ? "" : ": " + join(parts, ", ");
}

std::string lacking(const expr::Expression& expression) {
    std::vector<std::string> parts;
    for (const auto& path : expression.references())
        if (!is_static_path(path) && std::find(parts.begin(), parts.end(), path) == parts.end()) parts.push_back(path);
    return parts.empty() ? "how its needs end" : join(parts, ", ");
}

}  // namespace

bool is_static(const std::string& text) {
    const auto embedded = expr::embedded_expressions(text);
    if (!embedded) return false;
    for (const auto& each : *embedded) {
        const auto parsed = expr::Expression::parse(each.text, pipeline::all_context_names(), functions(endings[0]));
        if (!parsed || !is_static_expression(*parsed) || parsed->calls(status_functions)) return false;
    }
    return true;
}

std::optional<Object> static_env(const std::vector<const model::Texts*>& layers, const Object& contexts) {
    expr::Scope scope{contexts, functions(endings[0])};
    Object env;
    for (const auto* layer : layers)
        for (const auto& [name, text] : *layer) {
            if (!is_static(text)) return std::nullopt;
            scope.contexts.set("env", env);
            const auto value = expr::interpolate(text, scope);
            if (!value) return std::nullopt;
            env.set(name, *value);
        }
    return env;
}

Result<Reason> decide_condition(const std::string& condition, const Object& contexts, const std::string& waits) {
    const std::string_view text = trim(expr::strip_braces(trim(condition)));
    if (text.empty() || text == "on_success")
        return Reason{Decision::run, waits.empty() ? "runs at once" : "needs " + waits + "; runs when it succeeded"};
    if (text == "always")
        return Reason{Decision::run, waits.empty() ? "always runs" : "needs " + waits + "; runs however it ended"};
    if (text == "on_failure") {
        if (waits.empty()) return Reason{Decision::skip, "condition on_failure: it needs nothing that could fail"};
        return Reason{Decision::later, "needs " + waits + "; runs only when it failed"};
    }
    const std::string quoted = "condition '" + std::string(text) + "'";
    CICD_TRY(const auto parsed, expr::Expression::parse(text, pipeline::all_context_names(), functions(endings[0])));
    if (!is_static_expression(parsed)) return Reason{Decision::later, quoted + " depends on " + lacking(parsed)};
    const bool by_status = parsed.calls(status_functions);
    std::array<bool, endings.size()> outcome{};
    for (std::size_t i = 0; i < endings.size(); ++i) {
        CICD_TRY(const auto value, parsed.evaluate({contexts, functions(endings[i])}));
        outcome[i] = expr::is_truthy(value);
    }
    if (!outcome[0] && !outcome[1] && !outcome[2])
        return Reason{Decision::skip, quoted + " is false" + values_of(parsed, contexts)};
    if (!by_status || (outcome[0] && !outcome[1] && !outcome[2]))
        return Reason{Decision::run, quoted + " is true" + values_of(parsed, contexts) +
                                         (waits.empty() ? "" : "; needs " + waits)};
    if (waits.empty() && !outcome[0])
        return Reason{Decision::skip, quoted + " is false: it needs nothing that could fail"};
    if (outcome[0] && outcome[1])
        return Reason{Decision::run, quoted + " is true however its needs end" + values_of(parsed, contexts)};
    return Reason{Decision::later, quoted + " depends on how its needs end" + values_of(parsed, contexts)};
}

}  // namespace cicd::planner
