#pragma once

#include "cli/render/text.hpp"
#include "common/base/result.hpp"

#include <functional>
#include <string>
#include <vector>

namespace cicd::cli::render {

/// The text of a file that diagnostics speak of; empty where it is not at hand.
using SourceText = std::function<std::string(const std::string& file)>;

/// `file:line:column: error: message`, the suggestion, and the line itself with a caret where it is known.
std::string diagnostics(const std::vector<Diagnostic>& problems, const SourceText& source, const Paint& paint);

}  // namespace cicd::cli::render
