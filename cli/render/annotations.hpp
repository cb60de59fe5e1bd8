#pragma once

#include "cli/render/text.hpp"
#include "common/model/run.hpp"

#include <span>
#include <string>

namespace cicd::cli::render {

/// What steps said of places in files, errors first: "✗ src/a.c:3:7: message  # build". Empty where nothing was said.
std::string annotations(std::span<const model::JobRun> jobs, const Paint& paint);

}  // namespace cicd::cli::render
