#pragma once

#include <string>

/// How a network of its own reaches the rest of the world: by slirp4netns, which needs no rights but those to make a tap.
namespace cicd::os {

/// Where the program is; empty: it is not installed.
std::string find_slirp();
/// Why there can be no way out here, for people, with what to do about it; empty: there can.
std::string way_out_weakness();

}  // namespace cicd::os
