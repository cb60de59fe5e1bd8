#include "common/base/text.hpp"
#include "common/pipeline/front.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <array>
#include <set>

/// Which secrets texts read.
namespace cicd::planner {

namespace {

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

using Found = std::function<void(const std::string&)>;

void each_reference(std::string_view expression, const Found& found) {
    const auto parsed = expr::Expression::parse(expression, pipeline::all_context_names(), functions());
    if (!parsed) return;
    for (const auto& path : parsed->references()) found(path);
}

void in_expression(std::string_view text, const Found& found) {
    each_reference(text, [&](const std::string& path) {
        const auto parts = split(path, '.');
        if (to_lower(parts[0]) == "secrets") found(parts.size() > 1 && parts[1] != "*" ? parts[1] : model::all_secrets);
    });
}

void in_text(const std::string& text, bool bare, const Found& found) {
    if (bare && !expr::has_expression(text)) return each_reference(text, found);
    const auto embedded = expr::embedded_expressions(text);
    if (!embedded) return;
    for (const auto& each : *embedded) each_reference(each.text, found);
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

model::Strings references_of(const model::Texts& pipeline_env, const model::Texts& stage_env, const model::Job& job) {
    std::set<std::string> paths;
    const auto add = [&](const std::string& path) {
        const auto context = to_lower(path.substr(0, path.find_first_of(".[")));
        constexpr std::array own{"steps", "env", "secrets", "job", "runner"};
        if (std::find(own.begin(), own.end(), context) == own.end()) paths.insert(path);
    };
    for (const auto* env : {&pipeline_env, &stage_env})
        for (const auto& [name, text] : *env) in_text(text, false, add);
    for_each_text(job, [&](const std::string& text, const model::Mark&, bool bare) { in_text(text, bare, add); });
    return {paths.begin(), paths.end()};
}

}  // namespace cicd::planner
