#pragma once

#include "common/pipeline/front.hpp"

#include <string>

namespace cicd::pipeline::gitlab {

/// Files of the repository that a pattern names, sorted; a plain path names itself.
model::Strings files_of(const FrontOptions& options, const std::string& pattern);
/// Whether there is one.
bool exists(const FrontOptions& options, const std::string& pattern);

}  // namespace cicd::pipeline::gitlab
