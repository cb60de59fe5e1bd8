#pragma once

#include "common/contract/requests.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/api/log_watch.hpp"

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace cicd::api {

/// Reads one attempt of a job's log on, from line to line, while it grows.
class LogFollower {
public:
    LogFollower(JobId job, std::string job_key, int attempt, std::filesystem::path directory, std::uint64_t first_line)
        : job_(std::move(job)), key_(std::move(job_key)), attempt_(attempt), directory_(std::move(directory)),
          reader_(job::Paths{directory_}), next_(first_line) {}

    static constexpr int every_step = std::numeric_limits<int>::max();
    /// The next lines, a few tens of kilobytes at most; none: that was all for now, or up to that step.
    Result<std::vector<contract::LogEntry>> read(int up_to_step = every_step);

    /// Starts to call `grown` when there is more. Does nothing where it is watched already or not there yet.
    void watch(LogWatch& watch, const std::function<void()>& grown);
    [[nodiscard]] bool is_watched() const { return static_cast<bool>(subscription_); }
    [[nodiscard]] int attempt() const { return attempt_; }
    [[nodiscard]] std::uint64_t next_line() const { return next_; }
    bool has_more = true;  ///< set by whoever hears that it has grown

private:
    JobId job_;
    std::string key_;
    int attempt_;
    std::filesystem::path directory_;
    job::LogReader reader_;
    std::uint64_t next_;
    LogWatch::Subscription subscription_;
};

contract::LogEntry as_entry(const JobId& job, const std::string& key, int attempt, const job::LogLine& line);

}  // namespace cicd::api
