#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <string>

namespace cicd::runner {

/// Makes `upper` the upper layer of the host's `lower` for a job that is root in its own user namespace: the top has the
/// same rights; with `deep`, what on the host only its owner may read is empty for the job (keys, passwords, tokens), and
/// /etc/shadow is one without passwords.
Result<void> hide_private(const std::string& lower, const std::filesystem::path& upper, bool deep);

}  // namespace cicd::runner
