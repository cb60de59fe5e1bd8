#pragma once

#include "cli/render/text.hpp"
#include "common/model/plan.hpp"

#include <string>

/// A plan as a tree for people, and as a graph for programs that draw.
namespace cicd::cli::render {

std::string plan_tree(const model::Plan& plan, const Paint& paint);
std::string plan_dot(const model::Plan& plan);
std::string plan_mermaid(const model::Plan& plan);

}  // namespace cicd::cli::render
