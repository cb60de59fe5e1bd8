#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace cicd::app {

struct ServeOptions {
    std::filesystem::path state_directory, socket, config_directory;
    std::optional<int> slots;
    bool background = false, foreground = false;
    std::filesystem::path log;  ///< empty: stderr
    std::string program;  ///< our own, for `background`
};

/// Serves until SIGTERM or SIGINT. Runners go on when it returns.
Result<void> serve(const ServeOptions& options);

/// Starts `serve` as a process of its own and returns when it answers, or with what it said instead.
Result<void> serve_in_background(const ServeOptions& options);

/// Reads a StartRun as JSON from stdin and writes the plan, or the error, to stdout. Gives the exit code.
int plan_once(const std::filesystem::path& config_directory);

/// Puts a backup in the place of a state directory that no daemon serves.
Result<void> restore_once(const std::filesystem::path& archive, const std::filesystem::path& state_directory);

/// The log of a daemon in the background.
inline std::filesystem::path log_file(const std::filesystem::path& state_directory) {
    return state_directory / "cicdd.log";
}

}  // namespace cicd::app
