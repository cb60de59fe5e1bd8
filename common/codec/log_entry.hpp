#pragma once

#include "common/base/result.hpp"
#include "common/contract/requests.hpp"

#include <string>
#include <string_view>

/// Log lines come by the million: here their JSON is written and read without a tree in between. The shape is that of
/// encode and decode; a test holds them together.
namespace cicd::codec {

/// Writes the lines of one attempt of one job.
class LogEntryWriter {
public:
    LogEntryWriter(const JobId& job, std::string_view job_key, int attempt);
    struct Line {
        std::uint64_t number = 0;
        int step = 0;
        model::LogStream stream = model::LogStream::out;
        Timestamp time;
        std::string_view text;  ///< any bytes
        bool partial = false;
        /// Above 1: `text` is so many lines, with newlines in between, that have all the rest in common; `number` is the
        /// first one's.
        std::uint64_t lines = 1;
    };
    void append(std::string& out, const Line& line);

private:
    std::string begin_, end_;
    Timestamp second_{Milliseconds(-1)};  ///< `time_text_` is of that second
    std::string time_text_;
};

/// As decode, from the text.
Result<contract::LogEntry> parse_log_entry(std::string_view json);

/// The same for lines that came as one; `entry.text` holds newlines in between.
struct LogLines {
    contract::LogEntry entry;
    std::uint64_t lines = 1;
};
Result<LogLines> parse_log_lines(std::string_view json);

}  // namespace cicd::codec
