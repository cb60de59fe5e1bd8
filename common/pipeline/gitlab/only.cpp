#include "common/base/glob.hpp"
#include "common/base/text.hpp"
#include "common/pipeline/gitlab/decide.hpp"
#include "common/pipeline/gitlab/pattern.hpp"

#include <algorithm>

/// `only` and `except`, which `rules` came after.
namespace cicd::pipeline::gitlab {
namespace {

class Policy {
public:
    Policy(const Setting& setting, const Node& at, const Variables& variables) : s_(setting), at_(at), variables_(variables) {}

    /// Whether all its clauses hold (`only`), or any of them (`except`).
    bool holds(bool all) {
        if (at_.kind != NodeKind::map) return refs(at_);
        std::vector<bool> answers;
        for (const auto& [key, value] : at_.members) {
            if (key->text == "refs") answers.push_back(refs(*value));
            else if (key->text == "variables") answers.push_back(expressions(*value));
            else if (key->text == "changes") answers.push_back(changes(*value, all));
            else if (key->text == "kubernetes") answers.push_back(kubernetes(*value));
            else s_.r.error(*key, "unknown key '" + key->text + "' in 'only' or 'except'", "refs, variables, changes or kubernetes");
        }
        const auto yes = [](bool answer) { return answer; };
        return all ? std::all_of(answers.begin(), answers.end(), yes) : std::any_of(answers.begin(), answers.end(), yes);
    }

private:
    bool kubernetes(const Node& at) {
        s_.r.approximated(at, "kubernetes: active", "there is no cluster here, so it is never active");
        return false;
    }

    bool refs(const Node& at) {
        const auto list = s_.r.flat(at);
        return std::any_of(list.begin(), list.end(), [&](const Node* item) { return ref(*item); });
    }

    bool ref(const Node& at) {
        auto name = s_.r.text(at);
        const auto& event = s_.event;
        const bool of_request = event == "merge_request_event";
        if (name == "branches") return s_.tag.empty() && !of_request;
        if (name == "tags") return !s_.tag.empty();
        if (name == "merge_requests") return of_request;
        if (name == "external_pull_requests") return event == "external_pull_request_event";
        if (name == "pushes") return event == "push";
        if (name == "schedules") return event == "schedule";
        if (name == "triggers") return event == "trigger";
        if (name == "pipelines") return event == "pipeline";
        for (const char* same : {"web", "api", "chat", "external"})
            if (name == same) return event == same;
        if (of_request) return false;
        if (const auto place = name.rfind('@'); place != name.npos && !name.starts_with('/')) name.erase(place);
        else if (const auto end = name.rfind("/@"); end != name.npos && end > 0 && name.starts_with('/')) name.erase(end + 1);
        const auto& own = s_.tag.empty() ? s_.branch : s_.tag;
        if (!is_pattern(name)) return name == own;
        const auto found = matches(name, own);
        if (!found) s_.r.error(at, found.error().message, found.error().hint);
        return found && *found;
    }

    bool expressions(const Node& at) {
        for (const Node* item : s_.r.flat(at)) {
            const auto result = evaluate_if(s_.r.text(*item), variables_);
            if (!result) s_.r.error(*item, result.error().message, result.error().hint);
            else if (result->holds) return true;
        }
        return false;
    }

    bool changes(const Node& at, bool otherwise) {
        const bool compares = (s_.event == "push" && s_.tag.empty()) || s_.event == "merge_request_event";
        const auto changed = compares && s_.options.facts.changed_paths ? s_.options.facts.changed_paths() : std::nullopt;
        if (!changed) return otherwise;
        for (const auto& pattern : s_.r.texts(at)) {
            const auto glob = FileGlob::compile(variables_.expand_known(pattern));
            if (glob && std::any_of(changed->begin(), changed->end(), [&](const auto& path) { return glob->matches(path); })) return true;
        }
        return false;
    }

    const Setting& s_;
    const Node& at_;
    const Variables& variables_;
};

std::string shown(Reader& r, const Node& at) {
    if (at.kind == NodeKind::map) return "line " + std::to_string(at.line);
    return "[" + join(r.texts(at), ", ") + "]";
}

}  // namespace

Outcome decide_only(const Setting& setting, const Node* only, const Node* except, const Variables& variables) {
    Outcome outcome;
    const auto name = setting.tag.empty() ? "branch '" + setting.branch + "'" : "tag '" + setting.tag + "'";
    const auto what = setting.event == "push" ? "a push of " + name : "a pipeline of " + setting.event + " for " + name;
    if (!only || only->kind == NodeKind::null) {
        if (setting.event == "merge_request_event") {
            outcome.when = When::never;
            outcome.reason = "it has no rules, so it is for branches and tags, not for merge requests";
        }
    } else if (!Policy(setting, *only, variables).holds(true)) {
        outcome.when = When::never;
        outcome.reason = what + " is not in its 'only': " + shown(setting.r, *only);
    }
    if (outcome.when != When::never && except && except->kind != NodeKind::null && Policy(setting, *except, variables).holds(false)) {
        outcome.when = When::never;
        outcome.reason = what + " is in its 'except': " + shown(setting.r, *except);
    }
    return outcome;
}

}  // namespace cicd::pipeline::gitlab
