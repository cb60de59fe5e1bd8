#pragma once

#include "common/base/result.hpp"

#include <sys/types.h>

#include <filesystem>

/// Trees that change hands, where a job's user is another one than ours.
namespace cicd::os {

/// The tree and all below it become the user's. Links are not followed, and files with more than one name stay: some of those
/// may lie elsewhere.
Result<void> give_tree(const std::filesystem::path& path, uid_t user, gid_t group);

/// What its owner may read, write or enter, everybody may. For trees in folders that nobody else gets into.
Result<void> open_tree(const std::filesystem::path& path);

}  // namespace cicd::os
