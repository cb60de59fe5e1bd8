#pragma once

#include "cli/exit_code.hpp"
#include "cli/session.hpp"

#include <functional>
#include <string>

namespace cicd::cli {

/// Shows a text anew every second until Ctrl-C (which is success: nothing was broken off) or `q`. On a terminal it is
/// drawn in place; elsewhere it is written again where it has changed.
Result<ExitCode> repeat(Session& session, const std::function<Result<std::string>()>& text);

}  // namespace cicd::cli
