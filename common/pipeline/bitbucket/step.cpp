#include "common/pipeline/bitbucket/step.hpp"

#include "common/base/glob.hpp"
#include "common/base/text.hpp"
#include "common/pipeline/bitbucket/pipe.hpp"
#include "common/pipeline/gitlab/job.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace cicd::pipeline::bitbucket {
namespace {

const std::vector<std::string>& step_keys() {
    static const std::vector<std::string> keys{"name", "image", "script", "after-script", "caches", "services", "artifacts", "deployment",
                                               "trigger", "size", "max-time", "clone", "condition", "fail-fast", "runs-on", "oidc",
                                               "output-variables", "runtime", "environment", "on-fail"};
    return keys;
}

void read_image(Reader& r, const Config& config, const Node& at, model::Job& job) {
    const Node* name = at.kind == NodeKind::map ? at.find("name") : &at;
    if (at.kind == NodeKind::map)
        for (const auto& [key, value] : at.members) {
            if (key->text == "username" || key->text == "password" || key->text == "email" || key->text == "aws")
                r.manual(*key, "image: " + key->text, "log in for images with your own configuration");
            else if (key->text == "run-as-user") r.approximated(*key, "image: run-as-user", "the job runs as the image says");
        }
    if (!name) return;
    model::Image image;
    image.name = config.variables.expand(r.text(*name));
    if (!image.name.empty()) job.image = std::move(image);
}

std::string shell_line(const Node& item) {
    auto line = gitlab::scalar_text(item);
    while (line.ends_with('\n')) line.pop_back();
    return gitlab::escaped(line) + "\n";
}

const Node* pipe_of(const Node& item) { return item.kind == NodeKind::map ? item.find("pipe") : nullptr; }

std::string commands(Reader& r, const Node& at) {
    std::string text;
    for (const Node* item : r.flat(at)) {
        if (const Node* pipe = pipe_of(*item)) r.unsupported(*item, "pipe: " + r.text(*pipe), "a pipe in an after-script is left out");
        else if (item->kind == NodeKind::map) r.error(*item, "a command must be a text or a pipe", "quote a command that holds ': '");
        else text += shell_line(*item);
    }
    return text;
}

model::Step shell_step(std::string text, const model::Mark& mark) { return {.name = "script", .run = std::move(text), .mark = mark}; }

/// Parts of a script that run one after the other: shells, and pipes between them.
std::vector<model::Step> read_script(Reader& r, const Node& at, std::vector<const Node*>& pipes) {
    std::vector<model::Step> parts;
    const Node* script = at.find("script");
    if (!script) {
        r.error(at, "a step needs a 'script'");
        return {shell_step("", r.mark(at))};
    }
    bool open = false;
    for (const Node* item : r.flat(*script)) {
        const Node* pipe = pipe_of(*item);
        if (!pipe && item->kind == NodeKind::map) {
            r.error(*item, "a command must be a text or a pipe", "quote a command that holds ': '");
            continue;
        }
        if (pipe || !open) {
            parts.push_back(pipe ? pipe_step(r, *item) : shell_step("", r.mark(*item)));
            pipes.push_back(pipe);
        }
        open = !pipe;
        if (open) parts.back().run += shell_line(*item);
    }
    if (parts.empty()) parts.push_back(shell_step("", r.mark(*script))), pipes.push_back(nullptr);
    return parts;
}

void read_after_script(Reader& r, const Node& at, model::Job& job) {
    const Node* after = at.find("after-script");
    if (!after) return;
    model::Step last{.name = "after-script", .run = commands(r, *after), .mark = r.mark(*after)};
    last.condition = "always";
    last.continue_on_error.value = true;
    last.env = {{"BITBUCKET_EXIT_CODE", "${{ job.status == 'success' && '0' || '1' }}"}};
    job.steps.push_back(std::move(last));
}

void read_caches(Reader& r, const Config& config, const Node& at, model::Job& job) {
    static const std::map<std::string, std::string> known{{"maven", "~/.m2/repository"}, {"gradle", "~/.gradle/caches"}, {"node", "node_modules"},
                                                          {"pip", "~/.cache/pip"}, {"composer", "~/.composer/cache"}, {"dotnetcore", "~/.nuget/packages"},
                                                          {"ivy2", "~/.ivy2/cache"}, {"sbt", "~/.sbt"}};
    for (const Node* item : r.flat(at)) {
        const auto name = r.text(*item);
        model::Cache cache;
        cache.mark = r.mark(*item);
        cache.scope = "project";
        const Node* own = config.definition("caches", name);
        std::string hash;
        if (own) {
            const Node* path = own->kind == NodeKind::map ? own->find("path") : own;
            if (path) cache.paths = {r.text(*path)};
            const Node* key = own->kind == NodeKind::map ? own->find("key") : nullptr;
            const Node* files = key && key->kind == NodeKind::map ? key->find("files") : nullptr;
            if (files) {
                std::vector<std::string> quoted;
                for (const auto& file : r.texts(*files)) quoted.push_back("'" + file + "'");
                hash = "-${{ hashFiles(" + join(quoted, ", ") + ") }}";
            }
        } else if (const auto found = known.find(name); found != known.end()) {
            cache.paths = {found->second};
        } else {
            if (name == "docker") r.approximated(*item, "cache docker", "it is always empty: images are built anew");
            else r.error(*item, "there is no cache '" + name + "'", "define it under 'definitions: caches:'");
            continue;
        }
        const bool outside = cache.paths.empty() || cache.paths[0].starts_with('/') || (cache.paths[0].starts_with('~') && job.image);
        if (outside) {
            r.unsupported(*item, "cache " + name, "it lies outside of the project's folder, where nothing of a job with an image is kept");
            continue;
        }
        cache.key = name + hash;
        job.cache.push_back(std::move(cache));
    }
}

void read_artifacts(Reader& r, const Node& at, model::Job& job) {
    const Node* paths = at.kind == NodeKind::map ? at.find("paths") : &at;
    const auto add = [&](const std::string& name, const Node& list, const Node& place) {
        model::Artifact artifact;
        artifact.name = name;
        artifact.mark = r.mark(place);
        artifact.paths = r.texts(list);
        std::erase_if(artifact.paths, [&](const std::string& path) {
            const bool outside = path.starts_with('/') || path.find("..") != path.npos;
            if (outside) r.unsupported(place, "artifact " + path, "it is not in the project's folder");
            return outside;
        });
        if (!artifact.paths.empty()) job.artifacts.push_back(std::move(artifact));
    };
    if (paths) add(job.name, *paths, at);
    if (at.kind != NodeKind::map) return;
    if (const Node* download = at.find("download")) r.approximated(*download, "artifacts: download", "artifacts of earlier steps are always there");
    if (const Node* upload = at.find("upload"))
        for (const Node* item : r.flat(*upload))
            if (const Node* list = item->find("paths")) add(item->find("name") ? gitlab::plain_name(r.text(*item->find("name"))) : job.name, *list, *item);
}

void read_services(Reader& r, const Config& config, const Node& at, model::Job& job) {
    for (const Node* item : r.flat(at)) {
        const auto name = r.text(*item);
        if (name == "docker") {
            r.unsupported(*item, "service docker", "there is no Docker in a job here");
            continue;
        }
        const Node* own = config.definition("services", name);
        if (!own || own->kind != NodeKind::map || !own->find("image")) {
            r.error(*item, "there is no service '" + name + "'", "define it under 'definitions: services:'");
            continue;
        }
        model::Service service;
        service.name = name;
        service.mark = r.mark(*item);
        const Node* image = own->find("image");
        if (image->kind == NodeKind::map) image = image->find("name");
        if (image) service.image = config.variables.expand(r.text(*image));
        if (const Node* variables = own->find("variables"))
            for (const auto& [key, value] : variables->members) service.env.emplace_back(key->text, config.variables.expand(r.text(*value)));
        job.services.push_back(std::move(service));
    }
}

void read_clone(Reader& r, const Node& at, model::Job& job) {
    if (at.kind != NodeKind::map) return;
    if (const Node* depth = at.find("depth")) job.git_depth = to_lower(depth->text) == "full" ? 0 : to_integer(depth->text).value_or(50);
    if (const Node* enabled = at.find("enabled"); enabled && enabled->kind == NodeKind::boolean && !enabled->boolean) job.empty_workspace = true;
    for (const auto& [key, value] : at.members)
        if (key->text == "lfs") r.approximated(*key, "clone: lfs", "files of LFS are as the repository has them");
}

void tell_others(Reader& r, const Node& at) {
    for (const auto& [key, value] : at.members) {
        const auto& name = key->text;
        if (std::find(step_keys().begin(), step_keys().end(), name) == step_keys().end()) r.error(*key, "unknown key '" + name + "' in a step", did_you_mean(name, step_keys()));
        else if (name == "oidc") r.manual(*key, "oidc", "nobody here signs tokens: set them as secrets or variables");
        else if (name == "output-variables") r.unsupported(*key, "output-variables", "variables are not handed to later steps");
        else if (name == "size" || name == "runtime") r.approximated(*key, name, "the job has what this machine has");
        else if (name == "fail-fast") r.approximated(*key, name, "what its parallel group says holds for it, too");
    }
}

/// All of a step but its script.
model::Job read_settings(Reader& r, const Config& config, const Node& at, bool& waits) {
    model::Job job;
    job.mark = r.mark(at);
    if (at.kind != NodeKind::map) {
        r.error(at, "a step must be a map, not " + at.describe());
        return job;
    }
    tell_others(r, at);
    const Node* name = at.find("name");
    const auto written = name ? r.text(*name) : std::string();
    job.name = gitlab::plain_name(written.empty() ? "step" : written);
    if (!written.empty() && job.name != written) job.title = gitlab::escaped(written);
    for (const char* key : {"image", "services"})
        if (const Node* said = at.find(key) ? at.find(key) : config.global(key)) job.key_marks.set(key, r.mark(*said));
    if (const Node* image = at.find("image") ? at.find("image") : config.global("image")) read_image(r, config, *image, job);
    if (const Node* caches = at.find("caches")) read_caches(r, config, *caches, job);
    if (const Node* artifacts = at.find("artifacts")) read_artifacts(r, *artifacts, job);
    if (const Node* services = at.find("services")) read_services(r, config, *services, job);
    job.git_depth = 50;
    if (const Node* clone = at.find("clone") ? at.find("clone") : config.global("clone")) read_clone(r, *clone, job);
    if (const Node* deployment = at.find("deployment")) {
        job.environment = r.text(*deployment);
        job.env.emplace_back("BITBUCKET_DEPLOYMENT_ENVIRONMENT", gitlab::escaped(job.environment));
    }
    const Node* options = config.global("options");
    const Node* minutes = at.find("max-time") ? at.find("max-time") : options && options->kind == NodeKind::map ? options->find("max-time") : nullptr;
    if (minutes) {
        if (minutes->kind == NodeKind::number && minutes->number >= 1 && minutes->number <= 100'000) job.timeout = Milliseconds(static_cast<std::int64_t>(minutes->number * 60'000));
        else r.error(*minutes, "'max-time' is a number of minutes, not " + minutes->describe());
    }
    if (const Node* place = at.find("runs-on"))
        for (const auto& label : r.texts(*place))
            for (const auto& [word, system] : {std::pair{"windows", "Windows"}, {"macos", "macOS"}})
                if (label == word) job.unavailable = "runs-on: " + label + ": this machine runs Linux, not " + std::string(system);
    if (const Node* condition = at.find("condition"))
        if (auto why = condition_refusal(r, config, *condition); !why.empty()) job.unavailable = std::move(why);
    const Node* trigger = at.find("trigger");
    waits = trigger && r.text(*trigger) == "manual";
    return job;
}

}  // namespace

