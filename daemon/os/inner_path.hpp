#pragma once

#include "daemon/os/fd.hpp"

#include <string>
#include <string_view>

/// Paths inside a tree that nobody vouches for.
namespace cicd::os {

/// Opens a path as a process would whose root is `root`: no link and no `..` leads out of it. Empty with errno set where
/// that fails.
Fd open_in_root(int root, const std::string& path, int flags, int mode = 0);

/// A whole small file below `root`. Empty where it is not there, no regular file, or larger than that.
std::string read_in_root(int root, const std::string& path, std::size_t largest);

}  // namespace cicd::os
