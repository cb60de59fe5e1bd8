#pragma once

#include "common/base/result.hpp"
#include "daemon/images/tree_writer.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace cicd::images {

/// What an image may take, so that a small archive cannot fill a disk.
struct UnpackLimits {
    std::uint64_t bytes = 64ull << 30, entries = 4'000'000;
    std::uint64_t reserve = 256ull << 20;  ///< so much stays free on the disk
};

/// What unpacking has used of its limits so far, over all layers.
struct Unpacked {
    std::uint64_t bytes = 0, files = 0, skipped = 0;
};

/// Lays one layer (a tar, plain or packed with gzip, zstd, xz or bzip2) over what is there. `digest` is the sum of the file as
/// it is, `diff_id` of what it unpacks to; either may be empty, and what is given has to be right.
Result<void> apply_layer(int layer, TreeWriter& tree, const UnpackLimits& limits, Unpacked& used, std::string_view digest,
                         std::string_view diff_id);

/// What a tar is, by the names in it: an image's parts, or the files of a root.
enum class ArchiveKind { image, root, neither };
Result<ArchiveKind> look_into(int archive);
/// Of a whole file.
Result<std::string> file_digest(int file);

/// Every regular file of a tar into a flat folder that the caller owns: for archives whose parts are needed in another
/// order. Names keep their parts below it; links are given to `on_link`.
Result<void> spread_archive(int archive, int folder, const UnpackLimits& limits,
                            const std::function<void(std::string name, std::string target)>& on_link);

}  // namespace cicd::images
