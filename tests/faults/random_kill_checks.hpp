#pragma once

#include "tests/faults/random_kill_load.hpp"
#include "tests/faults/support.hpp"

#include <set>
#include <string>
#include <vector>

namespace cicd::test {

/// What the test did, and when.
struct Deeds {
    std::map<Attempt, Timestamp> killed_runners;
    std::vector<Timestamp> daemon_starts;  ///< when it answered again
};

/// A run of the load as its client knows it.
struct LoadRun {
    const LoadPipeline* pipeline = nullptr;
    std::string key, id;            ///< its Idempotency-Key and what was acknowledged
    bool cancel_acknowledged = false;
    std::unique_ptr<RunFollower> follower;
    Told told;
};

/// How an attempt ended, by the events.
struct Ending {
    std::string state, reason, message;
    std::optional<int> exit_code;
    Timestamp time;
    bool is_repeated = false;
};
std::map<Attempt, Ending> endings_of(const std::vector<model::RunEvent>& events);

/// Everything that is wrong with a run that has ended; empty for nothing.
std::vector<std::string> check_run(const World& world, const std::filesystem::path& record, const LoadRun& run,
                                   const Deeds& deeds);
/// What is left although every run has ended: processes, mounts, cgroups, workspaces, half-written files.
std::vector<std::string> check_leftovers(const World& world, const std::string& stray);

}  // namespace cicd::test