const Node* Config::definition(std::string_view kind, std::string_view name) const {
    const Node* all = root->find("definitions");
    const Node* those = all && all->kind == NodeKind::map ? all->find(kind) : nullptr;
    return those && those->kind == NodeKind::map ? those->find(name) : nullptr;
}

std::string condition_refusal(Reader& r, const Config& config, const Node& at) {
    const Node* sets = at.kind == NodeKind::map ? at.find("changesets") : nullptr;
    if (!sets || sets->kind != NodeKind::map) {
        r.approximated(at, "condition", "it is taken to hold");
        return "";
    }
    if (config.options->facts.every_run) {
        r.approximated(at, "condition: changesets", "it holds whatever changed");
        return "";
    }
    const auto& known = config.options->facts.changed_paths;
    const auto changed = known ? known() : std::nullopt;
    if (!changed) return "";
    const auto any_in = [&](const Node& list, bool all) {
        std::vector<FileGlob> globs;
        for (const auto& pattern : r.texts(list))
            if (auto glob = FileGlob::compile(pattern)) globs.push_back(std::move(*glob));
        const auto in = [&](const std::string& path) { return std::any_of(globs.begin(), globs.end(), [&](const FileGlob& glob) { return glob.matches(path); }); };
        return all ? std::all_of(changed->begin(), changed->end(), in) : std::any_of(changed->begin(), changed->end(), in);
    };
    if (const Node* include = sets->find("includePaths"); include && !any_in(*include, false))
        return "none of " + std::to_string(changed->size()) + " changed paths is in [" + join(r.texts(*include), ", ") + "]";
    if (const Node* exclude = sets->find("excludePaths"); exclude && any_in(*exclude, true))
        return "all changed paths are in excludePaths [" + join(r.texts(*exclude), ", ") + "]";
    return "";
}

