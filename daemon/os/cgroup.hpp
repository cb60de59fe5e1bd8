#pragma once

#include "common/base/result.hpp"
#include "daemon/os/cgroup_places.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Control groups: what holds a job's processes together, limits them and says what they used. cgroup v2 or v1, whichever
/// is writable here.
namespace cicd::os {

/// "cgroup2", "cgroup1" or "rlimits": how limits are held here.
std::string_view limits_method();
/// Why "memory", "pids" or "cpu" cannot be held exactly here, for people; empty where a cgroup holds it.
std::string limits_weakness(std::string_view controller);

struct GroupLimits {
    std::optional<std::uint64_t> memory;  ///< bytes, swap included
    std::optional<int> pids;
    std::optional<double> cpu;            ///< CPUs
};

struct GroupUsage {
    std::optional<std::int64_t> cpu_us, peak_memory;
    std::int64_t oom_kills = 0;
};

/// One job's group. It lives on when this object goes: whoever made it removes it.
class Group {
public:
    /// Fails (kind unavailable) where no cgroup is writable. `name` holds no slash; the caller's pid is added to it, so
    /// that `sweep_groups` knows whether its maker is alive.
    static Result<Group> create(const std::string& name, const GroupLimits& limits);
    /// The group that somebody else has put a process in, to be read only: nothing of it is killed or removed.
    static std::optional<Group> of_process(int pid);
    Group(Group&&) = default;
    Group& operator=(Group&&) = default;

    /// For SpawnOptions::groups: the child goes in before it executes anything.
    [[nodiscard]] std::vector<int> entries() const;
    [[nodiscard]] GroupUsage usage() const;
    [[nodiscard]] bool limits_cpu() const { return limits_cpu_; }
    /// Everything in it is dead, or about to be, when this returns.
    void kill_all() const;
    /// Kills what is left and removes the group.
    void remove();

private:
    Group() = default;
    std::vector<std::filesystem::path> paths_;  ///< one in each hierarchy
    std::filesystem::path memory_, pids_, account_;
    bool unified_ = false, limits_cpu_ = false;
    std::vector<Fd> entries_;
};

/// For the daemon's start, before it starts runners: makes groups for jobs possible, with v2 in a delegated scope.
void claim_groups();
/// Kills and removes the groups of runners of this machine that are dead. Returns how many there were.
int sweep_groups();

}  // namespace cicd::os
