#include "common/base/text.hpp"
#include "common/pipeline/gitlab/job.hpp"
#include "common/pipeline/gitlab/load.hpp"
#include "common/pipeline/rewrite.hpp"

#include <algorithm>

/// Artifacts and caches.
namespace cicd::pipeline::gitlab {
namespace {

constexpr std::string_view here = "${{ runner.workspace }}/";

/// Relative to the workspace; nothing, with a finding, for what lies elsewhere.
std::optional<std::string> path_of(Reader& r, const Node& at, const Variables& variables) {
    auto path = variables.expand(r.text(at));
    if (path == here.substr(0, here.size() - 1)) path = ".";
    if (path.starts_with(here)) path.erase(0, here.size());
    while (path.starts_with("./") && path.size() > 2) path.erase(0, 2);
    const auto parts = split(path, '/');
    if (!path.starts_with('/') && !path.starts_with('~') && std::find(parts.begin(), parts.end(), "..") == parts.end() && !path.empty()) return path;
    if (!path.empty()) r.unsupported(at, "path " + path, "it is not in the project's folder; GitLab does not keep it either");
    return std::nullopt;
}

model::Strings paths_of(Reader& r, const Node& at, const Variables& variables) {
    model::Strings paths;
    for (const Node* item : r.flat(at))
        if (auto path = path_of(r, *item, variables)) paths.push_back(std::move(*path));
    return paths;
}

void read_reports(Reader& r, const Node& reports, const Variables& variables, const model::Artifact& like, Draft& draft) {
    if (reports.kind != NodeKind::map) return;
    for (const auto& [key, value] : reports.members) {
        const auto& kind = key->text;
        const Node* files = value;
        if (kind == "coverage_report" && value->kind == NodeKind::map) files = value->find("path");
        if (!files) continue;
        model::Artifact artifact = like;
        artifact.name = kind;
        artifact.type = kind;
        artifact.exclude.clear();
        artifact.paths = paths_of(r, *files, variables);
        artifact.when = model::ArtifactWhen::always;
        artifact.mark = r.mark(*key);
        if (kind == "dotenv" && !artifact.paths.empty()) draft.dotenv = artifact.paths.front();
        if (kind != "dotenv" && kind != "junit" && kind != "coverage_report")
            r.approximated(*key, "reports:" + kind, "the file is kept as an artifact; it is not evaluated");
        if (!artifact.paths.empty()) draft.job.artifacts.push_back(std::move(artifact));
    }
}

model::ArtifactWhen kept_when(Reader& r, const Node& at) {
    const auto text = r.text(at);
    if (text == "on_failure") return model::ArtifactWhen::on_failure;
    if (text == "always") return model::ArtifactWhen::always;
    if (text != "on_success") r.error(at, "'artifacts:when' cannot be '" + text + "'", "on_success, on_failure or always");
    return model::ArtifactWhen::on_success;
}

std::string key_of_files(Reader& r, const Node& at, const Variables& variables) {
    std::vector<std::string> names;
    for (const auto& file : r.texts(at)) names.push_back(as_expression(Value(variables.expand_known(file))));
    return names.empty() ? "default" : "${{ hashFiles(" + join(names, ", ") + ") }}";
}

std::string cache_key(Reader& r, const Node* at, const Variables& variables) {
    if (!at || at->kind == NodeKind::null) return "default";
    if (at->kind != NodeKind::map) return variables.expand(r.text(*at));
    std::string key = "default";
    if (const Node* files = at->find("files")) key = key_of_files(r, *files, variables);
    if (const Node* commits = at->find("files_commits")) {
        key = key_of_files(r, *commits, variables);
        r.approximated(*commits, "cache:key:files_commits", "the files' contents make the key, not their last commit");
    }
    if (const Node* prefix = at->find("prefix")) key = variables.expand(r.text(*prefix)) + "-" + key;
    return key;
}

/// Caches of the same key are written again by every job of GitLab's. Ours stay as they are, so each run writes one of its
/// own and reads the newest.
model::Cache read_cache(Reader& r, const Node& at, const Variables& variables) {
    model::Cache cache;
    cache.mark = r.mark(at);
    const auto key = cache_key(r, at.find("key"), variables);
    cache.key = key + "@${{ run.number }}";
    cache.restore_keys = {key + "@"};
    cache.scope = "project";
    if (const Node* paths = at.find("paths")) cache.paths = paths_of(r, *paths, variables);
    if (const Node* policy = at.find("policy")) {
        cache.policy = variables.expand_known(r.text(*policy));
        if (cache.policy != "pull" && cache.policy != "push") cache.policy = "pull-push";
    }
    if (const Node* keys = at.find("fallback_keys"))
        for (const auto& name : r.texts(*keys)) cache.restore_keys.push_back(variables.expand(name) + "@");
    if (const Node* when = at.find("when"); when && r.text(*when) != "on_success")
        r.approximated(*when, "cache:when", "caches are only saved by jobs that succeed");
    if (const Node* untracked = at.find("untracked"); untracked && untracked->boolean)
        r.unsupported(*untracked, "cache:untracked", "name the files under 'paths'");
    static const std::vector<std::string> known{"key", "paths", "policy", "fallback_keys", "when", "untracked", "unprotect"};
    for (const auto& member : at.members)
        if (std::find(known.begin(), known.end(), member.key->text) == known.end())
            r.error(*member.key, "unknown key '" + member.key->text + "' in a cache", did_you_mean(member.key->text, known));
    return cache;
}

}  // namespace

void read_artifacts(Reader& r, const Node& at, const Variables& variables, const std::string& job_name, Draft& draft) {
    if (at.kind == NodeKind::null || at.reference) return;
    if (at.kind != NodeKind::map) return r.error(at, "artifacts must be a map, not " + at.describe(), "artifacts: {paths: […]}");
    model::Artifact artifact;
    artifact.mark = r.mark(at);
    artifact.name = job_name;
    const Node* reports = nullptr;
    for (const auto& [key, value] : at.members) {
        const auto& name = key->text;
        if (name == "paths") artifact.paths = paths_of(r, *value, variables);
        else if (name == "exclude") artifact.exclude = paths_of(r, *value, variables);
        else if (name == "when") artifact.when = kept_when(r, *value);
        else if (name == "reports") reports = value;
        else if (name == "name") {
            if (auto text = variables.expand(r.text(*value)); !text.empty()) artifact.name = std::move(text);
            if (artifact.name.find("${{") == std::string::npos) std::replace(artifact.name.begin(), artifact.name.end(), '/', '_');
        } else if (name == "expire_in") {
            const auto text = variables.expand_known(r.text(*value));
            artifact.retention = read_duration(text);
            if (!artifact.retention && text != "never") r.error(*value, "'" + text + "' is no time", "such as '1 week' or '3 hours 30 minutes'");
        } else if (name == "untracked") {
            if (value->boolean) r.unsupported(*value, "artifacts:untracked", "name the files under 'paths'");
        } else if (name == "expose_as" || name == "public" || name == "access") {
            r.approximated(*key, "artifacts:" + name, "artifacts are only shown here, to whoever may see the run");
        } else {
            r.error(*key, "unknown key '" + name + "' in artifacts", "name, paths, exclude, when, expire_in, reports");
        }
    }
    if (reports) read_reports(r, *reports, variables, artifact, draft);
    if (!artifact.paths.empty()) draft.job.artifacts.insert(draft.job.artifacts.begin(), std::move(artifact));
}

std::vector<model::Cache> read_caches(Reader& r, const Node& at, const Variables& variables) {
    std::vector<model::Cache> caches;
    for (const Node* item : r.flat(at)) {
        if (item->kind != NodeKind::map) {
            r.error(*item, "a cache must be a map, not " + item->describe(), "cache: {key: …, paths: […]}");
            continue;
        }
        auto cache = read_cache(r, *item, variables);
        if (!cache.paths.empty()) caches.push_back(std::move(cache));
    }
    return caches;
}

}  // namespace cicd::pipeline::gitlab
