#pragma once

#include "common/base/result.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/git/source.hpp"
#include "daemon/zones/zone.hpp"

#include <filesystem>

/// Job directories and workspaces on disk. Everything here blocks and is called on a pool.
namespace cicd::zones {

struct Folders {
    std::filesystem::path state;
    [[nodiscard]] std::filesystem::path job(const JobId& id, int attempt) const {
        return state / "jobs" / id.str() / std::to_string(attempt);
    }
    [[nodiscard]] std::filesystem::path run(const RunId& id) const { return state / "runs" / id.str(); }
};

/// Makes the job directory anew: workspace checked out (where it is not shared), spec written, journal empty.
Result<void> make_job_directory(const Folders& folders, const Assignment& assignment, git::Sources& sources);
/// The workspace that all jobs of the run share; checked out by whoever comes first, also after a restart.
Result<void> make_shared_workspace(const Folders& folders, const Assignment& assignment, git::Sources& sources);
/// Removes workspaces that jobs left behind when the daemon stopped before it could.
void sweep_workspaces(const Folders& folders);

}  // namespace cicd::zones
