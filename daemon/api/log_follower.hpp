#pragma once

#include "common/codec/log_entry.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/api/log_watch.hpp"

#include <functional>
#include <limits>
#include <string>

namespace cicd::api {

struct LogSelection;

/// Reads one attempt of a job's log on, from line to line, while it grows.
class LogFollower {
public:
    LogFollower(JobId job, std::string job_key, int attempt, std::filesystem::path directory, std::uint64_t first_line);

    static constexpr int every_step = std::numeric_limits<int>::max();
    /// What a line's id is: `prefix` and its number, or none. Not on `each`: once behind those that are written together.
    struct Ids {
        std::string prefix;
        bool each = true;
        bool join = false;  ///< lines that were printed together are one event
    };
    /// Appends the next lines as events `log`, a few hundred kilobytes at most, and tells how many it went over; none: that
    /// was all for now, or up to that step.
    Result<std::uint64_t> append_events(std::string& out, const Ids& ids, int up_to_step = every_step,
                                        const LogSelection* selection = nullptr);
    /// The same as they were printed, each line behind `name` where that is not empty.
    Result<std::uint64_t> append_text(std::string& out, std::string_view name, const LogSelection* selection = nullptr);

    /// Starts to call `grown` when there is more. Does nothing where it is watched already or not there yet.
    void watch(LogWatch& watch, const std::function<void()>& grown);
    /// Not where it is not there yet, or where the system has no watches left: then look at it now and then.
    [[nodiscard]] bool is_watched() const { return static_cast<bool>(subscription_); }
    [[nodiscard]] int attempt() const { return attempt_; }
    [[nodiscard]] std::uint64_t next_line() const { return next_; }
    [[nodiscard]] job::LogReader& reader() { return reader_; }
    void go_on_at(std::uint64_t line) { next_ = line; }
    bool has_more = true;  ///< set by whoever hears that it has grown
    int step = -1;         ///< the last one whose start was told: lines of later ones wait

private:
    int attempt_;
    std::filesystem::path directory_;
    job::LogReader reader_;
    job::LogBatch batch_;
    codec::LogEntryWriter writer_;
    std::uint64_t next_;
    bool at_line_start_ = true;
    LogWatch::Subscription subscription_;
};

codec::LogEntryWriter::Line as_line(const job::LogBatch& batch, std::size_t index);

}  // namespace cicd::api
