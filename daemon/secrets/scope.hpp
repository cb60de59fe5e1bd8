#pragma once

#include "common/base/result.hpp"
#include "common/model/secret.hpp"

/// Whose a secret is. Pure.
namespace cicd::secrets {

/// Fails (SECRET_002) for a name, or a part of a scope, that cannot be.
Result<void> check_name(const std::string& name);
Result<void> check_scope(const model::SecretScope& scope);

/// Whether a job at that place may have it; `any_environment` asks for some job of the run.
bool fits(const model::SecretScope& scope, const model::SecretPlace& place, bool any_environment = false);
/// Of two that fit: whether the first is nearer to the job. An environment counts more than a project, that more than a
/// branch; of two branch patterns the longer one, one without wildcards first.
bool is_nearer(const model::SecretScope& a, const model::SecretScope& b);

}  // namespace cicd::secrets
