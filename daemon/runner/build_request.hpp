#pragma once

#include "common/job/container.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/runner/context.hpp"

namespace cicd::runner {

/// What a step `uses: build/docker` asks for: its `with`, evaluated. Fails (invalid) where that is not what it takes.
Result<job::BuildRequest> build_request(const model::Step& step, const model::JobSpec& spec, const Context& context);

}  // namespace cicd::runner
