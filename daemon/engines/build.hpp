#pragma once

namespace cicd::engines {

/// The whole of `cicd-container --build` (common/job/container.hpp). Returns the process's exit code.
int build_image();

}  // namespace cicd::engines
