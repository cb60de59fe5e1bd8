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
    std::string hint = {};  ///< the last line: what may be typed
};

/// The stages and jobs as they are now: a line for each stage, and for the jobs of a stage that is under way. What has
/// ended folds into its stage's line. Where there are more lines than room, running and failed jobs stay, others are
/// counted. No line is wider than the terminal.
std::vector<std::string> live_tree(const RunProgress& progress, Timestamp now, const TreeStyle& style);

/// Signs and dots that are not in ASCII, replaced.
std::string in_ascii(std::string text);

}  // namespace cicd::cli::render
