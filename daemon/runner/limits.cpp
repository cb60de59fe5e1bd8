#include "daemon/runner/limits.hpp"

namespace cicd::runner {

Result<void> apply_limits(const model::JobLimits&) { return {}; }

}  // namespace cicd::runner
