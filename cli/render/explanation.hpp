#pragma once

#include "cli/render/text.hpp"
#include "common/contract/explain.hpp"

#include <string>

namespace cicd::cli::render {

struct ExplanationStyle {
    Paint paint;
    std::size_t width = 0;  ///< 0: lines are not broken
    bool all = false;       ///< what simply runs or ended well, too
};

/// The run, then job by job: verdict, causes, remedies. Jobs with the same answer are told once.
std::string explanation(const contract::Explanation& explanation, const ExplanationStyle& style);

}  // namespace cicd::cli::render
