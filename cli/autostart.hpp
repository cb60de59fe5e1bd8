#pragma once

#include "common/base/result.hpp"

#include <filesystem>

namespace cicd::cli {

/// Whether somebody listens there.
bool daemon_answers(const std::filesystem::path& socket);
/// Starts `cicdd` in the background and returns when it answers. Safe to be called by many at once: one starts it.
Result<void> start_daemon(const std::filesystem::path& socket);

}  // namespace cicd::cli
