#pragma once

#include "cli/session.hpp"

#include <string>

/// What people type for a run or a job.
namespace cicd::cli {

/// "3" and "run-3" are the run; "" is the newest one. Fails for what cannot be a run.
Result<std::string> run_id(Session& session, const std::string& typed);
/// "job-7", or "7" where only jobs are meant.
Result<std::string> job_id(const std::string& typed);
[[nodiscard]] bool is_job_id(const std::string& typed);

}  // namespace cicd::cli
