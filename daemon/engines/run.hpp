#pragma once

#include <string>

namespace cicd::engines {

/// The whole of `cicd-container --run JOBDIR` (common/job/container.hpp). Returns the process's exit code: 4 where it was told
/// to end.
int run_container(const std::string& job_directory);

}  // namespace cicd::engines
