#include "daemon/api/log_follower.hpp"

#include "daemon/api/log_selection.hpp"

namespace cicd::api {
namespace {

constexpr std::uint64_t lines_at_once = 4096;
constexpr std::uint64_t bytes_at_once = 128 * 1024;

void append_id(std::string& out, const LogFollower::Ids& ids, std::uint64_t line) {
    if (ids.prefix.empty()) return;
    out += "id: ";
    out += ids.prefix;
    out += std::to_string(line);
    out += '\n';
}

}  // namespace

codec::LogEntryWriter::Line as_line(const job::LogBatch& batch, std::size_t index) {
    const auto& record = batch.record(index);
    const Timestamp time(std::chrono::duration_cast<Milliseconds>(std::chrono::microseconds(record.time_us)));
    return {batch.number(index), static_cast<int>(record.step), static_cast<model::LogStream>(record.stream), time,
            batch.text(index), (record.flags & job::log_partial) != 0};
}

LogFollower::LogFollower(JobId job, std::string job_key, int attempt, std::filesystem::path directory,
                         std::uint64_t first_line)
    : attempt_(attempt), directory_(std::move(directory)), reader_(job::Paths{directory_}),
      writer_(job, job_key, attempt), next_(first_line) {}

Result<std::uint64_t> LogFollower::append_events(std::string& out, const Ids& ids, int up_to_step,
                                                 const LogSelection* selection) {
    CICD_CHECK(reader_.read(next_, lines_at_once, bytes_at_once, batch_));
    std::uint64_t taken = 0;
    for (; taken < batch_.size(); ++taken) {
        auto line = as_line(batch_, taken);
        if (line.step > up_to_step) break;
        if (selection && !selection->takes(batch_.record(taken), line.text)) continue;
        if (ids.join && !selection) {
            line.lines = batch_.alike(taken);
            line.text = batch_.text(taken, line.lines);
            taken += line.lines - 1;
        }
        if (ids.each) append_id(out, ids, line.number + line.lines - 1);
        out += "event: log\ndata: ";
        writer_.append(out, line);
        out += "\n\n";
    }
    next_ += taken;
    if (!ids.each && taken > 0) {
        append_id(out, ids, next_ - 1);
        out += '\n';
    }
    return taken;
}

Result<std::uint64_t> LogFollower::append_text(std::string& out, std::string_view name, const LogSelection* selection) {
    CICD_CHECK(reader_.read(next_, lines_at_once, bytes_at_once, batch_));
    for (std::size_t i = 0; i < batch_.size(); ++i) {
        const auto line = as_line(batch_, i);
        if (selection && !selection->takes(batch_.record(i), line.text)) continue;
        if (at_line_start_ && !name.empty()) {
            out += name;
            out += " | ";
        }
        out += line.text;
        if (!line.partial) out += '\n';
        at_line_start_ = !line.partial;
    }
    next_ += batch_.size();
    return batch_.size();
}

void LogFollower::watch(LogWatch& watch, const std::function<void()>& grown) {
    if (subscription_) return;
    subscription_ = watch.watch(directory_, grown);
    has_more = true;
}

}  // namespace cicd::api
