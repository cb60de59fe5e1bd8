#include "daemon/runner/keeping.hpp"

#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/inner_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace cicd::runner {
namespace {


bool is_due(model::ArtifactWhen when, model::JobState state) {
    switch (when) {
        case model::ArtifactWhen::always: return true;
        case model::ArtifactWhen::on_success: return state == model::JobState::success;
        case model::ArtifactWhen::on_failure: return state == model::JobState::failed;
    }
    return false;
}

}  // namespace

bool Keeping::is_needed(const model::JobSpec& spec) {
    return !spec.needed.empty() || !spec.artifacts.empty() || !spec.caches.empty();
}

/// Each text may become several lines: each is one path.
Result<model::Strings> Keeping::lines(const model::Strings& texts) const {
    model::Strings list;
    for (const auto& text : texts) {
        CICD_TRY(const auto evaluated, context_.text(text));
        for (const auto& line : split(evaluated, '\n'))
            if (!trim(line).empty()) list.emplace_back(trim(line));
    }
    return list;
}

Result<model::Artifact> Keeping::evaluated(const model::Artifact& artifact) const {
    auto result = artifact;
    CICD_TRY(result.name, context_.text(artifact.name));
    CICD_CHECK(job::check_artifact_name(result.name));
    CICD_TRY(result.type, context_.text(artifact.type));
    CICD_TRY(result.paths, lines(artifact.paths));
    CICD_TRY(result.exclude, lines(artifact.exclude));
    return result;
}

Result<model::Cache> Keeping::evaluated(const model::Cache& cache) const {
    auto result = cache;
    CICD_TRY(result.key, context_.text(cache.key));
    CICD_TRY(result.paths, lines(cache.paths));
    CICD_TRY(result.restore_keys, lines(cache.restore_keys));
    if (!job::is_cache_key(result.key))
        return invalid("CACHE_002", "a cache's key is empty, longer than " + std::to_string(job::longest_cache_key) + " bytes, or no text",
                       "it was written as '" + cache.key + "'");
    for (const auto& path : result.paths) {
        const std::string_view plain = std::string_view(path).substr(path.starts_with('!') ? 1 : 0);
        if (plain.starts_with('/') || plain == "~" || (plain.starts_with('~') && !plain.starts_with("~/")))
            return invalid("CACHE_002", "cache '" + result.key + "': '" + path + "' is neither in the workspace nor in the job's home",
                           "write paths relative to the workspace, or as ~/…");
        if (plain.starts_with("~/") && spec_.executor != model::ExecutorKind::sandbox)
            return invalid("CACHE_002", "cache '" + result.key + "': '" + path + "' is outside of the workspace, and this job has no home of its own",
                           "run it in the sandbox, or keep the files in the workspace");
    }
    return result;
}

/// A branch reads its own caches and those of the branches it comes from. Whoever asks for a pull reads those of its target
/// and never writes them: nobody outside can put anything where others trust it.
job::CachePlaces Keeping::places_of(const model::Cache& cache) const {
    const auto text = [this](std::string_view context, std::string_view member) {
        const auto& value = context_.spec_value(context, member);
        return value.is_string() ? value.as_string() : std::string();
    };
    job::CachePlaces places;
    places.project = text("git", "repository");
    const auto& pull = context_.spec_value("git", "pullRequest");
    // Whoever asks for a pull chooses its branch's name, also where nobody has numbered it.
    const bool of_pull = pull.is_number() || text("run", "event") == "pull_request";
    if (cache.scope == "project" || cache.scope == "pipeline") {
        places.read = {cache.scope == "project" ? "the project" : "pipeline " + text("run", "pipeline")};
        if (of_pull) places.why_not_written = "a pull request only reads what the whole " + cache.scope + " shares";
        else places.write = places.read.front();
        return places;
    }
    const auto own = pull.is_number() ? "pull request " + number_text(pull.as_number())
                                      : (of_pull ? "pull request of branch " : "branch ") + text("git", "refName");
    places.write = own;
    places.read = {own};
    const auto add = [&](const std::string& scope) {
        if (std::find(places.read.begin(), places.read.end(), scope) == places.read.end()) places.read.push_back(scope);
    };
    if (of_pull) add("branch " + text("git", "base"));
    for (const char* usual : {"main", "master"}) add(std::string("branch ") + usual);
    return places;
}

