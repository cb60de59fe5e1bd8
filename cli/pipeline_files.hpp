#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace cicd::cli {

/// The pipelines of a repository, as paths below `root`: `.cicd.yaml`, and what is directly in `.cicd/pipelines`.
std::vector<std::string> pipeline_files(const std::filesystem::path& root);
/// Those of the repository around the working directory (or of that directory), as paths to open from here.
/// Fails where there is none, and says how to make one.
Result<std::vector<std::string>> pipeline_files_here();

}  // namespace cicd::cli
