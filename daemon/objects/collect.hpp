#pragma once

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/objects/object_store.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

/// What is kept goes when nothing refers to it any more, and what is damaged is found and named.
namespace cicd::objects {

/// The digest of a manifest, and what refers to it, for people.
using Roots = std::vector<std::pair<std::string, std::string>>;

/// Those of the caches.
Roots cache_roots(const std::filesystem::path& state);

struct Collected {
    std::uint64_t objects = 0, bytes = 0;
};
/// Removes what none of the roots needs and nobody has put there for an hour. Where a manifest cannot be read nothing is
/// removed: it might need anything. `now` is the wall clock.
Result<Collected> collect(const ObjectStore& store, const Roots& roots, Timestamp now, const std::function<bool()>& stopping);

/// Whether everything that a manifest needs is there. Then it is as if somebody had just put it there.
bool is_kept(const ObjectStore& store, const std::string& digest);

struct Damage {
    std::string object, what;
    std::vector<std::string> needed_by;
};
struct Scrubbed {
    std::uint64_t objects = 0, bytes = 0;
    std::vector<Damage> damages;
};
/// Reads every byte that the roots need.
Scrubbed scrub(const ObjectStore& store, const Roots& roots, const std::function<bool()>& stopping);

}  // namespace cicd::objects
