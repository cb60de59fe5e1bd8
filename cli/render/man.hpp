#pragma once

#include "cli/command.hpp"

#include <string>

namespace cicd::cli::render {

/// A page of section 1, in man(7): of cicdctl as a whole, or of one verb with the members of its group.
std::string man_page();
std::string man_page(const Command& command);

}  // namespace cicd::cli::render
