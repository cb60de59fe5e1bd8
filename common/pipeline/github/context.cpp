#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/pipeline/github/workflow.hpp"
#include "common/pipeline/remote.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace cicd::pipeline::github {
namespace {

struct Names {
    std::string owner, name, server = "https://github.com";
    [[nodiscard]] std::string full() const { return owner + "/" + name; }
};

/// OWNER/NAME from https://host/owner/name.git, git@host:owner/name.git or a folder.
Names names_of(const model::Source& source) {
    Names names{"local", source.name};
    const auto place = remote_place(source);
    if (!place) return names;
    const auto& [host, path] = *place;
    const auto slash = path.rfind('/');
    if (slash == path.npos || slash == 0 || slash + 1 == path.size()) return names;
    const auto before = path.rfind('/', slash - 1);
    names.owner = path.substr(before == path.npos ? 0 : before + 1, slash - (before == path.npos ? 0 : before + 1));
    names.name = path.substr(slash + 1);
    if (!host.empty()) names.server = "https://" + host;
    return names;
}

std::string text_at(const Value& value, std::initializer_list<const char*> path) {
    const Value* at = &value;
    for (const char* part : path) at = &(*at)[part];
    return at->is_string() ? at->as_string() : "";
}

/// What is given counts more than what was made up; objects member by member.
Value merged(const Value& made, const Value& given) {
    if (!made.is_object() || !given.is_object()) return given;
    Object result = made.as_object();
    for (const auto& [name, value] : given.as_object()) {
        const Value* known = result.find(name);
        result.set(name, known ? merged(*known, value) : value);
    }
    return Value(std::move(result));
}

struct Refs {
    std::string ref, name, type, head, base;
};

Refs refs_of(const model::Plan& plan) {
    const auto& [event, source] = std::tie(plan.event, plan.source);
    Refs refs;
    const std::string tag = event.tag.empty() ? (event.branch.empty() ? source.tag : "") : event.tag;
    const std::string branch = event.branch.empty() ? source.branch : event.branch;
    refs.type = tag.empty() ? "branch" : "tag";
    refs.name = tag.empty() ? branch : tag;
    if (!refs.name.empty()) refs.ref = (tag.empty() ? "refs/heads/" : "refs/tags/") + refs.name;
    if (const auto given = text_at(event.payload, {"ref"}); given.starts_with("refs/")) {
        refs.ref = given;
        refs.type = given.starts_with("refs/tags/") ? "tag" : "branch";
        refs.name = given.substr(given.find('/', 5) + 1);
    }
    if (event.type != model::TriggerType::pull_request && !event.name.starts_with("pull_request")) return refs;
    refs.head = text_at(event.payload, {"pull_request", "head", "ref"});
    if (refs.head.empty()) refs.head = branch;
    refs.base = text_at(event.payload, {"pull_request", "base", "ref"});
    if (refs.base.empty()) refs.base = event.base_branch.empty() ? "main" : event.base_branch;
    const Value& number = event.payload["number"];
    const int pull = number.is_number() ? static_cast<int>(number.as_number()) : std::max(event.pull_request, 1);
    refs.type = "branch";
    if (event.name == "pull_request_target") {
        refs.ref = "refs/heads/" + refs.base;
        refs.name = refs.base;
    } else {
        refs.name = std::to_string(pull) + "/merge";
        refs.ref = "refs/pull/" + refs.name;
    }
    return refs;
}

Object repository_of(const Names& names) {
    return {{"name", names.name}, {"full_name", names.full()}, {"default_branch", "main"}, {"private", false}, {"fork", false},
            {"html_url", names.server + "/" + names.full()}, {"owner", Object{{"login", names.owner}, {"name", names.owner}}}};
}

/// What the event's webhook would have told, as far as the repository tells it.
Value event_of(const model::Plan& plan, const Names& names, const Refs& refs, const std::string& actor) {
    const auto& source = plan.source;
    const auto& name = plan.event.name;
    Object event{{"repository", repository_of(names)}, {"sender", Object{{"login", actor}, {"type", "User"}}}};
    const auto repository = event.find("repository")->as_object();
    if (name == "push") {
        const Object author{{"name", source.author}, {"email", source.author_email}};
        const Object commit{{"id", source.commit}, {"tree_id", source.tree}, {"message", source.message},
                            {"author", author}, {"committer", author}};
        event.set("ref", refs.ref);
        event.set("before", source.base_commit.empty() ? std::string(40, '0') : source.base_commit);
        event.set("after", source.commit);
        event.set("created", false);
        event.set("deleted", false);
        event.set("forced", false);
        event.set("pusher", author);
        event.set("head_commit", commit);
        event.set("commits", Array{Value(commit)});
    } else if (name.starts_with("pull_request")) {
        const int number = std::max(plan.event.pull_request, 1);
        const Object user{{"login", actor}};
        event.set("action", plan.event.action.empty() ? "opened" : plan.event.action);
        event.set("number", number);
        event.set("pull_request",
                  Object{{"number", number}, {"state", "open"}, {"draft", false}, {"merged", false}, {"title", source.message},
                         {"user", user}, {"labels", Array{}},
                         {"head", Object{{"ref", refs.head}, {"sha", source.commit}, {"repo", repository}, {"user", user}}},
                         {"base", Object{{"ref", refs.base}, {"sha", source.base_commit}, {"repo", repository}}}});
    } else if (name == "workflow_dispatch" || name == "workflow_call") {
        Object inputs;
        if (plan.params.is_object())
            for (const auto& [key, value] : plan.params.as_object()) inputs.set(key, expr::to_display_text(value));
        event.set("inputs", std::move(inputs));
        event.set("ref", refs.ref);
        event.set("workflow", source.pipeline_file);
    }
    return plan.event.payload.is_object() ? merged(Value(std::move(event)), plan.event.payload) : Value(std::move(event));
}

std::string digits_of(const std::string& id) {
    const auto last = id.find_last_not_of("0123456789");
    return last == id.npos ? id : id.substr(last + 1);
}

}  // namespace

