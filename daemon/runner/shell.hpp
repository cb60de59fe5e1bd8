#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cicd::runner {

/// The command that runs a step's script. `shell` is a known name, or a command with `{0}` where the script goes (at
/// its end where there is none). Empty: `bash -e`, or `sh -e` where the place has no bash.
Result<std::vector<std::string>> shell_command(std::string_view shell, const std::string& script, bool has_bash);
/// What the script's file name ends with: some interpreters want to see their own.
std::string_view script_suffix(std::string_view shell);

}  // namespace cicd::runner
