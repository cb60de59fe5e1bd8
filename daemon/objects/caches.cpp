#include "daemon/objects/caches.hpp"

#include "common/codec/fields.hpp"
#include "common/codec/json.hpp"
#include "daemon/objects/sha256.hpp"
#include "daemon/os/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>

namespace cicd::codec {

template <>
struct Fields<objects::CacheEntry> {
    using T = objects::CacheEntry;
    static constexpr auto list = std::tuple{
        required("project", &T::project), required("scope", &T::scope), required("key", &T::key), required("paths", &T::paths),
        omitted("digest", &T::digest), omitted("homeDigest", &T::home_digest), required("size", &T::size),
        required("files", &T::files), required("created", &T::created), omitted("ttl", &T::ttl), required("boot", &T::boot)};
};

}  // namespace cicd::codec

namespace cicd::objects {

namespace fs = std::filesystem;

namespace {

constexpr auto half_written_for = std::chrono::hours(1);

std::string short_hash(std::string_view text) { return sha256_of(text).substr(0, 32); }

std::string paths_hash(const std::vector<std::string>& paths) {
    std::string all;
    for (const auto& path : paths) all += path + "\n";
    return sha256_of(all).substr(0, 16);
}

Timestamp changed(const fs::path& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return {};
    return Timestamp(Milliseconds(std::int64_t{facts.st_mtim.tv_sec} * 1000 + facts.st_mtim.tv_nsec / 1'000'000));
}

std::vector<fs::path> entries(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code failure;
    for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) found.push_back(it->path());
    return found;
}

bool is_half_written(const fs::path& file) { return file.filename().string().starts_with(".new-"); }

}  // namespace

bool is_expired(const CacheEntry& entry, Timestamp now) { return entry.ttl && entry.created + *entry.ttl <= now; }

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    file >> id;
    return id;
}

fs::path CacheIndex::scope_folder(const std::string& project, const std::string& scope) const {
    return folder_ / short_hash(project) / short_hash(scope);
}

fs::path CacheIndex::file_of(const CacheEntry& entry) const {
    return scope_folder(entry.project, entry.scope) / (paths_hash(entry.paths) + "-" + short_hash(entry.key));
}

std::optional<KnownCache> CacheIndex::read(const fs::path& file) const {
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto value = text.empty() ? Result<Value>(internal_error("no entry")) : codec::parse_json(text);
    auto entry = value ? codec::read_whole<CacheEntry>(*value) : Result<CacheEntry>(value.error());
    if (!entry || (!entry->digest.empty() && !is_digest(entry->digest)) || (!entry->home_digest.empty() && !is_digest(entry->home_digest)))
        return std::nullopt;
    return KnownCache{"cache-" + sha256_of(fs::relative(file, folder_).string()).substr(0, 16), std::move(*entry), changed(file), file};
}

std::optional<KnownCache> CacheIndex::find(const CacheQuery& query, Timestamp now, std::string& why) const {
    why = "nothing was saved under this key yet";
    for (const auto& scope : query.scopes) {
        auto known = read(file_of({.project = query.project, .scope = scope, .key = query.key, .paths = query.paths}));
        if (!known || known->entry.key != query.key) continue;
        if (!is_expired(known->entry, now)) return known;
        why = "what was saved under this key is over its time";
    }
    const auto prefix = paths_hash(query.paths) + "-";
    for (const auto& wanted : query.restore_keys)
        for (const auto& scope : query.scopes) {
            std::optional<KnownCache> newest;
            for (const auto& file : entries(scope_folder(query.project, scope))) {
                if (!file.filename().string().starts_with(prefix)) continue;
                auto known = read(file);
                if (!known || !known->entry.key.starts_with(wanted) || is_expired(known->entry, now)) continue;
                if (!newest || newest->entry.created < known->entry.created) newest = std::move(known);
            }
            if (newest) return newest;
        }
    if (!query.restore_keys.empty()) why += ", nor under one that begins with a restore key";
    return std::nullopt;
}

Result<void> CacheIndex::put(const CacheEntry& entry) const {
    const auto file = file_of(entry);
    std::error_code failure;
    fs::create_directories(file.parent_path(), failure);
    const auto temporary = file.parent_path() / (".new-" + file.filename().string() + "-" + std::to_string(::getpid()));
    const auto text = codec::to_json(codec::write(entry)) + "\n";
    {
        const os::Fd made(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (!made || ::write(made.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            return os::last_error("cannot write " + temporary.string());
    }
    if (::rename(temporary.c_str(), file.c_str()) != 0) return os::last_error("cannot rename to " + file.string());
    return {};
}

void CacheIndex::used(const KnownCache& cache) const { (void)::utimensat(AT_FDCWD, cache.file.c_str(), nullptr, 0); }

void CacheIndex::remove(const KnownCache& cache) const { (void)::unlink(cache.file.c_str()); }

std::vector<KnownCache> CacheIndex::all() const {
    std::vector<KnownCache> found;
    for (const auto& project : entries(folder_))
        for (const auto& scope : entries(project))
            for (const auto& file : entries(scope)) {
                if (is_half_written(file)) continue;
                if (auto known = read(file)) found.push_back(std::move(*known));
            }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return std::tie(b.used, a.id) < std::tie(a.used, b.id); });
    return found;
}

std::size_t CacheIndex::trim(std::uint64_t quota, Timestamp now) const {
    std::uint64_t kept = 0;
    std::size_t removed = 0;
    for (const auto& cache : all()) {
        if (!is_expired(cache.entry, now) && cache.entry.size <= quota - std::min(quota, kept)) {
            kept += cache.entry.size;
            continue;
        }
        remove(cache);
        ++removed;
    }
    return removed;
}

void CacheIndex::remove_leavings(Timestamp now) const {
    for (const auto& project : entries(folder_))
        for (const auto& scope : entries(project))
            for (const auto& file : entries(scope))
                if (is_half_written(file) && changed(file) + half_written_for < now) (void)::unlink(file.c_str());
}

}  // namespace cicd::objects
