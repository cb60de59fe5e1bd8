#pragma once

#include "common/pipeline/front.hpp"
#include "daemon/planner/prepare.hpp"

#include <string>
#include <vector>

/// What pipelines ask for their containers, against what this machine gives.
namespace cicd::planner {

/// Takes out of jobs what cannot be had here, and says so: options of containers where there is no engine for them, folders of
/// the machine that the configuration does not allow. Of our own pipelines nothing is taken out: it is an error.
std::vector<pipeline::Finding> settle_containers(model::Pipeline& pipeline, const PrepareOptions& options, const std::string& file);

}  // namespace cicd::planner
