#pragma once

#include "common/base/result.hpp"
#include "common/job/keeping.hpp"
#include "common/model/run.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a runner and `cicd-results`, which serves artifacts and caches to actions of one job, say to each other: one JSON
/// document at the start, then lines in two files in memory, each written by one side.
namespace cicd::job {

struct ResultsRequest {
    std::string store;  ///< the state directory
    std::string token;  ///< what every request has to show
    std::string url;    ///< "http://127.0.0.1:PORT", as the job reaches the service
    CachePlaces places;
    std::vector<model::NeededArtifact> needed;
    std::vector<model::JobArtifact> artifacts;  ///< the job's own so far
    bool operator==(const ResultsRequest&) const = default;
};

/// Of the job's artifacts: one more, or one less.
struct ResultsChange {
    std::optional<model::JobArtifact> kept;
    std::string removed;
    bool operator==(const ResultsChange&) const = default;
};

std::string to_text(const ResultsRequest& request);
Result<ResultsRequest> read_results_request(std::string_view text);
/// A line, with its end.
std::string to_line(const ResultsChange& change);
/// The changes that were written to `file` since; `offset` moves on. What is no change is passed over.
std::vector<ResultsChange> read_changes(int file, std::uint64_t& offset);

// The descriptors that `cicd-results` finds.
inline constexpr int results_request_fd = 3;
inline constexpr int results_socket_fd = 4;   ///< listens already
inline constexpr int results_changes_fd = 5;  ///< what it changed
inline constexpr int results_known_fd = 6;    ///< what the runner changed

}  // namespace cicd::job
