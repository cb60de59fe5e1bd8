#pragma once

#include "common/base/result.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace cicd::os {

/// Readable when the process has ended. Fails with ErrorKind::not_found for a pid that does not exist.
Result<Fd> pidfd_open(int pid);
/// Whether its process has ended.
bool has_ended(int pidfd);
Result<void> pidfd_send_signal(int pidfd, int signal);

/// One process as /proc/PID/stat tells it.
struct ProcessFacts {
    int pid = 0, parent = 0, session = 0;
    char state = '?';  ///< 'Z' has ended and waits to be reaped
    std::uint64_t start_time = 0;  ///< ticks since boot: tells a pid from its reuse
};
std::optional<ProcessFacts> process_facts(int pid);

/// Every process below `root` (not itself), as far as parents are alive or `root` is their reaper.
std::vector<int> descendants(int root);
/// Sends the signal to `root` and everything below it; for SIGKILL again and again, until no new process appears.
void signal_tree(int root, int signal, bool include_root = true);

}  // namespace cicd::os
