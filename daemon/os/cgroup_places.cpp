#include "daemon/os/cgroup_places.hpp"

#include "common/base/text.hpp"
#include "daemon/os/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cicd::os {
namespace fs = std::filesystem;

std::optional<std::string> read_control(const fs::path& file) {
    const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return std::nullopt;
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(fd.get(), buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::nullopt;
        text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
}

bool write_control(const fs::path& file, std::string_view text) {
    const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return false;
    return ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

namespace {

bool holds(const std::vector<std::string>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

/// mountinfo writes blanks in paths as \040 and the like.
std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool make_directory(const fs::path& path) { return ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST; }

/// `group`/cicd with memory and pids (and cpu, where there is one) for groups in it.
std::optional<fs::path> open_place(const fs::path& group) {
    const auto place = group / "cicd";
    const auto enough = [](const fs::path& file) {
        const auto list = split(trim(read_control(file).value_or("")), ' ');
        return holds(list, "memory") && holds(list, "pids");
    };
    const auto ready = [&] { return enough(place / "cgroup.subtree_control"); };
    if (ready()) return place;
    if (!enough(group / "cgroup.controllers") || !make_directory(place)) return std::nullopt;
    for (const auto& level : {group, place})
        for (const char* controller : {"+memory", "+pids", "+cpu"})
            (void)write_control(level / "cgroup.subtree_control", controller);
    if (ready()) return place;
    ::rmdir(place.c_str());
    return std::nullopt;
}

GroupPlaces places_of_v2(const Hierarchy& unified) {
    const bool in_leaf = unified.own.filename() == daemon_leaf;
    // As root right below the mount, as container engines do: a service's own group could not be entered again by its
    // next daemon while jobs of this one go on in groups below it.
    std::vector<fs::path> candidates;
    if (in_leaf) candidates.push_back(unified.own.parent_path());
    if (::geteuid() == 0) candidates.push_back(unified.mount);
    for (const auto& group : candidates)
        if (const auto place = open_place(group)) {
            const auto enabled = split(trim(read_control(*place / "cgroup.subtree_control").value_or("")), ' ');
            return {LimitsMethod::cgroup2, {}, *place, *place, holds(enabled, "cpu") ? *place : fs::path(), *place};
        }
    return {};
}

GroupPlaces places_of_v1(const std::vector<Hierarchy>& hierarchies) {
    const auto find = [&](std::string_view controller) -> fs::path {
        for (const auto& hierarchy : hierarchies)
            if (!hierarchy.unified && holds(hierarchy.controllers, controller)) {
                const auto place = hierarchy.own / "cicd";
                if (make_directory(place) && ::access(place.c_str(), W_OK) == 0) return place;
            }
        return {};
    };
    GroupPlaces places;
    places.memory = find("memory");
    if (places.memory.empty()) return {};
    places.method = LimitsMethod::cgroup1;
    places.pids = find("pids");
    places.cpu = find("cpu");
    places.account = find("cpuacct");
    return places;
}

std::string what_is_missing(const std::vector<Hierarchy>& hierarchies) {
    if (hierarchies.empty()) return "no cgroups are mounted";
    return "no writable cgroup";
}

}  // namespace

std::vector<Hierarchy> parse_hierarchies(std::string_view cgroup, std::string_view mountinfo) {
    std::vector<Hierarchy> list;
    for (const auto& line : split(mountinfo, '\n')) {
        // 31 23 0:28 ROOT MOUNT OPTIONS … - TYPE SOURCE SUPER-OPTIONS
        const auto dash = line.find(" - cgroup");
        if (dash == std::string::npos) continue;
        const auto before = split(line.substr(0, dash), ' '), after = split(line.substr(dash + 3), ' ');
        if (before.size() < 6 || after.size() < 3) continue;
        Hierarchy hierarchy;
        hierarchy.unified = after[0] == "cgroup2";
        const auto controllers = split(after[2], ',');
        const std::string root = unescape(before[3]);
        hierarchy.mount = unescape(before[4]);
        for (const auto& entry : split(cgroup, '\n')) {
            // 4:memory:/path, and 0::/path for v2
            const auto first = entry.find(':'), second = entry.find(':', first + 1);
            if (first == std::string::npos || second == std::string::npos) continue;
            const auto names = entry.substr(first + 1, second - first - 1);
            std::string path = entry.substr(second + 1);
            if (hierarchy.unified ? !names.empty() : names.empty() || !holds(controllers, split(names, ',').front())) continue;
            // What lies above the mount's root is not to be seen here.
            if (root != "/" && path.starts_with(root)) path.erase(0, root.size());
            hierarchy.controllers = hierarchy.unified ? std::vector<std::string>{} : split(names, ',');
            hierarchy.own = path.size() > 1 ? hierarchy.mount / path.substr(1) : hierarchy.mount;
            list.push_back(hierarchy);
            break;
        }
    }
    return list;
}

std::vector<Hierarchy> own_hierarchies() {
    return parse_hierarchies(read_control("/proc/self/cgroup").value_or(""), read_control("/proc/self/mountinfo").value_or(""));
}

GroupPlaces find_group_places(const std::vector<Hierarchy>& hierarchies) {
    for (const auto& hierarchy : hierarchies)
        if (hierarchy.unified)
            if (auto places = places_of_v2(hierarchy); places.method != LimitsMethod::rlimits) return places;
    auto places = places_of_v1(hierarchies);
    if (places.method == LimitsMethod::rlimits) places.missing = what_is_missing(hierarchies);
    return places;
}

}  // namespace cicd::os
