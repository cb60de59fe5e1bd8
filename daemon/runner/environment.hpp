#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/runner/place.hpp"

#include <optional>

namespace cicd::runner {

inline constexpr const char* standard_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a program in an isolated place starts from: the image's environment, or the sandbox's.
/// `is_root`: whoever the image names, the job is root in it.
model::Texts base_environment(const std::optional<model::RootImage>& root, bool has_bash, bool is_root = false);
/// The same in a container: what the engine and the image gave its first process, and what is missing there.
model::Texts container_environment(const Inside& inside);
/// Whether there is bash in the image, or on the host.
bool has_bash(const std::optional<model::RootImage>& root);

}  // namespace cicd::runner
