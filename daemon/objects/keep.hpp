#pragma once

namespace cicd::objects {

/// Does what the request asks (common/job/keeping.hpp) and writes the answer. Returns the process's exit code.
int keep();

}  // namespace cicd::objects
