#pragma once

#include "common/model/pipeline.hpp"

#include <string>

namespace cicd::pipeline {

/// What `export_value` gives, as attributes of HCL (HashiCorp's configuration language); templates in texts are escaped.
std::string export_hcl(const model::Pipeline& pipeline);

}  // namespace cicd::pipeline
