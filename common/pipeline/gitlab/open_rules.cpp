#include "common/base/text.hpp"
#include "common/pipeline/gitlab/files.hpp"
#include "common/pipeline/gitlab/open.hpp"
#include "common/pipeline/gitlab/pattern.hpp"
#include "common/pipeline/rewrite.hpp"

#include <algorithm>

namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t longest = 100;  ///< comparisons in the rules of a job

Formula files_exist(Questions& questions, const Node& at) {
    const auto& s = questions.setting();
    const Node* paths = at.kind == NodeKind::map ? at.find("paths") : &at;
    if (!paths) return Formula::constant(true);
    if (at.kind == NodeKind::map && at.find("project")) {
        s.r.approximated(at, "rules:exists:project", "files of other projects are not known here; the rule does not apply");
        return Formula::constant(false);
    }
    const auto patterns = s.r.texts(*paths);
    const bool any = std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return exists(s.options, questions.variables().expand_known(pattern)); });
    s.r.approximated(at, "rules:exists: " + join(patterns, ", "), any ? "there is such a file now; later it is not looked for" : "there is no such file now; later it is not looked for");
    return Formula::constant(any);
}

/// What changed is not known to a condition: jobs run whatever it was.
Formula paths_changed(Questions& questions, const Node& at, bool excludes) {
    questions.setting().r.approximated(at, "changes", excludes ? "what changed is not asked, so this excludes nothing" : "what changed is not asked: this holds whatever changed");
    return Formula::constant(!excludes);
}

class OnlyList {
public:
    OnlyList(Questions& questions, bool excludes) : q_(questions), r_(questions.setting().r), excludes_(excludes) {}

    Formula of(const Node& at) {
        if (at.kind != NodeKind::map) return refs(at);
        std::vector<Formula> parts;
        for (const auto& [key, value] : at.members) {
            if (key->text == "refs") parts.push_back(refs(*value));
            else if (key->text == "variables") parts.push_back(expressions(*value));
            else if (key->text == "changes") parts.push_back(paths_changed(q_, *key, excludes_));
            else if (key->text == "kubernetes") parts.push_back(kubernetes(*value));
            else r_.error(*key, "unknown key '" + key->text + "' in 'only' or 'except'", "refs, variables, changes or kubernetes");
        }
        auto result = Formula::constant(!excludes_);
        for (const auto& part : parts) result = excludes_ ? result || part : result && part;
        return result;
    }

private:
    Formula kubernetes(const Node& at) {
        r_.approximated(at, "kubernetes: active", "there is no cluster here, so it is never active");
        return Formula::constant(false);
    }

    Formula refs(const Node& at) {
        std::vector<Formula> parts;
        for (const Node* item : r_.flat(at)) parts.push_back(ref(*item));
        return Formula::any_of(std::move(parts));
    }

    Formula ref(const Node& at) {
        auto name = r_.text(at);
        if (name == "branches") return !is_merge_request() && Formula::equal("git.tag", "");
        if (name == "tags") return !Formula::equal("git.tag", "");
        if (name == "merge_requests") return is_merge_request();
        for (const auto& [word, event] : {std::pair{"pushes", "push"}, {"schedules", "schedule"}, {"triggers", "trigger"}, {"pipelines", "pipeline"}, {"web", "web"}})
            if (name == word) return of_event(event);
        for (const char* word : {"api", "chat", "external", "external_pull_requests"})
            if (name == word) {
                r_.unsupported(at, name, "nothing of ours begins a run so");
                return Formula::constant(false);
            }
        if (const auto place = name.rfind('@'); place != name.npos && !name.starts_with('/')) name.erase(place);
        else if (const auto end = name.rfind("/@"); end != name.npos && end > 0 && name.starts_with('/')) name.erase(end + 1);
        if (!is_pattern(name)) return !is_merge_request() && Formula::equal("git.refName", name);
        return !is_merge_request() && q_.matches(at, {.expression = "git.refName"}, name);
    }

    Formula expressions(const Node& at) {
        std::vector<Formula> parts;
        for (const Node* item : r_.flat(at)) parts.push_back(q_.ask(*item, r_.text(*item)));
        return Formula::any_of(std::move(parts));
    }

    Questions& q_;
    Reader& r_;
    bool excludes_;
};

}  // namespace

std::vector<OpenRule> open_rules(Questions& questions, const Node& rules) {
    auto& r = questions.setting().r;
    std::vector<OpenRule> open;
    std::size_t size = 0;
    for (const Node* rule : r.flat(rules)) {
        if (rule->kind != NodeKind::map) {
            r.error(*rule, "a rule must be a map, not " + rule->describe());
            continue;
        }
        OpenRule one{Formula::constant(true), outcome_of(questions.setting(), *rule)};
        if (const Node* condition = rule->find("if")) one.applies = questions.ask(*condition, r.text(*condition));
        const bool excludes = one.outcome.when == When::never;
        if (const Node* changes = rule->find("changes"); changes && !one.applies.is(false)) one.applies = one.applies && paths_changed(questions, *changes, excludes);
        if (const Node* exists = rule->find("exists"); exists && !one.applies.is(false)) one.applies = one.applies && files_exist(questions, *exists);
        if ((size += one.applies.size()) > longest) {
            r.unsupported(*rule, "rule on line " + std::to_string(rule->line), "the rules of the job ask too much for one condition; it is taken not to hold, so give the job the condition that you want");
            one.applies = Formula::unknown("line " + std::to_string(rule->line));
        }
        if (one.applies.is(false)) continue;
        const bool last = one.applies.is(true);
        open.push_back(std::move(one));
        if (last) break;
    }
    return open;
}

Formula open_only(Questions& questions, const Node* only, const Node* except) {
    auto result = questions.setting().event == of_parent ? Formula::constant(true) : !is_merge_request();
    if (only && only->kind != NodeKind::null) result = OnlyList(questions, false).of(*only);
    if (except && except->kind != NodeKind::null) result = result && !OnlyList(questions, true).of(*except);
    return result;
}

std::string chosen_text(const std::vector<OpenRule>& rules, const std::string& variable, const std::string& otherwise, const Variables& variables) {
    std::vector<std::pair<Formula, std::string>> choices;
    auto sure = Formula::constant(true);  // of what comes behind the rules before
    for (const auto& [applies, outcome] : rules) {
        const auto open = applies.where(sure);
        if (!applies.known().is(false)) sure = sure && !applies;
        if (outcome.when == When::never) continue;
        auto all = variables;
        all.add(outcome.variables);
        choices.emplace_back(open.known(), outcome.variables.find(variable) ? all.expand("${" + variable + "}") : otherwise);
    }
    if (choices.empty()) return otherwise;
    const auto first = choices.front().second;
    if (std::all_of(choices.begin(), choices.end(), [&](const auto& choice) { return choice.second == first; })) return first;
    std::string last = choices.back().first.is(true) ? choices.back().second : otherwise, text;
    std::erase_if(choices, [](const auto& choice) { return choice.first.is(false); });
    while (!choices.empty() && (choices.back().first.is(true) || choices.back().second == last)) choices.pop_back();
    for (const auto& [applies, value] : choices) text += applies.text() + ", " + as_expression(Value(value)) + ", ";
    return choices.empty() || text.empty() ? last : "${{ case(" + text + as_expression(Value(last)) + ") }}";
}

}  // namespace cicd::pipeline::gitlab
