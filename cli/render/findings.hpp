#pragma once

#include "common/pipeline/front.hpp"

#include <string>
#include <string_view>

/// What a translation from or to another language could not carry over as it was.
namespace cicd::cli::render {

std::string_view word(pipeline::Carried kind);
/// "approximated, line 3: what: why"
std::string finding_line(const pipeline::Finding& finding);
Value findings_value(const pipeline::Report& report);

}  // namespace cicd::cli::render
