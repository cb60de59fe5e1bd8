#include "common/base/glob.hpp"
#include "common/base/text.hpp"
#include "daemon/actions/actions.hpp"
#include "daemon/os/inner_path.hpp"
#include "daemon/runner/keeping.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

/// Artifacts and caches of actions, kept where those of all jobs are.
namespace cicd::actions {
namespace {

namespace fs = std::filesystem;

bool is_true(const std::string& text) { return to_lower(text) == "true"; }

model::Strings lines_of(const std::string& text) {
    model::Strings lines;
    for (const auto& line : split(text, '\n'))
        if (!trim(line).empty() && !trim(line).starts_with('#')) lines.emplace_back(trim(line));
    return lines;
}

/// As a path below the workspace; nothing where it leads elsewhere.
std::optional<std::string> below(std::string path, const std::string& workspace) {
    if (path == workspace) return ".";
    if (path.starts_with(workspace + "/")) path.erase(0, workspace.size() + 1);
    if (path.starts_with('/') || path.starts_with('~')) return std::nullopt;
    auto plain = fs::path(path).lexically_normal().string();
    while (plain.ends_with('/')) plain.pop_back();
    if (plain.empty()) plain = ".";
    return plain == ".." || plain.starts_with("../") ? std::nullopt : std::optional(plain);
}

/// What is to be kept, as names below one folder: as deep as all of it allows.
struct Selected {
    std::string folder;
    model::Strings paths, exclude;
};

struct Pattern {
    std::vector<std::string> folder;
    std::string rest;
};

Pattern parted(const std::string& path, int workspace) {
    Pattern pattern;
    const auto parts = split(path, '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool last = i + 1 == parts.size();
        if (parts[i].find_first_of("*?[") == std::string::npos && !last) {
            if (parts[i] != ".") pattern.folder.push_back(parts[i]);
            continue;
        }
        for (std::size_t j = i; j < parts.size(); ++j) pattern.rest += (j > i ? "/" : "") + parts[j];
        break;
    }
    struct stat facts {};
    const auto found = os::open_in_root(workspace, path, O_PATH | O_CLOEXEC);
    if (!found || ::fstat(found.get(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return pattern;
    if (pattern.rest != ".") pattern.folder.push_back(pattern.rest);
    pattern.rest = "**";
    return pattern;
}

Result<Selected> select(const std::string& text, const std::string& inner_workspace, int workspace, bool hidden) {
    std::vector<Pattern> patterns;
    model::Strings excluded;
    for (const auto& line : lines_of(text)) {
        const bool exclude = line.starts_with('!');
        const auto path = below(line.substr(exclude ? 1 : 0), inner_workspace);
        if (!path) return invalid("JOB_002", "'" + line + "' is outside of the workspace; only what is in it can be kept");
        if (exclude) excluded.push_back(*path);
        else patterns.push_back(parted(*path, workspace));
    }
    if (patterns.empty()) return invalid("JOB_002", "Input required and not supplied: path");
    auto common = patterns.front().folder;
    for (const auto& pattern : patterns) {
        const auto [end, unused] = std::mismatch(common.begin(), common.end(), pattern.folder.begin(), pattern.folder.end());
        common.erase(end, common.end());
    }
    Selected selected;
    selected.folder = join(common, "/");
    for (const auto& pattern : patterns) {
        const std::vector<std::string> inner(pattern.folder.begin() + static_cast<std::ptrdiff_t>(common.size()), pattern.folder.end());
        selected.paths.push_back(inner.empty() ? pattern.rest : join(inner, "/") + "/" + pattern.rest);
    }
    for (const auto& path : excluded) {
        if (selected.folder.empty()) selected.exclude.push_back(path);
        else if (path.starts_with(selected.folder + "/")) selected.exclude.push_back(path.substr(selected.folder.size() + 1));
        else if (path.starts_with("**/")) selected.exclude.push_back(path);
    }
    if (!hidden)
        for (const char* pattern : {"**/.*", "**/.*/**"}) selected.exclude.emplace_back(pattern);
    return selected;
}

}  // namespace

/// Artifacts of needed jobs wait for the action that asks for them.
Result<void> Actions::prepare() {
    const bool caches = std::any_of(spec_.steps.begin(), spec_.steps.end(),
                                    [](const model::Step& step) { return to_lower(step.uses).starts_with("actions/cache"); });
    if (caches && spec_.executor == model::ExecutorKind::sandbox) (void)job_.keeping().open_home();
    return {};
}

StepEnd Actions::upload(int index, const Inputs& inputs) {
    const auto step = static_cast<std::uint32_t>(index);
    const auto workspace = job_.open_workspace();
    if (!workspace) return job_.failure(index, workspace.error(), model::EndReason::infra);
    const auto path = input(inputs, "path");
    const auto selected = select(path, job_.folders().inner_workspace, workspace->get(), is_true(input(inputs, "include-hidden-files")));
    if (!selected) return job_.failure(index, selected.error());
    model::Artifact artifact;
    artifact.name = input(inputs, "name").empty() ? "artifact" : input(inputs, "name");
    artifact.paths = selected->paths;
    artifact.exclude = selected->exclude;
    if (const double days = std::strtod(input(inputs, "retention-days").c_str(), nullptr); days > 0 && days < 10'000)
        artifact.retention = Milliseconds(static_cast<std::int64_t>(days * 86'400'000));
    const auto same = [&](const model::JobArtifact& known) { return known.name == artifact.name; };
    const bool again = std::any_of(job_.artifacts().begin(), job_.artifacts().end(), same);
    if (again && !is_true(input(inputs, "overwrite")))
        return job_.failure(index, invalid("ARTIFACT_002", "an artifact with the name '" + artifact.name + "' already exists in this job"));
    const auto answer = job_.keeping().save_now(step, selected->folder, artifact);
    if (!answer) return job_.failure(index, answer.error());
    if (answer->artifacts.empty()) {
        const auto text = "No files were found with the provided path: " + path + ". No artifacts will be uploaded.";
        const auto wanted = to_lower(input(inputs, "if-no-files-found"));
        if (wanted == "error") return job_.failure(index, invalid("ARTIFACT_002", text));
        if (wanted != "ignore") job_.note(index, "Warning: " + text);
        return {};
    }
    std::erase_if(job_.artifacts(), same);
    job_.artifacts().push_back(answer->artifacts.front());
    StepEnd end;
    end.outputs = {{"artifact-id", std::to_string(job_.artifacts().size())}, {"artifact-digest", answer->artifacts.front().digest}};
    return end;
}

StepEnd Actions::download(int index, const Inputs& inputs) {
    const auto step = static_cast<std::uint32_t>(index);
    if (!input(inputs, "run-id").empty() && input(inputs, "run-id") != expr::to_display_text(context_.spec_value("github", "run_id"))) {
        return skip(index, "skipped: artifacts of other runs are not available yet");
    }
    const auto name = input(inputs, "name"), pattern = input(inputs, "pattern");
    const auto& workspace = job_.folders().inner_workspace;
    const auto folder = below(input(inputs, "path").empty() ? "." : input(inputs, "path"), workspace);
    if (!folder) return job_.failure(index, invalid("JOB_002", "path '" + input(inputs, "path") + "' is outside of the workspace"));
    std::vector<model::NeededArtifact> known = spec_.needed;
    for (const auto& own : job_.artifacts()) known.push_back({spec_.key, own.name, own.digest});
    bool found = false;
    for (const auto& artifact : known) {
        if (!name.empty() && artifact.name != name) continue;
        if (name.empty() && !pattern.empty()) {
            const auto fits = glob_match(pattern, artifact.name);
            if (!fits || !*fits) continue;
        }
        found = true;
        const bool flat = !name.empty() || is_true(input(inputs, "merge-multiple"));
        const auto target = flat ? *folder : *folder + "/" + artifact.name;
        if (const auto done = job_.keeping().put_back_now(step, target, {artifact}); !done) return job_.failure(index, done.error());
    }
    if (!found && !name.empty())
        return job_.failure(index, not_found("ARTIFACT_001", "Unable to download artifact(s): Artifact not found for name: " + name +
                                        " (only those of jobs that this one needs, directly or not, are there)"));
    StepEnd end;
    end.outputs = {{"download-path", *folder == "." ? workspace : workspace + "/" + *folder}};
    return end;
}

StepEnd Actions::cache(int index, const std::string& name, const Inputs& inputs) {
    const auto step = static_cast<std::uint32_t>(index);
    model::Cache cache;
    cache.key = input(inputs, "key");
    cache.restore_keys = lines_of(input(inputs, "restore-keys"));
    const auto fail = [&](const std::string& text) { return job_.failure(index, invalid("CACHE_002", text)); };
    if (cache.key.empty()) return fail("Input required and not supplied: key");
    for (const auto& line : lines_of(input(inputs, "path"))) {
        const auto inside = line.starts_with("~/") ? std::optional(line) : below(line, job_.folders().inner_workspace);
        if (inside) cache.paths.push_back(*inside);
        else job_.note(index, "not kept: '" + line + "' is neither in the workspace nor in the job's home");
    }
    if (cache.paths.empty()) return {};
    cache.policy = name.ends_with("/save") ? "push" : name.ends_with("/restore") || is_true(input(inputs, "lookup-only")) ? "pull" : "";
    const auto outcome = job_.keeping().add_cache(step, cache);
    StepEnd end;
    end.outputs = {{"cache-primary-key", cache.key}};
    if (!outcome) {  // a cache is a help, never a need
        job_.note(index, "not kept: " + outcome.error().message);
        return end;
    }
    const bool exact = outcome->hit == model::CacheHit::exact;
    if (exact || outcome->hit == model::CacheHit::partial) {
        end.outputs.emplace_back("cache-hit", exact ? "true" : "false");
        end.outputs.emplace_back("cache-matched-key", outcome->matched);
    } else if (is_true(input(inputs, "fail-on-cache-miss"))) {
        return fail("Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: " + cache.key);
    }
    return end;
}

}  // namespace cicd::actions
