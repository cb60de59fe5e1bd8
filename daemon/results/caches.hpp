#pragma once

#include "common/job/results.hpp"
#include "daemon/objects/caches.hpp"
#include "daemon/objects/object_store.hpp"
#include "daemon/results/blobs.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cicd::results {

/// Caches of the toolkit, by `github.actions.results.api.v1.CacheService` and by the older `_apis/artifactcache`: one
/// archive each, of which only the client knows what it is. They lie where all caches lie, in the same scopes.
class Caches {
public:
    Caches(const job::ResultsRequest& request, Blobs& blobs);
    /// Twirp's methods, by their names.
    Response answer(std::string_view method, const Value& asked);
    /// What is below `/_apis/artifactcache/`.
    Response answer_rest(std::string_view path, Request& request);

private:
    /// A key together with what the client says of how the archive was made.
    using Name = std::pair<std::string, std::string>;
    struct Found {
        std::string key, url;
    };
    Result<Blobs::Offered> reserve(const Name& name);
    Result<void> save(const Name& name, const Upload& upload);
    Result<std::optional<Found>> find(const std::string& version, const std::vector<std::string>& keys);
    [[nodiscard]] Result<FilePart> archive_of(const objects::CacheEntry& entry) const;

    Result<Value> create(const Value& asked);
    Result<Value> finalize(const Value& asked);
    Result<Value> download(const Value& asked);
    Response look_up(const Request& request);
    Response reserve_rest(Request& request);
    Response of_reserved(std::string_view id, Request& request);

    const objects::ObjectStore store_;
    const objects::CacheIndex index_;
    const std::string state_;
    const job::CachePlaces places_;
    Blobs& blobs_;
    std::mutex mutex_;
    std::map<Name, std::shared_ptr<Upload>> pending_;
    std::vector<Name> reserved_;  ///< by the older protocol, whose numbers count from 1
};

}  // namespace cicd::results
