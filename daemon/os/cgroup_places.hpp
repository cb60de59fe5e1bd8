#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Where control groups can be made: inside of daemon/os/cgroup.
namespace cicd::os {

enum class LimitsMethod { cgroup2, cgroup1, rlimits };

/// One mounted hierarchy as this process sees it.
struct Hierarchy {
    bool unified = false;                  ///< cgroup v2
    std::vector<std::string> controllers;  ///< of v1
    std::filesystem::path mount, own;      ///< its root, and the group in it that this process is in
};
/// From /proc/self/cgroup and /proc/self/mountinfo (formats: cgroups(7), proc(5)).
std::vector<Hierarchy> parse_hierarchies(std::string_view cgroup, std::string_view mountinfo);

/// Directories in which a job's groups are made; all the same with v2, empty where a controller is not to be had.
struct GroupPlaces {
    LimitsMethod method = LimitsMethod::rlimits;
    std::string missing;  ///< rlimits: why there is nothing better
    std::filesystem::path memory, pids, cpu, account;
};
/// Makes the directories and enables the controllers where that is needed.
GroupPlaces find_group_places(const std::vector<Hierarchy>& hierarchies);
std::vector<Hierarchy> own_hierarchies();

/// The leaf that the daemon and its runners are in while jobs' groups stand beside it: v2 wants no processes in a group
/// that hands controllers on. `DelegateSubgroup=` of our systemd units has the same name.
inline constexpr std::string_view daemon_leaf = "cicd-daemon";

std::optional<std::string> read_control(const std::filesystem::path& file);
/// False, with errno set, where it could not be written.
bool write_control(const std::filesystem::path& file, std::string_view text);

}  // namespace cicd::os
