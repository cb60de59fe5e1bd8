#pragma once

#include "common/base/result.hpp"
#include "common/model/job_spec.hpp"

#include <string>

namespace cicd::images {

/// Looks `wanted` ("name", "id", "name:group", "id:id", or empty for root) up in the image's own passwd and group, and
/// fills in user, group, their name and home. A name that the image does not have fails (IMAGE_003).
Result<void> find_user(int rootfs, const std::string& wanted, model::RootImage& root);

}  // namespace cicd::images
