#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Starting programs: the only place that forks and executes.
namespace cicd::os {

struct SpawnOptions {
    std::vector<std::string> argv;   ///< argv[0] without a slash is looked for in the PATH of `env`
    std::optional<std::vector<std::string>> env;  ///< "NAME=value"; absent: this process's own
    std::string cwd;                 ///< empty: this process's
    std::vector<std::pair<int, int>> fds;  ///< ours → the child's; it inherits no others
    bool new_session = false;
    bool detached = false;           ///< a grandchild in a session of its own: outlives us, and init reaps it
    int death_signal = 0;            ///< sent to the child when the thread that spawned it ends
    std::vector<int> groups;         ///< of os::Group::entries: the child goes in before it executes anything
    int users = -1, network = -1;    ///< an os::NetworkSpace that it is in, or a user namespace alone; with an enclosure only
    const struct Enclosure* enclosure = nullptr;  ///< see enclosure.hpp; its program is run, not argv[0]
    std::vector<std::pair<int, std::uint64_t>> limits;  ///< RLIMIT_* and its value, set when all else is done
    int oom_score = 0;               ///< added for the kernel's choice of a victim when memory is short, up to 1000
};

/// What kept a program from starting; `errno_value` is ENOENT for a program or directory that is not there.
struct SpawnFailure {
    enum class Stage { none, setup, enclosure, directory, program } stage = Stage::none;
    int errno_value = 0;
};

/// The child's pid. Signals are at their defaults and unblocked in it; 0, 1 and 2 are /dev/null unless given.
/// `failure`, where given, tells what an error was about.
Result<int> spawn(const SpawnOptions& options, SpawnFailure* failure = nullptr);

/// Runs the program in this process's stead; comes back only where it cannot.
Error become_program(const std::vector<std::string>& argv, const std::vector<std::string>& env);

}  // namespace cicd::os