std::vector<model::Job> read_step(Reader& r, const Config& config, const Node& at, bool& waits) {
    const auto whole = read_settings(r, config, at, waits);
    if (at.kind != NodeKind::map) return {whole};
    std::vector<const Node*> pipes;
    auto scripts = read_script(r, at, pipes);
    std::vector<model::Job> parts;
    for (std::size_t i = 0; i < scripts.size(); ++i) {
        const bool first = i == 0, last = i + 1 == scripts.size();
        auto part = whole;
        if (!first) part.name += " " + std::to_string(i + 1), part.cache.clear();
        if (!last) part.artifacts = {all_files(part.name, part.mark)};
        if (const Node* pipe = pipes.empty() ? nullptr : pipes[i]) {
            part.image = model::Image{pipe_image(r.text(*pipe)), {}, {}, {}, {}};
            part.cache.clear();
            r.approximated(*pipe, "pipe: " + r.text(*pipe), scripts.size() == 1 ? "it is run from the image " + part.image->name
                           : "it is run from the image " + part.image->name + ", as a job of its own: what the shell before it exported is not known there");
        }
        part.steps.push_back(std::move(scripts[i]));
        if (last) read_after_script(r, at, part);
        parts.push_back(std::move(part));
    }
    return parts;
}

}  // namespace cicd::pipeline::bitbucket
