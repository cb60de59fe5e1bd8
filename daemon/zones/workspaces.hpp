#pragma once

#include "common/base/result.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/git/source.hpp"
#include "daemon/images/store.hpp"
#include "daemon/zones/trees.hpp"
#include "daemon/zones/zone.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

/// Job directories and workspaces on disk. Everything here blocks and is called on a pool.
namespace cicd::zones {

struct Folders {
    std::filesystem::path state;
    [[nodiscard]] std::filesystem::path job(const JobId& id, int attempt) const {
        return state / "jobs" / id.str() / std::to_string(attempt);
    }
    [[nodiscard]] std::filesystem::path run(const RunId& id) const { return state / "runs" / id.str(); }
    /// What is about to be removed.
    [[nodiscard]] std::filesystem::path aside() const { return state / "removing"; }
};

/// What workspaces are made of.
struct WorkspaceMaker {
    Folders folders;
    std::filesystem::path runner;
    git::Sources& sources;
    Trees& trees;
    images::Store& images;
    std::string engine;                     ///< for the executor `container`
    std::function<bool()> stop = nullptr;  ///< asked while an image is being pulled
    model::Strings mountable = {};         ///< folders of this machine that containers may be given
};

/// What lies read-only below a job's own files. While it lives, it stays.
struct Held {
    std::shared_ptr<const Trees::Use> tree;
    std::vector<std::string> layers;  ///< of the workspace, as its spec names them
    std::vector<std::shared_ptr<const images::Store::Use>> images;
    std::vector<std::shared_ptr<const Trees::Use>> actions;  ///< and the workspace's repository
};

/// A job's contexts with `runner`, which only the zone knows.
Value with_runner(Value contexts);
/// Whether making this job's directory begins with a checkout of the whole source.
bool needs_checkout(const WorkspaceMaker& maker, const Assignment& assignment);
/// Whether it begins with an image from a registry, which takes as long as the network does.
bool needs_pull(const WorkspaceMaker& maker, const Assignment& assignment);
/// Makes the job directory anew: workspace filled (where it is not shared), spec written, journal empty. What is returned
/// is kept until the runner has it.
Result<Held> make_job_directory(const WorkspaceMaker& maker, const Assignment& assignment);
/// The workspace that all jobs of the run share; checked out by whoever comes first, also after a restart.
Result<void> make_shared_workspace(const WorkspaceMaker& maker, const Assignment& assignment);
/// Of a job that is over: its workspace, and what its runner was writing when it died.
void remove_leavings(const Folders& folders, const job::Paths& paths);
/// What jobs worked in. Users of containers may have written there what only they can remove.
void remove_work(const Folders& folders, const std::filesystem::path& folder);

using Attempt = std::pair<JobId, int>;
/// Attempts on disk that have no living runner and leave something to remove: over with their workspace still there, or
/// made by a daemon that died before their turn.
std::vector<Attempt> attempts_without_runner(const Folders& folders);
/// Takes that from where it is, at once, and leaves the removal itself to `remove_set_aside`: whoever makes such an
/// attempt anew meanwhile is not disturbed.
void set_aside(const Folders& folders, const std::vector<Attempt>& attempts);
/// The same for one folder, of which nothing stays. Where it is now; nothing where there is no such folder.
std::optional<std::filesystem::path> set_aside(const Folders& folders, const std::filesystem::path& folder);
void remove_set_aside(const Folders& folders);
/// What engines still have of jobs whose runner is dead. Asks nobody where no engine was ever used.
void sweep_containers(const Folders& folders);

}  // namespace cicd::zones
