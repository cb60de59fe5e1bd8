#pragma once

#include "common/pipeline/front.hpp"

#include <string>

namespace cicd::pipeline {

/// Makes a pipeline ours whose language decides at creation which jobs there are: what was decided for the event it was
/// read for stays so, and is told. Of the variables that its server sets, those stay that the file names.
void settle(model::Pipeline& pipeline, Report& report, const std::string& file);

}  // namespace cicd::pipeline
