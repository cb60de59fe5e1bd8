#pragma once

#include "common/pipeline/front.hpp"

/// Bitbucket's pipelines, as its documentation describes them: "Bitbucket Pipelines configuration reference".
namespace cicd::pipeline::bitbucket {

Front read(std::string_view text, const std::string& file, const FrontOptions& options);
/// push, pull_request, custom:NAME.
model::TriggerType event_type(std::string_view event);

}  // namespace cicd::pipeline::bitbucket
