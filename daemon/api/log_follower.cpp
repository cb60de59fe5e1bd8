#include "daemon/api/log_follower.hpp"

namespace cicd::api {
namespace {

constexpr std::uint64_t lines_at_once = 1000;
constexpr std::uint64_t bytes_at_once = 64 * 1024;

}  // namespace

contract::LogEntry as_entry(const JobId& job, const std::string& key, int attempt, const job::LogLine& line) {
    contract::LogEntry entry;
    entry.job = job;
    entry.job_key = key;
    entry.line = line.number;
    entry.step = static_cast<int>(line.record.step);
    entry.stream = static_cast<model::LogStream>(line.record.stream);
    entry.time = Timestamp(std::chrono::duration_cast<Milliseconds>(std::chrono::microseconds(line.record.time_us)));
    entry.text = line.text;
    entry.partial = (line.record.flags & job::log_partial) != 0;
    entry.attempt = attempt;
    return entry;
}

Result<std::vector<contract::LogEntry>> LogFollower::read(int up_to_step) {
    CICD_TRY(const auto lines, reader_.read(next_, lines_at_once, bytes_at_once));
    std::vector<contract::LogEntry> entries;
    for (const auto& line : lines) {
        if (static_cast<int>(line.record.step) > up_to_step) break;
        entries.push_back(as_entry(job_, key_, attempt_, line));
    }
    next_ += entries.size();
    return entries;
}

void LogFollower::watch(LogWatch& watch, const std::function<void()>& grown) {
    if (subscription_) return;
    subscription_ = watch.watch(directory_, grown);
    has_more = true;
}

}  // namespace cicd::api
