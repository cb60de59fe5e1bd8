#pragma once

#include "common/base/result.hpp"

#include <filesystem>

namespace cicd::engines {

/// Files that a container's users wrote, below `folder`, become ours, so that they can be removed: by a container that has
/// nothing but that folder. Only where this process is not root; fails where no engine that was used here can do it.
Result<void> reclaim(const std::filesystem::path& state, const std::filesystem::path& folder);

}  // namespace cicd::engines
