#pragma once

#include "cli/render/run_progress.hpp"
#include "cli/render/text.hpp"

#include <map>
#include <string>
#include <tuple>

namespace cicd::cli::render {

/// Puts `[stage/job]` in front of lines, with the step's name where several run at the same time. A line that comes in parts is
/// held back until it is whole, so that lines of different jobs and steps never mix.
class LogLines {
public:
    LogLines(Paint paint, bool terminal) : paint_(paint), terminal_(terminal) {}

    /// What is to be printed for the entry, newline included; empty for a part of a line.
    std::string add(const RunProgress& progress, const contract::LogEntry& entry);
    /// What is still held back.
    std::string rest(const RunProgress& progress);

private:
    [[nodiscard]] std::string line(const std::string& label, const std::string& text, model::LogStream stream);

    Paint paint_;
    bool terminal_;  ///< bytes go through as they are where it is none
    std::map<std::string, Tone> tones_;
    std::map<std::tuple<JobId, int, model::LogStream>, std::string> parts_;
};

}  // namespace cicd::cli::render
