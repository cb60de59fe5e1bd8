#pragma once

#include "common/base/result.hpp"
#include "common/model/job_spec.hpp"

namespace cicd::runner {

/// The one place where a job's limits are put on it, before its first process starts. Per-process limits (RLIMIT_AS,
/// RLIMIT_NPROC) do not mean what a pipeline's author means, so limits wait for cgroups: nothing is enforced yet.
Result<void> apply_limits(const model::JobLimits& limits);

}  // namespace cicd::runner
