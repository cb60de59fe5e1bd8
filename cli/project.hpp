#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cicd::cli {

/// A pipeline that fits a project, and what in it was recognised: "CMake", "npm".
struct Proposal {
    std::vector<std::string> recognised;
    std::string yaml;
};

/// Looks at the files of the folder; writes nothing. What it proposes is valid and, where it can be, works offline.
Proposal propose_pipeline(const std::filesystem::path& root);

}  // namespace cicd::cli
