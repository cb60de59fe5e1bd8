#pragma once

#include "common/model/pipeline.hpp"
#include "daemon/runner/context.hpp"
#include "daemon/runner/masking.hpp"

#include <string>

namespace cicd::runner {

/// "user:password" for the registry of an image, by the name of a secret that holds it or by an expression; empty: none. The
/// password is hidden from then on. Where the password is empty, as of a secret that nobody set, there is no login.
Result<std::string> registry_login(const std::string& secret, const model::ContainerOptions& options, const Context& context, Masking& masking);

}  // namespace cicd::runner
