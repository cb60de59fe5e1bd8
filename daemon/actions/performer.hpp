#pragma once

#include "daemon/runner/performer.hpp"

namespace cicd::actions {

/// By the language that the job was written in; nothing for our own.
std::unique_ptr<runner::Performer> make_performer(runner::JobAccess& job);

}  // namespace cicd::actions
