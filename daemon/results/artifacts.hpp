#pragma once

#include "common/job/results.hpp"
#include "daemon/objects/object_store.hpp"
#include "daemon/results/blobs.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cicd::results {

/// `github.actions.results.api.v1.ArtifactService`: the artifacts of the job, and those of jobs that it needs.
class Artifacts {
public:
    Artifacts(const job::ResultsRequest& request, Blobs& blobs);
    /// Twirp's methods, by their names.
    Response answer(std::string_view method, const Value& asked);

private:
    struct Known {
        std::string job_key, digest;
        model::JobArtifact artifact;
        bool own = false, gone = false;
    };
    struct Pending {
        std::shared_ptr<Upload> upload;
        std::optional<Milliseconds> retention;
    };
    Result<Value> create(const Value& asked);
    Result<Value> finalize(const Value& asked);
    Result<Value> list(const Value& asked);
    Result<Value> signed_url(const Value& asked);
    Result<Value> remove(const Value& asked);
    /// What the runner has kept meanwhile.
    void learn();
    Known* own(const std::string& name);
    Result<void> tell(const job::ResultsChange& change) const;
    [[nodiscard]] Result<FilePart> zip_of(const std::string& digest) const;

    const objects::ObjectStore store_;
    const std::string state_;
    Blobs& blobs_;
    std::mutex mutex_;
    std::vector<Known> known_;  ///< an artifact's number is its place here, from 1
    std::map<std::string, Pending> pending_;
    std::uint64_t learned_ = 0;
};

}  // namespace cicd::results
