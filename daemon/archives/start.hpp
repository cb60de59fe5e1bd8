#pragma once

#include "common/base/result.hpp"
#include "daemon/archives/unpack.hpp"

namespace cicd::archives {

/// `unpack` in a process of its own, the program `cicd-unpack`: blocks until it has ended. At most so many bytes.
Result<objects::SavedTree> unpack_outside(const objects::ObjectStore& store, int file, std::uint64_t bytes);

}  // namespace cicd::archives
