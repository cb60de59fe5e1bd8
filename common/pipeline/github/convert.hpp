#pragma once

#include "common/pipeline/front.hpp"

#include <string>

namespace cicd::pipeline::github {

/// Makes a pipeline of ours of a workflow's; what has no counterpart is told and left out, or a step that says so.
void convert(model::Pipeline& pipeline, Report& report, const std::string& file);

}  // namespace cicd::pipeline::github
