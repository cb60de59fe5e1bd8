#pragma once

#include "common/base/result.hpp"
#include "common/model/job_spec.hpp"

#include <optional>
#include <string>
#include <vector>

/// What a runner asks of `cicd-store`, the program that puts back and saves what jobs keep, and what that answers: one
/// JSON document each way, in files in memory. Every text is evaluated.
namespace cicd::job {

/// Where a cache is looked for and saved: scopes of a project.
struct CachePlaces {
    std::string project;            ///< its repository
    std::vector<std::string> read;  ///< in this order
    std::string write;              ///< empty: not at all, and
    std::string why_not_written;
    bool operator==(const CachePlaces&) const = default;
};

struct KeepRequest {
    enum class Operation { put_back, save } operation = Operation::put_back;
    std::string store;      ///< the state directory
    bool may_link = false;  ///< save: nobody will change the files any more, so that they may become the objects
    std::vector<model::NeededArtifact> needed;
    std::vector<model::Artifact> artifacts;
    std::vector<model::Cache> caches;
    std::vector<CachePlaces> places;  ///< one for each cache
    std::vector<model::JobCache> outcomes;  ///< save: what putting back said, one for each cache
    bool operator==(const KeepRequest&) const = default;
};

struct KeepAnswer {
    std::vector<std::string> notes;  ///< for the job's log
    std::vector<model::JobArtifact> artifacts;
    std::vector<model::JobCache> caches;
    std::optional<Error> error;      ///< what ends the job as failed
};

/// It becomes a file's where somebody downloads it.
Result<void> check_artifact_name(const std::string& name);
inline constexpr std::size_t longest_cache_key = 512;
bool is_cache_key(std::string_view key);

std::string to_text(const KeepRequest& request);
std::string to_text(const KeepAnswer& answer);
Result<KeepRequest> read_keep_request(std::string_view text);
Result<KeepAnswer> read_keep_answer(std::string_view text);

// The descriptors that `cicd-store` finds.
inline constexpr int keep_request_fd = 3;
inline constexpr int keep_answer_fd = 4;
inline constexpr int keep_workspace_fd = 5;
inline constexpr int keep_home_fd = 6;   ///< may be closed
inline constexpr int keep_layer_fd = 7;  ///< of an overlay: the folder where the job's own files really are; may be closed

}  // namespace cicd::job

namespace cicd {
template <>
struct EnumText<job::KeepRequest::Operation> {
    using E = job::KeepRequest::Operation;
    static constexpr std::array table{std::pair{E::put_back, std::string_view{"put_back"}},
                                      std::pair{E::save, std::string_view{"save"}}};
};
}  // namespace cicd
