#include "daemon/objects/keep.hpp"

#include "common/base/time.hpp"
#include "common/job/keeping.hpp"
#include "daemon/objects/caches.hpp"
#include "daemon/objects/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace cicd::objects {
namespace {

namespace fs = std::filesystem;
using job::KeepAnswer;
using job::KeepRequest;

Result<std::string> read_request() {
    struct stat facts {};
    if (::fstat(job::keep_request_fd, &facts) != 0) return os::last_error("there is no request");
    std::string text(static_cast<std::size_t>(facts.st_size), '\0');
    const ssize_t n = ::pread(job::keep_request_fd, text.data(), text.size(), 0);
    if (n != facts.st_size) return os::last_error("the request cannot be read");
    return text;
}

std::string counted(std::uint64_t files) { return std::to_string(files) + (files == 1 ? " file" : " files"); }

Result<void> put_back_artifacts(const ObjectStore& store, const KeepRequest& request, KeepAnswer& answer) {
    for (const auto& needed : request.needed) {
        const auto label = "artifact '" + needed.name + "' of " + needed.job_key;
        const auto manifest = read_manifest(store, needed.digest);
        if (!manifest) return Error(manifest.error()).within(label);
        if (auto done = restore_tree(store, *manifest, job::keep_workspace_fd); !done) return std::move(done.error()).within(label);
        answer.notes.push_back(label + ": " + counted(manifest->files()) + ", " + humanize_size(manifest->size()) + " put back");
    }
    return {};
}

Result<void> save_artifacts(const ObjectStore& store, const KeepRequest& request, KeepAnswer& answer) {
    SaveOptions options;
    options.may_link = request.may_link;
    if (request.may_link && ::fcntl(job::keep_layer_fd, F_GETFD) >= 0) options.layer = job::keep_layer_fd;
    for (const auto& artifact : request.artifacts) {
        const auto label = "artifact '" + artifact.name + "'";
        auto saved = save_tree(store, job::keep_workspace_fd, {artifact.paths, artifact.exclude}, options);
        if (!saved) return std::move(saved.error()).within(label);
        for (auto& note : saved->notes) answer.notes.push_back(label + ": " + note);
        if (saved->entries == 0) {
            answer.notes.push_back(label + ": nothing to save, no file matches its paths");
            continue;
        }
        answer.notes.push_back(label + ": " + counted(saved->files) + ", " + humanize_size(saved->size) + " saved");
        answer.artifacts.push_back({artifact.name, artifact.type, saved->digest, saved->size, saved->files, artifact.retention});
    }
    return {};
}

/// What a cache holds of the workspace, and of the job's home (`~/…`).
struct CachePaths {
    std::vector<std::string> workspace, home;
};

CachePaths by_place(const std::vector<std::string>& paths) {
    CachePaths split;
    for (const auto& path : paths) {
        const bool exclude = path.starts_with('!');
        const auto plain = path.substr(exclude ? 1 : 0);
        if (plain.starts_with("~/")) split.home.push_back((exclude ? "!" : "") + plain.substr(2));
        else split.workspace.push_back(path);
    }
    return split;
}

/// Whether everything is there. After a restart of the machine also whether it is what it was: caches are not made durable.
Result<void> check(const ObjectStore& store, const CacheEntry& entry) {
    for (const auto& digest : {entry.digest, entry.home_digest}) {
        if (digest.empty()) continue;
        CICD_TRY(const auto manifest, read_manifest(store, digest));
        for (const auto& object : manifest.objects()) CICD_CHECK(store.verify(object));
    }
    return {};
}

Result<void> put_back_cache(const ObjectStore& store, const CacheEntry& entry) {
    for (const auto& [digest, folder] : {std::pair(entry.digest, job::keep_workspace_fd), std::pair(entry.home_digest, job::keep_home_fd)}) {
        if (digest.empty()) continue;
        CICD_TRY(const auto manifest, read_manifest(store, digest));
        CICD_CHECK(restore_tree(store, manifest, folder));
    }
    return {};
}

/// A cache is a help, never a need: what is damaged or gone is a miss.
model::JobCache look_for(const ObjectStore& store, const CacheIndex& index, const model::Cache& cache, const job::CachePlaces& places) {
    model::JobCache outcome{.key = cache.key};
    if (cache.policy == "push") {
        outcome.hit = model::CacheHit::unused;
        outcome.reason = "its policy only pushes";
        return outcome;
    }
    const auto found = index.find({places.project, cache.key, places.read, cache.restore_keys, cache.paths}, SystemClock().now(), outcome.reason);
    if (!found) return outcome;
    auto entry = found->entry;
    if (const auto boot = boot_id(); entry.boot != boot) {
        if (const auto sound = check(store, entry); !sound) {
            index.remove(*found);
            outcome.reason = "what was saved as '" + entry.key + "' is no longer whole: " + sound.error().message;
            return outcome;
        }
        entry.boot = boot;
        (void)index.put(entry);
    }
    if (const auto done = put_back_cache(store, entry); !done) {
        if (done.error().code.starts_with("OBJECT")) index.remove(*found);
        outcome.reason = "'" + entry.key + "' could not be put back: " + done.error().message;
        return outcome;
    }
    index.used(*found);
    outcome.hit = entry.key == cache.key ? model::CacheHit::exact : model::CacheHit::partial;
    outcome.matched = entry.key;
    outcome.size = entry.size;
    outcome.reason = "from " + entry.scope + ", saved " + format_time(entry.created);
    return outcome;
}

std::string told(const model::JobCache& outcome) {
    const auto label = "cache '" + outcome.key + "': ";
    switch (outcome.hit) {
        case model::CacheHit::exact: return label + "hit, " + humanize_size(outcome.size) + " " + outcome.reason;
        case model::CacheHit::partial:
            return label + "found '" + outcome.matched + "' instead, " + humanize_size(outcome.size) + " " + outcome.reason;
        case model::CacheHit::miss: return label + "miss, " + outcome.reason;
        case model::CacheHit::unused: return label + "not looked for, " + outcome.reason;
    }
    return label;
}

void put_back_caches(const ObjectStore& store, const KeepRequest& request, KeepAnswer& answer) {
    const CacheIndex index(request.store);
    for (std::size_t i = 0; i < request.caches.size() && i < request.places.size(); ++i) {
        answer.caches.push_back(look_for(store, index, request.caches[i], request.places[i]));
        answer.notes.push_back(told(answer.caches.back()));
    }
}

Result<CacheEntry> save_cache(const ObjectStore& store, const model::Cache& cache, const job::CachePlaces& places, bool may_link,
                              std::vector<std::string>& notes) {
    CacheEntry entry{.project = places.project, .scope = places.write, .key = cache.key, .paths = cache.paths};
    entry.created = SystemClock().now();
    entry.ttl = cache.ttl;
    entry.boot = boot_id();
    const auto paths = by_place(cache.paths);
    SaveOptions options{.durability = Durability::fleeting, .times = true, .any_name = true};
    const auto take = [&](const std::vector<std::string>& selected, int folder, std::string& digest) -> Result<void> {
        if (selected.empty()) return {};
        CICD_TRY(const auto saved, save_tree(store, folder, {selected, {}}, options));
        notes.insert(notes.end(), saved.notes.begin(), saved.notes.end());
        digest = saved.digest;
        entry.size += saved.size;
        entry.files += saved.files;
        return {};
    };
    CICD_CHECK(take(paths.home, job::keep_home_fd, entry.home_digest));
    options.may_link = may_link;
    if (may_link && ::fcntl(job::keep_layer_fd, F_GETFD) >= 0) options.layer = job::keep_layer_fd;
    CICD_CHECK(take(paths.workspace, job::keep_workspace_fd, entry.digest));
    return entry;
}

/// Where it cannot be saved, the job is as good as without it.
void save_caches(const ObjectStore& store, const KeepRequest& request, KeepAnswer& answer) {
    const CacheIndex index(request.store);
    answer.caches = request.outcomes;
    for (std::size_t i = 0; i < request.caches.size() && i < request.places.size() && i < answer.caches.size(); ++i) {
        const auto& cache = request.caches[i];
        const auto& places = request.places[i];
        auto& outcome = answer.caches[i];
        const auto label = "cache '" + cache.key + "': ";
        if (outcome.hit == model::CacheHit::exact || cache.policy == "pull") continue;
        if (places.write.empty()) {
            answer.notes.push_back(label + "not saved, " + places.why_not_written);
            continue;
        }
        std::vector<std::string> notes;
        const auto entry = save_cache(store, cache, places, request.may_link, notes);
        for (const auto& note : notes) answer.notes.push_back(label + note);
        const bool empty = entry && entry->digest.empty() && entry->home_digest.empty();
        const auto put = entry && !empty ? index.put(*entry) : Result<void>{};
        if (!entry || empty || !put) {
            answer.notes.push_back(label + "not saved, " + (!entry ? entry.error().message : empty ? "no file matches its paths" : put.error().message));
            continue;
        }
        outcome.saved = true;
        if (outcome.hit != model::CacheHit::partial) outcome.size = entry->size;
        answer.notes.push_back(label + counted(entry->files) + ", " + humanize_size(entry->size) + " saved for " + places.write);
    }
}

Result<void> serve(const KeepRequest& request, KeepAnswer& answer) {
    const ObjectStore store(fs::path(request.store) / "objects");
    switch (request.operation) {
        case KeepRequest::Operation::put_back:
            // Artifacts last: what the run itself made counts for more than what an earlier one left.
            put_back_caches(store, request, answer);
            return put_back_artifacts(store, request, answer);
        case KeepRequest::Operation::save:
            save_caches(store, request, answer);
            return save_artifacts(store, request, answer);
    }
    return {};
}

}  // namespace

int keep() {
    ::umask(022);
    KeepAnswer answer;
    const auto text = read_request();
    auto request = text ? job::read_keep_request(*text) : Result<KeepRequest>(text.error());
    const auto done = request ? serve(*request, answer) : Result<void>(request.error());
    if (!done) answer.error = done.error();
    const auto bytes = job::to_text(answer);
    return ::pwrite(job::keep_answer_fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()) ? 0 : 3;
}

}  // namespace cicd::objects
