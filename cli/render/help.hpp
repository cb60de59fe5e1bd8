#pragma once

#include "cli/command.hpp"

#include <string>

namespace cicd::cli::render {

/// `cicdctl --help`: every verb with its summary.
std::string overview();
/// `cicdctl VERB --help`; of a group, its members.
std::string help(const Command& command);
/// "cicdctl run [PIPELINE] [options]".
std::string usage(const Command& command);
/// "-f, --file FILE".
std::string option_label(const Option& option);

}  // namespace cicd::cli::render
