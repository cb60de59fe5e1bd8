#pragma once

#include "common/base/result.hpp"
#include "common/base/time.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace cicd::cli {

/// A program run to its end. Its output is whole when this returns, even where a child of it lives on.
struct Program {
    std::filesystem::path path;  ///< without a slash: searched in PATH
    std::vector<std::string> arguments;
    std::string input;
    Milliseconds patience{60'000};  ///< ended with SIGKILL after that
};

struct Finished {
    int exit_code = 0;  ///< 128 + number where a signal ended it
    std::string out, err;
};

/// The one place where the CLI starts programs. Fails (kind unavailable) where it cannot be started.
Result<Finished> run_program(const Program& program);

}  // namespace cicd::cli
