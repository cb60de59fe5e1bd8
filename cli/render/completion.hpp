#pragma once

#include <string>

/// Shell completion, made from the command table. Ids are asked of the daemon while typing; silent when it is down.
namespace cicd::cli::render {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace cicd::cli::render
