#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace cicd::cli {

/// The folder at or above `directory` that holds `.git`.
std::optional<std::filesystem::path> repository_root(const std::filesystem::path& directory);
/// The whole file; "-" is stdin. At most 16 MiB.
Result<std::string> read_text(const std::filesystem::path& file);
/// Written beside it first, then renamed: never a half-written file.
Result<void> write_text(const std::filesystem::path& file, const std::string& text);
/// "@file" and "-" stand for what the file and stdin hold, without the newline at the end; else the text itself.
Result<std::string> resolve_value(const std::string& typed);

}  // namespace cicd::cli
