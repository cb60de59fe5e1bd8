#pragma once

#include "common/base/result.hpp"
#include "daemon/objects/tree.hpp"

#include <cstdint>

/// From an archive that somebody uploaded to a manifest. The archive may be made to do harm: whatever it holds that a tree
/// of ours cannot hold refuses it as a whole (ARTIFACT_006), and nothing is written anywhere but to the object store.
namespace cicd::archives {

struct UnpackLimits {
    std::uint64_t bytes = std::uint64_t{64} << 30;  ///< of all files
    std::uint64_t ratio = 200;                      ///< of these to the archive's own size, beyond `free_ratio`
    std::uint64_t free_ratio = std::uint64_t{64} << 20;
    std::size_t entries = objects::most_entries;
    std::size_t names = std::size_t{64} << 20;      ///< bytes of all paths
};

/// `file` is read from its begin: tar, plain or packed by gzip, zstd, xz or bzip2, or zip. Needs a UTF-8 locale for LC_CTYPE.
Result<objects::SavedTree> unpack(const objects::ObjectStore& store, int file, const UnpackLimits& limits);

}  // namespace cicd::archives
