#pragma once

#include <string>
#include <vector>

/// What runs on this machine, as tests look at it.
namespace cicd::test {

/// Whether a process is there and not a zombie.
bool is_alive(int pid);
/// Pids of processes (zombies left out) with this text in one of their arguments.
std::vector<int> processes_with_argument(const std::string& text);
/// By SIGKILL, and none of them does anything about the others' death.
void kill_together(const std::vector<int>& pids);

}  // namespace cicd::test
