#pragma once

#include "common/base/result.hpp"
#include "common/base/time.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// The index of caches, in files: `<state>/caches/<project>/<scope>/<paths>-<key>`, names by their hashes. An entry
/// appears and is replaced whole; its file's time of change is when it was used last. No database is on a job's way.
namespace cicd::objects {

struct CacheEntry {
    std::string project, scope, key;
    std::vector<std::string> paths;
    std::string digest, home_digest;  ///< of what was in the workspace and in the home; empty: nothing
    std::uint64_t size = 0, files = 0;
    Timestamp created;
    std::optional<Milliseconds> ttl;
    std::string boot;  ///< in which its content was written or last looked through: a loss of power may have spoilt it
    bool operator==(const CacheEntry&) const = default;
};

struct CacheQuery {
    std::string project, key;
    std::vector<std::string> scopes;  ///< in this order
    std::vector<std::string> restore_keys, paths;
};

struct KnownCache {
    std::string id;  ///< "cache-" and 16 hexadecimal digits
    CacheEntry entry;
    Timestamp used;
    std::filesystem::path file;
};

class CacheIndex {
public:
    explicit CacheIndex(const std::filesystem::path& state) : folder_(state / "caches") {}

    /// The exact key in any of the scopes; else the newest that begins with the first restore key that any begins with.
    /// Without one, `why` says what there was.
    [[nodiscard]] std::optional<KnownCache> find(const CacheQuery& query, Timestamp now, std::string& why) const;
    Result<void> put(const CacheEntry& entry) const;
    void used(const KnownCache& cache) const;
    void remove(const KnownCache& cache) const;
    /// All there are, the last used first. Files that are no entries are passed over.
    [[nodiscard]] std::vector<KnownCache> all() const;
    /// Removes what is over its time, and of the others those unused for the longest, until their sizes fit. Gives how many.
    std::size_t trim(std::uint64_t quota, Timestamp now) const;
    /// What killed processes left half-written an hour ago.
    void remove_leavings(Timestamp now) const;

private:
    [[nodiscard]] std::filesystem::path file_of(const CacheEntry& entry) const;
    [[nodiscard]] std::filesystem::path scope_folder(const std::string& project, const std::string& scope) const;
    [[nodiscard]] std::optional<KnownCache> read(const std::filesystem::path& file) const;

    std::filesystem::path folder_;
};

[[nodiscard]] bool is_expired(const CacheEntry& entry, Timestamp now);
/// Of this start of the machine.
std::string boot_id();

}  // namespace cicd::objects
