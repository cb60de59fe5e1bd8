#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

/// What crashes leave behind in engines.
namespace cicd::engines {

/// Notes in the state directory that this socket's engine may hold containers of ours: before the first one is made.
Result<void> remember_engine(const std::filesystem::path& state, const std::string& socket);

std::vector<std::string> remembered_engines(const std::filesystem::path& state);

/// Removes every container of this state whose job is not wanted any more: `is_wanted("JOB/ATTEMPT")`. Engines that never had
/// any are not asked, so where none was ever used this costs one look at a file. Returns how many were removed.
int sweep_containers(const std::filesystem::path& state, const std::function<bool(const std::string& job)>& is_wanted);

}  // namespace cicd::engines
