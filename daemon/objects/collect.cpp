#include "daemon/objects/collect.hpp"

#include "daemon/objects/caches.hpp"
#include "daemon/objects/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <unordered_set>

namespace cicd::objects {

namespace fs = std::filesystem;

namespace {

constexpr auto young = std::chrono::hours(1);
const char* const aside = "leaving";

std::vector<fs::path> entries(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code failure;
    for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) found.push_back(it->path());
    return found;
}

bool same_time(const struct stat& a, const struct stat& b) {
    return a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

/// Whoever puts the same bytes again meanwhile touches what is there: then it stays. It is set aside first, so that a
/// touch comes either before, and is seen, or finds nothing and puts the object anew.
bool remove(const ObjectStore& store, const fs::path& file, const struct stat& seen) {
    const auto hidden = store.folder() / aside / (file.parent_path().filename().string() + file.filename().string());
    if (::rename(file.c_str(), hidden.c_str()) != 0) return false;
    struct stat now {};
    if (::stat(hidden.c_str(), &now) == 0 && !same_time(now, seen)) {
        (void)::link(hidden.c_str(), file.c_str());
        (void)::unlink(hidden.c_str());
        return false;
    }
    return ::unlink(hidden.c_str()) == 0;
}

}  // namespace

Roots cache_roots(const fs::path& state) {
    Roots roots;
    for (const auto& cache : CacheIndex(state).all())
        for (const auto& digest : {cache.entry.digest, cache.entry.home_digest})
            if (!digest.empty()) roots.emplace_back(digest, cache.id + " (" + cache.entry.key + ")");
    return roots;
}

Result<Collected> collect(const ObjectStore& store, const Roots& roots, Timestamp now, const std::function<bool()>& stopping) {
    std::unordered_set<std::string> needed;
    for (const auto& [digest, who] : roots) {
        if (!needed.insert(digest).second) continue;
        const auto manifest = read_manifest(store, digest);
        if (!manifest && manifest.error().kind == ErrorKind::not_found) continue;  // it needs nothing any more
        if (!manifest) return Error(manifest.error()).within("nothing is removed, as " + who + " cannot be read");
        for (auto& object : manifest->objects()) needed.insert(std::move(object));
    }
    Collected collected;
    std::error_code failure;
    if (!fs::exists(store.folder(), failure)) return collected;
    fs::create_directory(store.folder() / aside, failure);
    // A daemon that died between the two steps of a removal.
    for (const auto& left : entries(store.folder() / aside)) (void)::unlink(left.c_str());
    for (const auto& folder : entries(store.folder())) {
        if (stopping()) break;
        const auto begin = folder.filename().string();
        if (begin.size() != 2) continue;
        for (const auto& file : entries(folder)) {
            const auto digest = begin + file.stem().string();
            struct stat facts {};
            if (needed.contains(digest) || ::stat(file.c_str(), &facts) != 0) continue;
            // The inode's own time: a file that was linked here may be old in itself.
            const Timestamp changed{Milliseconds(std::int64_t{facts.st_ctim.tv_sec} * 1000)};
            if (changed + young > now || !remove(store, file, facts)) continue;
            ++collected.objects;
            collected.bytes += static_cast<std::uint64_t>(facts.st_blocks) * 512;
        }
    }
    return collected;
}

bool is_kept(const ObjectStore& store, const std::string& digest) {
    const auto touched = [&](const std::string& object) {
        return ::utimensat(AT_FDCWD, store.path(object, false).c_str(), nullptr, 0) == 0 ||
               ::utimensat(AT_FDCWD, store.path(object, true).c_str(), nullptr, 0) == 0;
    };
    if (!is_digest(digest) || !touched(digest)) return false;
    const auto manifest = read_manifest(store, digest);
    if (!manifest) return false;
    const auto objects = manifest->objects();
    return std::all_of(objects.begin(), objects.end(), touched);
}

Scrubbed scrub(const ObjectStore& store, const Roots& roots, const std::function<bool()>& stopping) {
    Scrubbed result;
    std::map<std::string, std::set<std::string>> users;
    std::map<std::string, Damage> damages;
    const auto note = [&](const std::string& object, const Error& error) {
        damages[object] = {object, error.message, {}};
    };
    for (const auto& [digest, who] : roots) {
        users[digest].insert(who);
        const auto manifest = read_manifest(store, digest);
        if (!manifest) {
            note(digest, manifest.error());
            continue;
        }
        for (const auto& object : manifest->objects()) users[object].insert(who);
    }
    for (const auto& [object, who] : users) {
        if (stopping()) break;
        if (damages.contains(object)) continue;
        ++result.objects;
        struct stat facts {};
        for (const bool compressed : {false, true})
            if (::stat(store.path(object, compressed).c_str(), &facts) == 0) result.bytes += static_cast<std::uint64_t>(facts.st_size);
        if (const auto sound = store.verify(object); !sound) note(object, sound.error());
    }
    for (auto& [object, damage] : damages) {
        damage.needed_by.assign(users[object].begin(), users[object].end());
        result.damages.push_back(std::move(damage));
    }
    return result;
}

}  // namespace cicd::objects
