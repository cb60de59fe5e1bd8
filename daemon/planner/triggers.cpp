#include "common/base/glob.hpp"
#include "common/base/text.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>

/// Whether an event starts a pipeline. The filters are GitHub's: branches and tags by name, paths by what changed.
namespace cicd::planner {

namespace {

using model::Decision;
using model::Reason;

Result<bool> selected(const model::Strings& patterns, const std::string& name) {
    CICD_TRY(const auto compiled, FilterPatterns::compile(patterns));
    return compiled.matches(name);
}

std::string shown(const std::string& key, const model::Strings& patterns) {
    return key + " [" + join(patterns, ", ") + "]";
}

/// What a pair of filters (`x` and `xIgnore`) says about a name; nothing: no objection.
std::optional<std::string> refusal(const std::string& what, const std::string& name, const std::string& key,
                                   const model::Strings& only, const model::Strings& ignored) {
    if (!only.empty()) {
        const auto match = selected(only, name);
        if (!match) return "its filter '" + key + "' cannot be read: " + match.error().message;
        if (!*match) return what + " '" + name + "' does not match " + shown(key, only);
    }
    if (!ignored.empty()) {
        const auto match = selected(ignored, name);
        if (!match) return "its filter '" + key + "Ignore' cannot be read: " + match.error().message;
        if (*match) return what + " '" + name + "' matches " + shown(key + "Ignore", ignored);
    }
    return std::nullopt;
}

std::optional<std::string> path_refusal(const model::Trigger& trigger, const model::Strings& changed) {
    const std::string count = std::to_string(changed.size()) + (changed.size() == 1 ? " changed path" : " changed paths");
    if (!trigger.paths.empty()) {
        const auto patterns = FilterPatterns::compile(trigger.paths);
        if (!patterns) return "its filter 'paths' cannot be read: " + patterns.error().message;
        if (!patterns->any_selected(changed)) return "none of " + count + " matches " + shown("paths", trigger.paths);
    }
    if (!trigger.paths_ignore.empty()) {
        const auto patterns = FilterPatterns::compile(trigger.paths_ignore);
        if (!patterns) return "its filter 'pathsIgnore' cannot be read: " + patterns.error().message;
        if (patterns->all_ignored(changed)) return "all of " + count + " match " + shown("pathsIgnore", trigger.paths_ignore);
    }
    return std::nullopt;
}

std::optional<std::string> push_refusal(const model::Trigger& trigger, const model::Event& event) {
    const bool by_branch = !trigger.branches.empty() || !trigger.branches_ignore.empty();
    const bool by_tag = !trigger.tags.empty() || !trigger.tags_ignore.empty();
    if (!event.tag.empty()) {
        // A filter for branches alone leaves tags out, and the other way round.
        if (by_branch && !by_tag) return "tag '" + event.tag + "' is not a branch, and only branches are named";
        return refusal("tag", event.tag, "tags", trigger.tags, trigger.tags_ignore);
    }
    if (by_tag && !by_branch) return "branch '" + event.branch + "' is not a tag, and only tags are named";
    return refusal("branch", event.branch, "branches", trigger.branches, trigger.branches_ignore);
}

std::optional<std::string> pull_request_refusal(const model::Trigger& trigger, const model::Event& event) {
    static const model::Strings usual{"opened", "synchronize", "reopened"};
    const auto& types = trigger.types.empty() ? usual : trigger.types;
    if (!event.action.empty() && std::find(types.begin(), types.end(), event.action) == types.end())
        return "activity '" + event.action + "' is not among " + shown("types", types);
    return refusal("target branch", event.base_branch, "branches", trigger.branches, trigger.branches_ignore);
}

/// What let it through, for the reason's text.
std::string passed(const model::Trigger& trigger, const model::Event& event) {
    std::vector<std::string> parts;
    const std::string branch = event.type == model::TriggerType::pull_request ? event.base_branch : event.branch;
    if (event.tag.empty() && !trigger.branches.empty())
        parts.push_back("branch '" + branch + "' matches " + shown("branches", trigger.branches));
    if (!event.tag.empty() && !trigger.tags.empty())
        parts.push_back("tag '" + event.tag + "' matches " + shown("tags", trigger.tags));
    const bool by_path = !trigger.paths.empty() || !trigger.paths_ignore.empty();
    if (by_path && event.tag.empty())
        parts.push_back(event.changed_paths ? "changed paths match" : "changed paths are not known, so path filters pass");
    return parts.empty() ? "" : ": " + join(parts, ", ");
}

}  // namespace

Reason match_trigger(const model::Trigger& trigger, const model::Event& event) {
    const bool foreign = !event.name.empty();
    const std::string name = (foreign ? "on: " + trigger.id : "trigger " + std::string(to_text(trigger.type))) +
                             (trigger.mark.line > 0 ? " (line " + std::to_string(trigger.mark.line) + ")" : "");
    if (trigger.type != event.type)
        return {Decision::skip, name + " is not for " + std::string(to_text(event.type)) + " events"};
    if (!trigger.enabled) return {Decision::skip, name + " is disabled"};
    std::optional<std::string> refused;
    if (event.type == model::TriggerType::push) refused = push_refusal(trigger, event);
    if (event.type == model::TriggerType::pull_request) refused = pull_request_refusal(trigger, event);
    const bool with_paths = event.type == model::TriggerType::pull_request ||
                            (event.type == model::TriggerType::push && event.tag.empty());
    if (!refused && with_paths && event.changed_paths) refused = path_refusal(trigger, *event.changed_paths);
    if (refused) return {Decision::skip, name + ": " + *refused};
    return {Decision::run, name + passed(trigger, event)};
}

Reason decide_trigger(const model::Pipeline& pipeline, const model::Event& event) {
    if (event.type == model::TriggerType::manual && event.name.empty()) return {Decision::run, "started by hand"};
    std::vector<std::string> refusals;
    for (const auto& trigger : pipeline.triggers) {
        if (event.name.empty() || trigger.id != event.name) continue;
        auto reason = match_trigger(trigger, event);
        if (reason.decision == Decision::run) return reason;
        refusals.push_back(std::move(reason.text));
    }
    if (!event.name.empty()) {
        if (!refusals.empty()) return {Decision::skip, join(refusals, "; ")};
        std::vector<std::string> names;
        for (const auto& trigger : pipeline.triggers) names.push_back(trigger.id);
        return {Decision::skip, "it does not listen to the event " + event.name + "; it does to " + join(names, ", ")};
    }
    for (const auto& trigger : pipeline.triggers) {
        if (trigger.type != event.type) continue;
        auto reason = match_trigger(trigger, event);
        if (reason.decision == Decision::run) return reason;
        refusals.push_back(std::move(reason.text));
    }
    if (refusals.empty())
        return {Decision::skip, "the pipeline has no trigger for " + std::string(to_text(event.type)) + " events"};
    return {Decision::skip, join(refusals, "; ")};
}

}  // namespace cicd::planner
