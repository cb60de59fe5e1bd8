#pragma once

#include "common/base/result.hpp"

#include <string>
#include <vector>

/// Volumes as container engines write them: SOURCE:/path[:OPTIONS], or /path alone.
namespace cicd::model {

struct Mount {
    std::string source;  ///< a volume's name or an absolute path; empty: a volume without a name
    std::string target;  ///< absolute, in the container
    bool read_only = false;
    [[nodiscard]] bool is_folder() const { return source.starts_with('/'); }
    bool operator==(const Mount&) const = default;
};

/// Fails (invalid) where it is no volume, or would hide what a job's container needs.
Result<Mount> parse_mount(const std::string& text);

/// Whether `path` is one of `folders`, or below one: by their names alone.
bool is_below(const std::string& path, const std::vector<std::string>& folders);

}  // namespace cicd::model
