#pragma once

#include "common/pipeline/front.hpp"

/// Bitbucket's pipelines, as its documentation describes them: "Bitbucket Pipelines configuration reference".
namespace cicd::pipeline::bitbucket {

Front read(std::string_view text, const std::string& file, const FrontOptions& options);
/// The names of the pipelines in the file: default, branches-main, the name of a custom one.
model::Strings parts(std::string_view text, const std::string& file);
/// push, pull_request, custom:NAME.
model::TriggerType event_type(std::string_view event);

}  // namespace cicd::pipeline::bitbucket
