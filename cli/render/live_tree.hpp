#pragma once

#include "cli/render/run_progress.hpp"
#include "cli/render/text.hpp"

#include <string>
#include <vector>

namespace cicd::cli::render {

struct TreeStyle {
    Paint paint;
    std::size_t width = 80;
    std::size_t height = 20;  ///< at most so many lines
    unsigned frame = 0;       ///< of the spinner
    bool utf8 = true;
};

/// The stages and jobs as they are now, one line each, none wider than the terminal. Where there are more lines than
/// room, what runs or failed stays and the rest is counted.
std::vector<std::string> live_tree(const model::Run& run, Timestamp now, const TreeStyle& style);

}  // namespace cicd::cli::render
