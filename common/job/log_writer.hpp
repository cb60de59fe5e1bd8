#pragma once

#include "common/job/file.hpp"
#include "common/job/job_directory.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cicd::job {

/// Appends output to `log` and its records to `log.idx`: two system calls per call, however many lines it brings.
/// The bytes are there before the records that point at them.
class LogWriter {
public:
    static constexpr std::size_t largest_piece = 0xffff;

    /// Of a log that is empty.
    static Result<LogWriter> open(const Paths& paths);
    /// Goes on behind what is there.
    static Result<LogWriter> reopen(const Paths& paths);
    /// Whole lines: `head` (which holds no newline) directly followed by `text`, which ends with a newline.
    Result<void> write_lines(std::uint32_t step, model::LogStream stream, std::uint64_t time_us, std::string_view head,
                             std::string_view text);
    /// Bytes without a newline: the begin of a line that goes on, or (`last`) the unterminated end of the output.
    Result<void> write_piece(std::uint32_t step, model::LogStream stream, std::uint64_t time_us, std::string_view text,
                             bool last);
    [[nodiscard]] std::uint64_t size() const { return offset_; }

private:
    LogWriter(Paths paths, File log, File index)
        : paths_(std::move(paths)), log_(std::move(log)), index_(std::move(index)) {}
    Result<void> write(std::string_view head, std::string_view text);

    Paths paths_;
    File log_, index_;
    std::uint64_t offset_ = 0;
    std::vector<LogRecord> records_;
};

}  // namespace cicd::job
