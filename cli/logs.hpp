#pragma once

#include "cli/session.hpp"

#include <array>
#include <string>

namespace cicd::cli {

inline constexpr std::array log_options = std::to_array<Option>({
    {.names = "-f,--follow", .help = "Go on until it has ended"},
    {.names = "--step", .value = "N|NAME", .help = "Only of this step; N counts from 1"},
    {.names = "--tail", .value = "N", .help = "Only the last N lines"},
    {.names = "--timestamps", .help = "When each line was written, UTC"},
});

/// A job's log as it was written.
Result<ExitCode> show_job_log(Session& session, const std::string& job, const Arguments& arguments);
/// The logs of all jobs, each line with `[stage/job]` before it.
Result<ExitCode> show_run_log(Session& session, const std::string& run, const Arguments& arguments);

}  // namespace cicd::cli
