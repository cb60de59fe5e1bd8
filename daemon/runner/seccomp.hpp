#pragma once

#include <string_view>

namespace cicd::runner {

/// The filter of system calls that every process of a sandboxed job is under: struct sock_filter one after another
/// (seccomp(2)). What it refuses, and why: main_seccomp.cpp, which makes it while cicd is built.
std::string_view system_call_filter();

}  // namespace cicd::runner