Result<void> Keeping::evaluate_caches() {
    bool wants_home = false;
    for (const auto& cache : spec_.caches) {
        CICD_TRY(auto made, evaluated(cache));
        for (const auto& path : made.paths) wants_home |= path.starts_with("~/") || path.starts_with("!~/");
        places_.push_back(places_of(made));
        caches_.push_back(std::move(made));
    }
    return wants_home ? open_home() : Result<void>{};
}

Result<void> Keeping::open_home() {
    if (home_) return {};
    if (!supervisor_.await_place()) return unavailable("JOB_003", "the job's place was never there");
    // Nothing of the job runs yet, so what is beside the workspace is what we put there.
    const auto home = supervisor_.workspace() / (spec_.system == model::SystemMode::writable ? "../root" : "../home/ci");
    home_ = os::Fd(::open(home.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!home_) return os::last_error("the job's home cannot be reached");
    return {};
}

Result<void> Keeping::put_back() {
    CICD_CHECK(evaluate_caches());
    if (spec_.needed.empty() && caches_.empty()) return {};
    job::KeepRequest request;
    request.operation = job::KeepRequest::Operation::put_back;
    request.needed = spec_.needed;
    request.caches = caches_;
    request.places = places_;
    CICD_TRY(auto answer, ask(std::move(request), 0));
    outcomes_ = std::move(answer.caches);
    return answer.error ? Result<void>(*answer.error) : Result<void>{};
}

Result<void> Keeping::save(model::JobExit& exit) {
    job::KeepRequest request;
    request.operation = job::KeepRequest::Operation::save;
    exit.caches = outcomes_;
    // The place of a sandboxed job goes with it; a folder that others work in goes on.
    request.may_link = supervisor_.folders().owner == 0 && spec_.executor == model::ExecutorKind::sandbox && spec_.workspace.starts_with(spec_.store + "/jobs/");
    std::set<std::string> names;
    for (const auto& artifact : spec_.artifacts) {
        if (!is_due(artifact.when, exit.state)) continue;
        CICD_TRY(auto made, evaluated(artifact));
        if (!names.insert(made.name).second)
            return invalid("ARTIFACT_002", "the job has two artifacts of the name '" + made.name + "'", "give each a name of its own");
        request.artifacts.push_back(std::move(made));
    }
    const bool saves_cache = exit.state == model::JobState::success && outcomes_.size() == caches_.size() &&
                             std::any_of(outcomes_.begin(), outcomes_.end(), [](const auto& one) { return one.hit != model::CacheHit::exact; });
    if (saves_cache) {
        request.caches = caches_;
        request.places = places_;
        request.outcomes = outcomes_;
    }
    if (request.artifacts.empty() && request.caches.empty()) return {};
    CICD_TRY(auto answer, ask(std::move(request), spec_.steps.empty() ? 0 : static_cast<std::uint32_t>(spec_.steps.size() - 1)));
    exit.artifacts.insert(exit.artifacts.end(), answer.artifacts.begin(), answer.artifacts.end());
    if (saves_cache) exit.caches = std::move(answer.caches);
    return answer.error ? Result<void>(*answer.error) : Result<void>{};
}

Result<job::KeepAnswer> Keeping::save_now(std::uint32_t step, const std::string& folder, model::Artifact artifact) {
    CICD_CHECK(job::check_artifact_name(artifact.name));
    job::KeepRequest request;
    request.operation = job::KeepRequest::Operation::save;
    request.artifacts = {std::move(artifact)};
    CICD_TRY(auto answer, ask(std::move(request), step, folder));
    if (answer.error) return *answer.error;
    return answer;
}

Result<void> Keeping::put_back_now(std::uint32_t step, const std::string& folder, std::vector<model::NeededArtifact> needed) {
    job::KeepRequest request;
    request.operation = job::KeepRequest::Operation::put_back;
    request.needed = std::move(needed);
    CICD_TRY(const auto answer, ask(std::move(request), step, folder));
    return answer.error ? Result<void>(*answer.error) : Result<void>{};
}

Result<model::JobCache> Keeping::add_cache(std::uint32_t step, const model::Cache& cache) {
    CICD_TRY(auto made, evaluated(cache));
    const bool in_home = std::any_of(made.paths.begin(), made.paths.end(), [](const auto& path) { return path.starts_with("~/"); });
    if (in_home && !home_) return unavailable("CACHE_002", "the job's home was not kept open for it");
    job::KeepRequest request;
    request.operation = job::KeepRequest::Operation::put_back;
    request.caches = {made};
    request.places = {places_of(made)};
    CICD_TRY(const auto answer, ask(request, step));
    if (answer.caches.size() != 1) return internal_error("the cache was not answered for");
    caches_.push_back(std::move(made));
    places_.push_back(request.places.front());
    outcomes_.push_back(answer.caches.front());
    return answer.caches.front();
}

namespace {

/// A folder below the workspace, made where it is not there; no link on the way leads out.
Result<os::Fd> folder_below(const os::Fd& workspace, const std::string& folder) {
    std::string so_far;
    for (const auto& part : split(folder, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == "..") return invalid("JOB_002", "'" + folder + "' leads out of the workspace");
        const auto parent = os::open_in_root(workspace.get(), so_far.empty() ? "." : so_far, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (!parent) return os::last_error("cannot enter " + so_far);
        if (::mkdirat(parent.get(), part.c_str(), 0755) != 0 && errno != EEXIST) return os::last_error("cannot create " + folder);
        so_far += (so_far.empty() ? "" : "/") + part;
    }
    auto opened = os::open_in_root(workspace.get(), so_far.empty() ? "." : so_far, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!opened) return os::last_error("cannot enter " + folder);
    return opened;
}

}  // namespace

Result<job::KeepAnswer> Keeping::ask(job::KeepRequest request, std::uint32_t step, const std::string& below) {
    if (!supervisor_.await_place()) return unavailable("JOB_003", "the job's place was never there");
    const auto workspace = supervisor_.workspace();
    request.store = spec_.store;
    CICD_TRY(const auto question, os::memory_file("request", job::to_text(request)));
    CICD_TRY(const auto answer, os::memory_file("answer", ""));
    os::Fd folder(::open(workspace.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return os::last_error("cannot enter the workspace");
    if (!below.empty()) {
        CICD_TRY(folder, folder_below(folder, below));
    }
    const os::Fd layer(!request.may_link || spec_.workspace_layers.empty() ? -1 : ::open((spec_.workspace + "/upper").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));

    os::SpawnOptions options;
    options.argv = {sibling_program("cicd-store").string()};
    options.cwd = "/";
    options.fds = {{question.get(), job::keep_request_fd}, {answer.get(), job::keep_answer_fd},
                   {folder.get(), job::keep_workspace_fd}, {STDERR_FILENO, STDERR_FILENO}};
    if (layer) options.fds.emplace_back(layer.get(), job::keep_layer_fd);
    if (home_) options.fds.emplace_back(home_.get(), job::keep_home_fd);
    CICD_TRY(const int status, supervisor_.run_outside(step, options));
    if (const auto stop = supervisor_.stop_of(step); stop && WIFSIGNALED(status)) return unavailable("JOB_003", stop->message);
    struct stat facts {};
    std::string text;
    if (::fstat(answer.get(), &facts) == 0) text.resize(static_cast<std::size_t>(facts.st_size));
    const ssize_t n = ::pread(answer.get(), text.data(), text.size(), 0);
    if (!WIFEXITED(status) || n <= 0)
        return unavailable("JOB_003", "what the job keeps could not be moved: cicd-store " +
                                          (WIFSIGNALED(status) ? "was killed by signal " + std::to_string(WTERMSIG(status))
                                                               : "ended with " + std::to_string(WEXITSTATUS(status))));
    CICD_TRY(auto told, job::read_keep_answer(text));
    for (const auto& note : told.notes) supervisor_.note(step, note);
    return told;
}

}  // namespace cicd::runner
