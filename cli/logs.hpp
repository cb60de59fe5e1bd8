#pragma once

#include "cli/session.hpp"

#include <array>
#include <string>

namespace cicd::cli {

inline constexpr std::array log_options = std::to_array<Option>({
    {.names = "-f,--follow", .help = "Go on until it has ended"},
    {.names = "--tail", .value = "N", .help = "Only the last N lines (of those that match)"},
    {.names = "--since", .value = "TIME", .help = "Only what was written since: 10m ago, or 2026-11-21T04:40:32Z"},
    {.names = "--step", .value = "N|NAME", .help = "Only of this step; N counts from 1"},
    {.names = "--grep", .value = "REGEX", .help = "Only lines that match"},
    {.names = "--attempt", .value = "N", .help = "Of this attempt instead of the latest"},
    {.names = "--timestamps", .help = "When each line was written, UTC"},
    {.names = "--raw", .help = "Bytes as they were written: no [stage/job], nothing taken out"},
});

/// A job's log as it was written.
Result<ExitCode> show_job_log(Session& session, const std::string& job, const Arguments& arguments);
/// The logs of all jobs, each line with `[stage/job]` before it.
Result<ExitCode> show_run_log(Session& session, const std::string& run, const Arguments& arguments);

}  // namespace cicd::cli
