#include "common/base/glob.hpp"
#include "common/base/text.hpp"
#include "common/pipeline/gitlab/decide.hpp"
#include "common/pipeline/gitlab/files.hpp"
#include "common/pipeline/gitlab/job.hpp"

#include <algorithm>

namespace cicd::pipeline::gitlab {
namespace {

/// One rule's clauses: all must hold. What it says where one does not.
class Rule {
public:
    Rule(const Setting& setting, const Node& at, const Variables& variables) : s_(setting), at_(at), variables_(variables) {}

    /// Nothing: it applies.
    std::optional<std::string> refusal() {
        if (const Node* condition = at_.find("if"))
            if (auto why = by_if(*condition)) return why;
        if (const Node* changes = at_.find("changes"))
            if (auto why = by_changes(*changes)) return why;
        if (const Node* exists = at_.find("exists"))
            if (auto why = by_exists(*exists)) return why;
        return std::nullopt;
    }

private:
    std::optional<std::string> by_if(const Node& at) {
        const auto text = s_.r.text(at);
        if (text.empty()) return "a condition that was not read";
        const auto result = evaluate_if(text, variables_);
        if (!result) {
            s_.r.error(at, result.error().message, result.error().hint);
            return "a condition that cannot be read";
        }
        if (result->holds) return std::nullopt;
        return std::string(trim(text)) + " is false" + (result->because.empty() ? "" : ": " + result->because);
    }

    std::optional<std::string> by_changes(const Node& at) {
        const Node* paths = at.kind == NodeKind::map ? at.find("paths") : &at;
        if (!paths) return std::nullopt;
        auto patterns = s_.r.texts(*paths);
        // Without a comparison, such as for a schedule or a new branch, GitLab takes everything for changed.
        const bool compares = (s_.event == "push" && s_.tag.empty()) || s_.event == "merge_request_event";
        const auto changed = compares && s_.options.facts.changed_paths ? s_.options.facts.changed_paths() : std::nullopt;
        if (!changed) return std::nullopt;
        for (const auto& pattern : patterns) {
            const auto glob = FileGlob::compile(variables_.expand_known(pattern));
            if (!glob) {
                s_.r.error(*paths, "the pattern '" + pattern + "' cannot be read: " + glob.error().message);
                continue;
            }
            if (std::any_of(changed->begin(), changed->end(), [&](const auto& path) { return glob->matches(path); })) return std::nullopt;
        }
        return "none of " + std::to_string(changed->size()) + " changed paths is in [" + join(patterns, ", ") + "]";
    }

    std::optional<std::string> by_exists(const Node& at) {
        const Node* paths = at.kind == NodeKind::map ? at.find("paths") : &at;
        if (!paths) return std::nullopt;
        if (at.kind == NodeKind::map && at.find("project")) {
            s_.r.approximated(at, "rules:exists:project", "files of other projects are not known here; the rule does not apply");
            return "files of another project are not known here";
        }
        const auto patterns = s_.r.texts(*paths);
        for (const auto& pattern : patterns)
            if (exists(s_.options, variables_.expand_known(pattern))) return std::nullopt;
        return "no file is named " + join(patterns, " or ");
    }

    const Setting& s_;
    const Node& at_;
    const Variables& variables_;
};

}  // namespace

Outcome outcome_of(const Setting& setting, const Node& rule) {
    auto& r = setting.r;
    Outcome outcome;
    if (const Node* when = rule.find("when"))
        if (const auto known = when_of(r, *when)) outcome.when = *known, outcome.by_rule = true;
    if (const Node* start = rule.find("start_in")) outcome.start_in = r.text(*start);
    if (const Node* allow = rule.find("allow_failure")) {
        outcome.allow_failure = allow->kind == NodeKind::boolean && allow->boolean;
        if (const Node* codes = allow->kind == NodeKind::map ? allow->find("exit_codes") : nullptr) outcome.allowed_exit_codes = read_exit_codes(r, *codes);
    }
    if (const Node* variables = rule.find("variables")) outcome.variables = read_variables(r, *variables);
    outcome.needs = rule.find("needs");
    outcome.interruptible = rule.find("interruptible");
    if (outcome.when == When::never) {
        const Node* condition = rule.find("if");
        outcome.reason = "a rule of it says so (line " + std::to_string(rule.line) + (condition ? ": " + r.text(*condition) : "") + ": when: never)";
    }
    for (const auto& member : rule.members) {
        static const std::vector<std::string> known{"if", "changes", "exists", "when", "start_in", "allow_failure", "variables",
                                                    "needs", "interruptible", "auto_cancel"};
        if (std::find(known.begin(), known.end(), member.key->text) == known.end())
            r.error(*member.key, "unknown key '" + member.key->text + "' in a rule", did_you_mean(member.key->text, known));
    }
    return outcome;
}

std::optional<When> when_of(Reader& r, const Node& at) {
    static const std::vector<std::string> names{"on_success", "on_failure", "always", "manual", "delayed", "never"};
    const auto text = r.text(at);
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == text) return static_cast<When>(i);
    r.error(at, "'when' cannot be '" + text + "'", join(names, ", "));
    return std::nullopt;
}

Outcome decide_rules(const Setting& setting, const Node& rules, const Variables& variables, const std::string& of) {
    std::vector<std::string> refusals;
    for (const Node* rule : setting.r.flat(rules)) {
        if (rule->kind != NodeKind::map) {
            setting.r.error(*rule, "a rule must be a map, not " + rule->describe());
            continue;
        }
        if (auto refused = Rule(setting, *rule, variables).refusal()) {
            refusals.push_back(std::move(*refused) + " (line " + std::to_string(rule->line) + ")");
            continue;
        }
        return outcome_of(setting, *rule);
    }
    Outcome outcome;
    outcome.when = When::never;
    if (refusals.size() > 3) refusals.resize(3), refusals.emplace_back("…");
    outcome.reason = refusals.empty() ? "the rules of " + of + " are empty" : "no rule of " + of + " applies: " + join(refusals, "; ");
    return outcome;
}

Variables read_variables(Reader& r, const Node& at) {
    Variables variables;
    if (at.kind == NodeKind::null || at.reference) return variables;
    if (at.kind != NodeKind::map) {
        r.error(at, "variables must be a map, not " + at.describe());
        return variables;
    }
    for (const auto& [key, node] : at.members) {
        if (node->kind != NodeKind::map) {
            variables.set(key->text, r.text(*node));
            continue;
        }
        const Node* value = node->find("value");
        const Node* expand = node->find("expand");
        variables.set(key->text, Variable{value ? r.text(*value) : "", false, !expand || expand->kind != NodeKind::boolean || expand->boolean});
    }
    return variables;
}

}  // namespace cicd::pipeline::gitlab
