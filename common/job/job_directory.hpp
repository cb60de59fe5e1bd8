#pragma once

#include "common/base/result.hpp"
#include "common/model/job_spec.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The job directory: what passes between `cicd-runner` and whoever follows it. See README.md for the format.
///   spec.json   the job, without secrets (written by the daemon, before the runner starts)
///   lock        locked (open file description lock) by the runner for as long as it lives
///   pid         "PID STARTTIME\n" of the runner (start time: field 22 of /proc/PID/stat)
///   cancel      why the job is to end: an EndReason's text and a message; written before SIGTERM is sent to the runner
///   journal     one JSON object per line, each durable before the next step starts
///   log         the output as written; log.idx: one fixed-size record per line (see LogRecord)
///   exit        JobExit as JSON; written atomically, last
namespace cicd::job {

struct Paths {
    std::filesystem::path root;
    [[nodiscard]] auto spec() const { return root / "spec.json"; }
    [[nodiscard]] auto lock() const { return root / "lock"; }
    [[nodiscard]] auto pid() const { return root / "pid"; }
    [[nodiscard]] auto cancel() const { return root / "cancel"; }
    [[nodiscard]] auto journal() const { return root / "journal"; }
    [[nodiscard]] auto log() const { return root / "log"; }
    [[nodiscard]] auto index() const { return root / "log.idx"; }
    [[nodiscard]] auto exit() const { return root / "exit"; }
    [[nodiscard]] auto workspace() const { return root / "workspace"; }
    [[nodiscard]] auto files() const { return root / "files"; }
    /// Of a host job: actions of other repositories.
    [[nodiscard]] auto actions() const { return root / "actions"; }
    /// What a service writes.
    [[nodiscard]] auto service(const std::string& name) const { return root / "workspace" / "services" / name; }
};

/// One line of output. 24 bytes, little-endian, at `line * 24` of log.idx.
struct LogRecord {
    std::uint64_t offset = 0;   ///< of the line's first byte in `log`
    std::uint64_t time_us = 0;  ///< since the epoch
    std::uint32_t step = 0;     ///< index, from 0
    std::uint8_t stream = 0;    ///< model::LogStream
    std::uint8_t flags = 0;     ///< 1: no newline yet, the next record of this step and stream goes on with it
    std::uint16_t piece = 0;    ///< bytes, where no newline ends it; 0: it ends with the first newline
};
static_assert(sizeof(LogRecord) == 24);
constexpr std::uint8_t log_partial = 1;

struct LogLine {
    std::uint64_t number = 0;  ///< from 0
    LogRecord record;
    std::string text;          ///< without the final newline
};

Result<void> write_spec(const Paths& paths, const model::JobSpec& spec);
Result<model::JobSpec> read_spec(const Paths& paths);
Result<void> write_exit(const Paths& paths, const model::JobExit& exit);         ///< temporary file, rename
Result<std::optional<model::JobExit>> read_exit(const Paths& paths);            ///< nullopt: not there yet
Result<void> write_cancel(const Paths& paths, model::EndReason reason, std::string_view message);
struct CancelRequest {
    model::EndReason reason = model::EndReason::cancelled;
    std::string message;
};
std::optional<CancelRequest> read_cancel(const Paths& paths);

/// Complete entries from byte `offset` on; `offset` is moved behind the last one. A half-written last line stays unread.
Result<std::vector<model::JournalEntry>> read_journal(const Paths& paths, std::uint64_t& offset);

/// Some lines of a log as they were read: kept and filled again, it costs no allocation for each line.
class LogBatch {
public:
    [[nodiscard]] std::size_t size() const { return ends_.size(); }
    [[nodiscard]] bool empty() const { return ends_.empty(); }
    [[nodiscard]] std::uint64_t number(std::size_t index) const { return first_ + index; }
    [[nodiscard]] const LogRecord& record(std::size_t index) const { return records_[index]; }
    /// Without the final newline; valid until the batch is filled again.
    [[nodiscard]] std::string_view text(std::size_t index) const;
    /// How many whole lines from that one on were printed at one time, by one step, to one stream; at least 1.
    [[nodiscard]] std::size_t alike(std::size_t index) const;
    /// So many lines, which are `alike`, with their newlines in between.
    [[nodiscard]] std::string_view text(std::size_t index, std::size_t lines) const;

private:
    friend class LogReader;
    std::uint64_t first_ = 0;
    std::vector<LogRecord> records_;
    std::vector<std::uint64_t> ends_;  ///< offsets in `log`
    std::string bytes_;                ///< of `log`, from the first record's offset on
};

/// Random access to a log that may still grow. Opens lazily; a log that is not there yet has no lines.
class LogReader {
public:
    explicit LogReader(Paths paths);
    ~LogReader();
    LogReader(LogReader&&) noexcept;
    LogReader& operator=(LogReader&&) noexcept;

    /// How many lines are complete and readable now.
    Result<std::uint64_t> line_count();
    /// At most `max_lines` lines and about `max_bytes` bytes from line `first` on.
    Result<std::vector<LogLine>> read(std::uint64_t first, std::uint64_t max_lines, std::uint64_t max_bytes = 1 << 20);
    /// The same, into what is there already.
    Result<void> read(std::uint64_t first, std::uint64_t max_lines, std::uint64_t max_bytes, LogBatch& batch);
    /// The first line that was printed then or later, by binary search; line_count() where there is none.
    Result<std::uint64_t> first_line_since(std::uint64_t time_us);
    /// Where a line begins in `log`; for the line after the last one, and beyond, where all that is complete ends.
    Result<std::uint64_t> offset_of(std::uint64_t line);
    /// How many bytes `log` has now.
    Result<std::uint64_t> text_size();
    /// Bytes of `log` as they are; fewer, or none, at its end.
    Result<std::string> text(std::uint64_t offset, std::size_t most);

private:
    struct State;
    std::unique_ptr<State> state_;
};

enum class RunnerLiveness { not_started, alive, dead };
/// By the lock, not by the pid: a reused pid never looks alive. `alive` with the pid 0 is a runner that is about to begin, or
/// that was not wanted and is about to leave: one of them follows.
struct RunnerStatus {
    RunnerLiveness liveness = RunnerLiveness::not_started;
    int pid = 0;
};
RunnerStatus runner_status(const Paths& paths);

}  // namespace cicd::job
