#pragma once

#include "common/pipeline/front.hpp"

/// GitLab's pipelines, as its documentation describes them: "CI/CD YAML syntax reference", "Predefined CI/CD variables".
namespace cicd::pipeline::gitlab {

/// `depth`: how many pipelines have started each other on the way to this one.
Front read(std::string_view text, const std::string& file, const FrontOptions& options, int depth = 0);
model::TriggerType event_type(std::string_view event);
/// What GitLab calls it in CI_PIPELINE_SOURCE; our names and GitHub's are understood. Empty: a push.
std::string event_name(std::string_view asked);

}  // namespace cicd::pipeline::gitlab
