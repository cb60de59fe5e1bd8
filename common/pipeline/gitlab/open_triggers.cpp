#include "common/pipeline/gitlab/job.hpp"

#include <algorithm>

/// Which events start an imported pipeline.
namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t longest = 60;  ///< comparisons that filters are made of

/// Names as the filters of a trigger have them: special characters stand for themselves.
std::string as_filter(const std::string& literal) {
    std::string filter;
    for (const char c : literal) {
        if (std::string_view("*?+[]!\\").find(c) != std::string_view::npos) filter += '\\';
        filter += c;
    }
    return filter;
}

/// What a push must be: any of these branches and tags. Nothing: it cannot be said so.
struct Pushes {
    model::Strings branches, tags;
};

class Filters {
public:
    std::optional<Pushes> of(const Formula& condition) {
        for (const auto& each : condition.alternatives())
            if (!add(each)) return std::nullopt;
        return std::move(pushes_);
    }

private:
    bool add(const Formula& each) {
        const auto atom = each.as_comparison();
        if (!atom) return begins(each);
        const auto& [subject, literal, opposite] = *atom;
        if (opposite && !literal.empty()) return false;
        const auto filter = opposite ? std::string("**") : as_filter(literal);
        if (!opposite && literal.empty()) {  // no tag is a branch
            if (subject == "git.tag") return put(pushes_.branches, "**");
            return subject == "git.branch" && put(pushes_.tags, "**");
        }
        return put_for(subject, filter);
    }

    /// startsWith(git.branch, 'x'), endsWith, contains
    bool begins(const Formula& each) {
        const auto call = each.as_call();
        if (!call) return false;
        for (const auto& [name, before, behind] : {std::tuple{"startsWith", "", "**"}, {"endsWith", "**", ""}, {"contains", "**", "**"}})
            if (call->name == name) return put_for(call->subject, before + as_filter(call->literal) + behind);
        return false;
    }

    bool put_for(const std::string& subject, const std::string& filter) {
        if (subject == "git.branch") return put(pushes_.branches, filter);
        if (subject == "git.tag") return put(pushes_.tags, filter);
        return subject == "git.refName" && put(pushes_.branches, filter) && put(pushes_.tags, filter);
    }

    static bool put(model::Strings& list, const std::string& filter) {
        if (std::find(list.begin(), list.end(), filter) == list.end()) list.push_back(filter);
        return true;
    }

    Pushes pushes_;
};

model::Trigger push_trigger(const Formula& condition) {
    model::Trigger trigger;
    trigger.type = model::TriggerType::push;
    if (condition.is(true)) return trigger;
    const auto pushes = Filters().of(condition);
    if (!pushes) return trigger;
    trigger.branches = pushes->branches;
    trigger.tags = pushes->tags;
    return trigger;
}

}  // namespace

void open_triggers(Reader& r, const Node& root, Config& config, std::vector<Draft>& drafts, model::Pipeline& pipeline) {
    const auto by = [&](const Draft& draft, const char* event) {
        if (!draft.start || !draft.job.unavailable.empty()) return Formula::constant(false);
        return draft.start->any().given(Formula::equal("run.event", event)) && config.workflow.given(Formula::equal("run.event", event));
    };
    const auto any_by = [&](const char* event) {
        return std::any_of(drafts.begin(), drafts.end(), [&](const Draft& draft) { return !by(draft, event).is(false); });
    };
    const auto forget = [&](const char* event) {
        const auto never = !Formula::equal("run.event", event);
        config.workflow = config.workflow.given(never);
        for (auto& draft : drafts)
            if (draft.start) draft.start->given(never);
    };
    if (any_by("push")) {
        auto pushes = Formula::constant(false);
        for (const auto& draft : drafts)
            if (!pushes.is(true)) pushes = pushes.size() > longest ? Formula::constant(true) : pushes || by(draft, "push");
        pipeline.triggers.push_back(push_trigger(pushes));
    } else {
        forget("push");
    }
    if (any_by(of_merge_request)) pipeline.triggers.push_back({.type = model::TriggerType::pull_request});
    else forget(of_merge_request);
    pipeline.triggers.push_back({.type = model::TriggerType::manual});
    const auto asks = [&](const char* event) {
        return config.workflow.asks("run.event", event) ||
               std::any_of(drafts.begin(), drafts.end(), [&](const Draft& draft) { return draft.start && draft.start->any().asks("run.event", event); });
    };
    if (asks("schedule")) r.find_of_file(Carried::manual, root, "schedules", "GitLab's server keeps them: add a trigger {type: schedule, cron: ...} for each");
    if (asks("webhook")) r.find_of_file(Carried::manual, root, "pipelines by trigger token", "add a trigger {type: webhook, id: ...}");
    if (asks("pipeline")) r.find_of_file(Carried::manual, root, "pipelines of other projects", "add a trigger {type: pipeline, pipeline: ...} for what is to start this one");
}

}  // namespace cicd::pipeline::gitlab