Object context(const model::Plan& plan, const RunFacts& facts) {
    const auto names = names_of(plan.source);
    const auto refs = refs_of(plan);
    std::string actor = plan.event.actor.empty() ? plan.source.author : plan.event.actor;
    if (const auto sender = text_at(plan.event.payload, {"sender", "login"}); !sender.empty()) actor = sender;
    const auto workflow = plan.source.pipeline_file.empty() ? plan.pipeline : plan.source.pipeline_file;
    Object github{{"actor", actor},
                  {"triggering_actor", actor},
                  {"event_name", plan.event.name},
                  {"event", event_of(plan, names, refs, actor)},
                  {"sha", plan.source.commit},
                  {"ref", refs.ref},
                  {"ref_name", refs.name},
                  {"ref_type", refs.type},
                  {"ref_protected", false},
                  {"head_ref", refs.head},
                  {"base_ref", refs.base},
                  {"repository", names.full()},
                  {"repository_owner", names.owner},
                  {"repositoryUrl", "git://" + names.server.substr(names.server.rfind('/') + 1) + "/" + names.full() + ".git"},
                  {"server_url", names.server},
                  {"api_url", names.server == "https://github.com" ? "https://api.github.com" : names.server + "/api/v3"},
                  {"graphql_url", names.server == "https://github.com" ? "https://api.github.com/graphql" : names.server + "/api/graphql"},
                  {"workflow", plan.pipeline},
                  {"workflow_ref", names.full() + "/" + workflow + "@" + refs.ref},
                  {"workflow_sha", plan.source.commit},
                  {"retention_days", "90"},
                  {"secret_source", "Actions"}};
    if (!facts.id.empty()) {
        github.set("run_id", digits_of(facts.id));
        github.set("run_number", std::to_string(facts.number));
        github.set("run_attempt", "1");
    }
    return github;
}

std::optional<std::string> label_refusal(const model::Strings& labels) {
#if defined(__aarch64__)
    constexpr std::string_view here = "ARM64";
#else
    constexpr std::string_view here = "X64";
#endif
    for (const auto& label : labels) {
        const auto lower = to_lower(label);
        if (lower.starts_with("windows")) return "runs-on: " + label + ": this machine runs Linux, not Windows";
        if (lower.starts_with("macos")) return "runs-on: " + label + ": this machine runs Linux, not macOS";
        const bool arm = lower == "arm64" || lower == "arm" || lower.ends_with("-arm") || lower.ends_with("-arm64");
        if (arm && here != "ARM64") return "runs-on: " + label + ": this machine is no ARM machine";
        if (lower == "x64" && here != "X64") return "runs-on: " + label + ": this machine is no x64 machine";
    }
    return std::nullopt;
}

bool is_known_before(std::string_view path) {
    static constexpr std::array<std::string_view, 12> later{"run_id", "run_number", "run_attempt", "job", "token", "workspace",
                                                            "action", "action_path", "action_ref", "event_path", "env", "path"};
    const auto parts = split(path, '.');
    return parts.size() > 1 && parts[1] != "*" && std::find(later.begin(), later.end(), parts[1]) == later.end();
}

}  // namespace cicd::pipeline::github
