#pragma once

#include "common/job/container.hpp"
#include "daemon/engines/engine.hpp"

#include <string>

namespace cicd::engines {

/// The image's id. What the engine prints goes to the standard output.
Result<std::string> build(Engine& engine, const job::BuildRequest& request);


/// The whole of `cicd-container --build` (common/job/container.hpp). Returns the process's exit code.
int build_image();

}  // namespace cicd::engines
