#pragma once

#include <string>

namespace cicd::engines {

/// The whole of `cicd-container JOBDIR [SERVICE]` (see common/job/container.hpp): makes the job's or the service's container, hands its init over to
/// the runner, and removes it when the runner lets go or is gone. Returns the process's exit code.
int hold_container(const std::string& job_directory, const std::string& service);

}  // namespace cicd::engines
