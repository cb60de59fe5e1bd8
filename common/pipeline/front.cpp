#include "common/pipeline/front.hpp"

#include "common/base/text.hpp"
#include "common/pipeline/bitbucket/bitbucket.hpp"
#include "common/pipeline/github/actions.hpp"
#include "common/pipeline/github/workflow.hpp"
#include "common/pipeline/gitlab/gitlab.hpp"

#include <algorithm>
#include <array>

namespace cicd::pipeline {

int Report::count(Carried kind) const {
    return static_cast<int>(
        std::count_if(findings.begin(), findings.end(), [&](const Finding& finding) { return finding.kind == kind; }));
}

std::span<const Home> homes() {
    static constexpr std::array<Home, 3> all{{{".github/workflows", ""}, {"", ".gitlab-ci.yml"}, {"", "bitbucket-pipelines.yml"}}};
    return all;
}

model::Dialect dialect_of(std::string_view file) {
    const auto name = file.substr(file.rfind('/') + 1);
    if (file.starts_with(".github/workflows/") || file.find("/.github/workflows/") != file.npos)
        return model::Dialect::github;
    if (name.ends_with(".gitlab-ci.yml") || name.ends_with(".gitlab-ci.yaml")) return model::Dialect::gitlab;
    if (name == "bitbucket-pipelines.yml") return model::Dialect::bitbucket;
    return model::Dialect::native;
}

model::Dialect guess_dialect(std::string_view file, std::string_view text) {
    const auto known = dialect_of(file);
    if (known != model::Dialect::native) return known;
    if (file.ends_with(".cicd.yaml") || file.ends_with(".cicd.yml") || file.find(".cicd/") != file.npos) return known;
    const auto has_key = [&](std::string_view key) {
        for (auto at = text.find(key); at != text.npos; at = text.find(key, at + 1))
            if (at == 0 || text[at - 1] == '\n') return true;
        return false;
    };
    const bool workflow = has_key("jobs:") && (has_key("on:") || has_key("\"on\":") || has_key("'on':"));
    return workflow && !has_key("stages:") ? model::Dialect::github : known;
}

Parsed<model::Action> read_action(std::string_view text, const std::string& file) { return github::parse_action(text, file); }

bool decides_by_event(model::Dialect dialect) {
    switch (dialect) {
        case model::Dialect::gitlab:
        case model::Dialect::bitbucket: return true;
        case model::Dialect::native:
        case model::Dialect::github: break;
    }
    return false;
}

Front read_front(model::Dialect dialect, std::string_view text, const std::string& file, const FrontOptions& options) {
    Front front;
    switch (dialect) {
        case model::Dialect::native:
            front.parsed = parse_pipeline(text, file);
            break;
        case model::Dialect::github:
            return github::read(text, file, options);
        case model::Dialect::gitlab:
            return gitlab::read(text, file, options);
        case model::Dialect::bitbucket:
            return bitbucket::read(text, file, options);
    }
    return front;
}

model::Strings parts_of(model::Dialect dialect, std::string_view text, const std::string& file) {
    return dialect == model::Dialect::bitbucket ? bitbucket::parts(text, file) : model::Strings{};
}

std::string choose_event(const model::Pipeline& pipeline) {
    if (pipeline.dialect == model::Dialect::native || pipeline.triggers.empty()) return "";
    for (const char* usual : {"push", "pull_request", "workflow_dispatch"})
        for (const auto& trigger : pipeline.triggers)
            if (trigger.id == usual) return usual;
    return pipeline.triggers.front().id;
}

model::TriggerType event_type(model::Dialect dialect, std::string_view event) {
    switch (dialect) {
        case model::Dialect::github:
            return github::event_type(event);
        case model::Dialect::gitlab:
            return gitlab::event_type(event);
        case model::Dialect::bitbucket:
            return bitbucket::event_type(event);
        case model::Dialect::native:
            break;
    }
    return from_text<model::TriggerType>(event).value_or(model::TriggerType::manual);
}

Object dialect_contexts(const model::Plan& plan, const RunFacts& facts) {
    switch (plan.dialect) {
        case model::Dialect::github:
            return {{"github", Value(github::context(plan, facts))}};
        case model::Dialect::native:
        case model::Dialect::gitlab:
        case model::Dialect::bitbucket:
            break;
    }
    return {};
}

const std::vector<std::string>& all_context_names() {
    static const std::vector<std::string> names{"params", "inputs", "env", "vars", "secrets", "matrix", "strategy", "needs",
                                                "steps",  "job",    "run", "git",  "runner",  "environment", "github"};
    return names;
}

std::optional<bool> is_known_before(std::string_view path) {
    if (path == "github" || path.starts_with("github.")) return github::is_known_before(path);
    return std::nullopt;
}

bool is_given_secret(model::Dialect dialect, std::string_view name) {
    return dialect == model::Dialect::github && to_lower(name) == "github_token";
}

std::string_view result_word(model::Dialect dialect, std::string_view ours) {
    return dialect == model::Dialect::github && ours == "failed" ? "failure" : ours;
}

bool skipped_stage_holds_up(model::Dialect dialect) { return dialect == model::Dialect::github; }

std::optional<std::string> label_refusal(model::Dialect dialect, const model::Strings& labels) {
    if (dialect == model::Dialect::github) return github::label_refusal(labels);
    return std::nullopt;
}

}  // namespace cicd::pipeline
