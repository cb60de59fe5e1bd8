#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace cicd::runner {

/// SHA-256, in hex, over the SHA-256 of each matching regular file below `root`, in the order of their paths; "" where
/// none matches. A pattern with a leading `!` excludes again. Links are neither followed nor hashed.
Result<std::string> hash_files(const std::filesystem::path& root, std::span<const std::string> patterns);

}  // namespace cicd::runner
