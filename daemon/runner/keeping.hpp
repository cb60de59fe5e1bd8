#pragma once

#include "common/job/keeping.hpp"
#include "daemon/runner/context.hpp"
#include "daemon/runner/supervisor.hpp"

#include <optional>
#include <string>

namespace cicd::runner {

/// What a job gets from others before its first step, and leaves behind after its last: artifacts and caches. The work is
/// done by `cicd-store`, outside the job's place, so that this program stays small and a plain job pays for none of it.
class Keeping {
public:
    static bool is_needed(const model::JobSpec& spec);
    Keeping(const model::JobSpec& spec, const Context& context, Supervisor& supervisor)
        : spec_(spec), context_(context), supervisor_(supervisor) {}

    Result<void> put_back();
    /// By how the job ended so far; what was saved is noted in `exit`.
    Result<void> save(model::JobExit& exit);

    // For actions that keep things at their own turn, while the job goes on. `folder` is below the workspace; it is made
    // where it is not there.
    Result<job::KeepAnswer> save_now(std::uint32_t step, const std::string& folder, model::Artifact artifact);
    Result<void> put_back_now(std::uint32_t step, const std::string& folder, std::vector<model::NeededArtifact> needed);
    /// Put back now, saved when the job ends; its texts are values.
    Result<model::JobCache> add_cache(std::uint32_t step, const model::Cache& cache);
    [[nodiscard]] job::CachePlaces places_of(const model::Cache& cache) const;
    /// Before any step: afterwards nobody vouches for what lies beside the workspace.
    Result<void> open_home();

private:
    Result<job::KeepAnswer> ask(job::KeepRequest request, std::uint32_t step, const std::string& folder = {});
    [[nodiscard]] Result<model::Artifact> evaluated(const model::Artifact& artifact) const;
    [[nodiscard]] Result<model::Cache> evaluated(const model::Cache& cache) const;
    Result<void> evaluate_caches();
    [[nodiscard]] Result<model::Strings> lines(const model::Strings& texts) const;

    const model::JobSpec& spec_;
    const Context& context_;
    Supervisor& supervisor_;
    os::Fd home_;  ///< the job's, where a cache has paths in it
    std::vector<model::Cache> caches_;  ///< evaluated, before the first step
    std::vector<job::CachePlaces> places_;
    std::vector<model::JobCache> outcomes_;
};

}  // namespace cicd::runner
