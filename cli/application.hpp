#pragma once

#include <span>
#include <string>

namespace cicd::cli {

/// From the words after the program's name to its exit code. Errors are shown here and nowhere else.
int run_application(std::span<const std::string> words);

}  // namespace cicd::cli
