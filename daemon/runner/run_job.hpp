#pragma once

#include "daemon/runner/performer.hpp"

#include <functional>
#include <string>

namespace cicd::runner {

/// The runner's `main`: takes the job directory, runs the job, writes `exit`. Returns the process's exit code.
int run_job(const std::string& directory, int secrets_fd, int gate_fd, int lock_fd, MakePerformer make);
/// The same for a spare (see common/job/spare.hpp). `cache`: see JobSpec. `became` is told of its job once it has one.
int run_spare(const std::string& cache, int gate_fd, MakePerformer make,
              const std::function<void(const std::string& directory)>& became);

}  // namespace cicd::runner
