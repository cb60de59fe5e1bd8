#pragma once

#include "common/pipeline/front.hpp"

#include <string>

/// A pipeline of ours as a workflow of GitHub's (docs.github.com, "Workflow syntax for GitHub Actions").
namespace cicd::pipeline {

struct Workflow {
    Value value;    ///< the workflow
    Report report;  ///< what GitHub has no word for, or another one
};
/// Of a pipeline without errors, whose includes are not looked at. `file` names it in the report.
Workflow to_github(const model::Pipeline& pipeline, const std::string& file);
/// The same as YAML, with the report as comments before it.
std::string github_yaml(const Workflow& workflow);

}  // namespace cicd::pipeline
