#include "common/base/text.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <array>

/// Which secrets texts read.
namespace cicd::planner {

namespace {

const std::vector<std::string>& context_names() {
    static const std::vector<std::string> names{"params", "inputs", "env", "vars", "secrets", "matrix", "strategy",
                                                "needs",  "steps",  "job", "run",  "git",     "runner", "environment", "github"};
    return names;
}

const std::vector<expr::Function>& functions() {
    static const auto nothing = [](std::span<const Value>) -> Result<Value> { return Value(); };
    static const std::vector<expr::Function> all{{"success", 0, 255, nothing},
                                                 {"failure", 0, 255, nothing},
                                                 {"always", 0, 255, nothing},
                                                 {"cancelled", 0, 255, nothing},
                                                 {"hashFiles", 1, 255, nothing}};
    return all;
}

bool may_read_secrets(std::string_view text) {
    constexpr std::string_view word = "secrets";
    const auto same = [](char a, char b) { return a == b || (a ^ b) == ('a' ^ 'A'); };
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

void in_expression(std::string_view text, const std::function<void(const std::string&)>& found) {
    const auto parsed = expr::Expression::parse(text, context_names(), functions());
    if (!parsed) return;
    for (const auto& path : parsed->references()) {
        const auto parts = split(path, '.');
        if (to_lower(parts[0]) == "secrets") found(parts.size() > 1 && parts[1] != "*" ? parts[1] : model::all_secrets);
    }
}

}  // namespace

void for_each_secret(const std::string& text, bool bare, const std::function<void(const std::string& name)>& found) {
    if (!may_read_secrets(text)) return;
    if (bare && !expr::has_expression(text)) return in_expression(text, found);
    const auto embedded = expr::embedded_expressions(text);
    if (!embedded) return;
    for (const auto& each : *embedded) in_expression(each.text, found);
}

model::Strings secrets_of(const model::Texts& pipeline_env, const model::Texts& stage_env, const model::Job& job) {
    model::Strings names;
    const auto add = [&](const std::string& name) {
        const auto same = [&](const std::string& known) { return to_lower(known) == to_lower(name); };
        if (std::none_of(names.begin(), names.end(), same)) names.push_back(name);
    };
    for (const auto* env : {&pipeline_env, &stage_env})
        for (const auto& [name, text] : *env) for_each_secret(text, false, add);
    if (job.image && !job.image->credentials.empty()) add(job.image->credentials);
    for_each_text(job,
                  [&](const std::string& text, const model::Mark&, bool bare) { for_each_secret(text, bare, add); });
    return names;
}

}  // namespace cicd::planner
