#pragma once

#include "common/base/time.hpp"
#include "common/contract/requests.hpp"
#include "daemon/store/store.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>

/// What is kept, and the removal of the rest in small steps beside all other work.
namespace cicd::upkeep {

/// `retention` of the configuration. A run that is not over is never touched.
struct Policy {
    std::optional<Milliseconds> age = std::chrono::days(90);     ///< of runs with all that belongs to them, since their end
    std::optional<std::int64_t> runs;                            ///< so many of the newest stay
    std::optional<Milliseconds> logs;                            ///< of logs, where they go earlier than their runs
    std::optional<std::uint64_t> size;                           ///< of all logs together: the oldest go first
    std::optional<Milliseconds> workspaces = std::chrono::days(1);  ///< that were left behind
    std::optional<Milliseconds> mirrors = std::chrono::days(90);    ///< of repositories that nobody has used since
    std::uint64_t trees = std::uint64_t{10} << 30;               ///< of checkouts kept for the next job that wants them
    std::uint64_t caches = std::uint64_t{10} << 30;              ///< of all that jobs cached: the least recently used go first
    bool operator==(const Policy&) const = default;
};

class Cleaner {
public:
    /// All of these outlive the cleaner.
    struct Parts {
        store::Store& store;
        std::filesystem::path state;
        const Clock& clock;
        std::function<bool()> stopping;  ///< asked between steps
        /// Brings kept checkouts down to so many bytes; gives what that freed. May be empty.
        std::function<Result<std::uint64_t>(std::uint64_t bytes)> trim_trees = {};
        /// Removes artifacts and caches that are over their time, caches beyond so many bytes, and then the content that
        /// nothing needs any more; gives what that freed. May be empty.
        std::function<Result<std::uint64_t>(std::uint64_t caches)> clean_objects = {};
    };
    Cleaner(Parts parts, Policy policy);

    /// Blocks, for long where there is much. One at a time: a second one waits.
    Result<contract::CleanUpReport> clean(const contract::CleanUp& request);

private:
    struct Pass;
    bool clock_is_plausible();

    Parts parts_;
    Policy policy_;
    std::mutex one_at_a_time_;
    Timestamp wall_begin_;
    std::chrono::steady_clock::time_point steady_begin_;
};

/// Mirrors not used for that long are put aside, quickly: to be called before anybody uses them. The next clean-up
/// removes them.
void retire_mirrors(const std::filesystem::path& state, Milliseconds unused_for, Timestamp now);

/// Bytes on disk of a file or of a folder with all below it; links are not followed.
std::uint64_t bytes_below(const std::filesystem::path& path);

/// Runs the calling thread only when nobody else wants the processor or the disk.
void work_in_the_background();

}  // namespace cicd::upkeep
