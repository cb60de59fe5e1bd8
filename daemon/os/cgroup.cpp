#include "daemon/os/cgroup.hpp"

#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "daemon/os/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>

namespace cicd::os {
namespace {
namespace fs = std::filesystem;

constexpr int cpu_period_us = 100'000;

template <class Number>
std::optional<Number> number(std::string_view text) {
    const auto digits = trim(text);
    Number value{};
    const auto end = digits.data() + digits.size();
    if (digits.empty() || std::from_chars(digits.data(), end, value).ptr != end) return std::nullopt;
    return value;
}

/// The value of "key value" lines.
std::optional<std::int64_t> value_of(const std::optional<std::string>& text, std::string_view key) {
    if (!text) return std::nullopt;
    for (const auto& line : split(*text, '\n'))
        if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ')
            return number<std::int64_t>(std::string_view(line).substr(key.size() + 1));
    return std::nullopt;
}

std::vector<fs::path> folders_in(const fs::path& path) {
    std::vector<fs::path> list;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr)
        if (entry->d_type == DT_DIR && std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
            list.push_back(path / entry->d_name);
    return list;
}

/// False where nobody is left in it or below.
bool signal_group(const fs::path& path, int signal) {
    bool any = false;
    for (const auto& inner : folders_in(path)) any = signal_group(inner, signal) || any;
    for (const auto& line : split(read_control(path / "cgroup.procs").value_or(""), '\n'))
        if (const auto pid = number<int>(line); pid && *pid > 0) {
            any = true;
            ::kill(*pid, signal);
        }
    return any;
}

bool populated(const fs::path& path) { return signal_group(path, 0); }

/// Waits a little for what was killed to be gone.
template <class Condition>
bool soon(Condition condition) {
    for (int round = 0; round < 500; ++round) {
        if (condition()) return true;
        ::poll(nullptr, 0, round < 50 ? 1 : 10);
    }
    return false;
}

void kill_group(const fs::path& path, const fs::path& pids) {
    // v2 has a word for it; with v1 nothing can be born while the living are counted and killed.
    if (write_control(path / "cgroup.kill", "1")) {
        (void)soon([&] { return !populated(path); });
        return;
    }
    if (!pids.empty()) (void)write_control(pids / "pids.max", "0");
    (void)soon([&] { return !signal_group(path, SIGKILL); });
}

void remove_group(const fs::path& path) {
    for (const auto& inner : folders_in(path)) remove_group(inner);
    (void)soon([&] { return ::rmdir(path.c_str()) == 0 || errno != EBUSY; });
}

std::string own_pid_namespace() {
    struct stat facts {};
    return ::stat("/proc/self/ns/pid", &facts) == 0 ? std::to_string(facts.st_ino) : "0";
}

/// NAME.PID.STARTTIME.PIDNAMESPACE: whose it is.
std::string owned(std::string name) {
    for (char& c : name)
        if (c == '/' || c == '.' || c == '\n') c = '_';
    const int pid = ::getpid();
    const auto facts = process_facts(pid);
    return name + "." + std::to_string(pid) + "." + std::to_string(facts ? facts->start_time : 0) + "." + own_pid_namespace();
}

bool is_stale(const std::string& name, const std::string& pid_namespace) {
    const auto parts = split(name, '.');
    if (parts.size() != 4 || parts[3] != pid_namespace) return false;
    const auto pid = number<int>(parts[1]);
    const auto start = number<std::uint64_t>(parts[2]);
    if (!pid || !start) return false;
    const auto facts = process_facts(*pid);
    return !facts || facts->state == 'Z' || facts->start_time != *start;
}

bool put_v2(const fs::path& group, const fs::path& cpu, const GroupLimits& limits) {
    bool held = true;
    if (limits.memory) {
        held = write_control(group / "memory.max", std::to_string(*limits.memory));
        (void)write_control(group / "memory.swap.max", "0");
    }
    if (limits.pids) held = write_control(group / "pids.max", std::to_string(*limits.pids)) && held;
    if (limits.cpu && !cpu.empty())
        held = write_control(group / "cpu.max", std::to_string(std::max(1000L, std::lround(*limits.cpu * cpu_period_us))) +
                                                    " " + std::to_string(cpu_period_us)) && held;
    return held;
}

bool put_v1(const fs::path& memory, const fs::path& pids, const fs::path& cpu, const GroupLimits& limits) {
    bool held = true;
    if (limits.memory) {
        held = write_control(memory / "memory.limit_in_bytes", std::to_string(*limits.memory));
        // Not there where swap is not accounted for.
        (void)write_control(memory / "memory.memsw.limit_in_bytes", std::to_string(*limits.memory));
    }
    if (limits.pids && !pids.empty()) held = write_control(pids / "pids.max", std::to_string(*limits.pids)) && held;
    if (limits.cpu && !cpu.empty())
        held = write_control(cpu / "cpu.cfs_period_us", std::to_string(cpu_period_us)) &&
               write_control(cpu / "cpu.cfs_quota_us", std::to_string(std::max(1000L, std::lround(*limits.cpu * cpu_period_us)))) &&
               held;
    return held;
}

}  // namespace

std::string_view limits_method() {
    switch (find_group_places(own_hierarchies()).method) {
        case LimitsMethod::cgroup2: return "cgroup2";
        case LimitsMethod::cgroup1: return "cgroup1";
        case LimitsMethod::rlimits: break;
    }
    return "rlimits";
}

std::string limits_weakness(std::string_view controller) {
    const auto places = find_group_places(own_hierarchies());
    if (places.method == LimitsMethod::rlimits) return places.missing;
    const auto& place = controller == "cpu" ? places.cpu : controller == "pids" ? places.pids : places.memory;
    return place.empty() ? "no writable cgroup has the " + std::string(controller) + " controller" : "";
}

Result<Group> Group::create(const std::string& name, const GroupLimits& limits) {
    const auto places = find_group_places(own_hierarchies());
    if (places.method == LimitsMethod::rlimits) return unavailable("JOB_003", places.missing);
    const auto own_name = owned(name);
    Group group;
    group.unified_ = places.method == LimitsMethod::cgroup2;
    const auto in = [&](const fs::path& place) -> fs::path {
        if (place.empty()) return {};
        auto path = place / own_name;
        if (std::find(group.paths_.begin(), group.paths_.end(), path) == group.paths_.end()) group.paths_.push_back(path);
        return path;
    };
    group.memory_ = in(places.memory);
    group.pids_ = in(places.pids);
    const auto cpu = limits.cpu ? in(places.cpu) : fs::path();
    group.limits_cpu_ = !cpu.empty();
    group.account_ = in(places.account);
    for (const auto& path : group.paths_) {
        if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
            auto error = last_error("cannot make the control group " + path.string());
            group.remove();
            return error;
        }
        // A child that writes "0" into `tasks` moves without the lock that `cgroup.procs` takes of all processes.
        Fd entry(::open((path / (group.unified_ ? "cgroup.procs" : "tasks")).c_str(), O_WRONLY | O_CLOEXEC));
        if (!entry) {
            auto error = last_error("cannot open the control group " + path.string());
            group.remove();
            return error;
        }
        group.entries_.push_back(std::move(entry));
    }
    const bool held = group.unified_ ? put_v2(group.memory_, cpu, limits) : put_v1(group.memory_, group.pids_, cpu, limits);
    if (held) return group;
    auto error = last_error("cannot set the limits of the control group " + group.memory_.string());
    group.remove();
    return error;
}

std::optional<Group> Group::of_process(int pid) {
    const auto own = read_control("/proc/" + std::to_string(pid) + "/cgroup");
    const auto mounts = read_control("/proc/self/mountinfo");
    if (!own || !mounts || pid <= 0) return std::nullopt;
    Group group;
    for (const auto& hierarchy : parse_hierarchies(*own, *mounts)) {
        const auto has = [&](const char* controller) {
            return std::find(hierarchy.controllers.begin(), hierarchy.controllers.end(), controller) != hierarchy.controllers.end();
        };
        if (hierarchy.unified && ::access((hierarchy.own / "memory.events").c_str(), R_OK) == 0) {
            group.unified_ = true;
            group.memory_ = hierarchy.own;
        }
        if (!hierarchy.unified && has("memory")) group.memory_ = hierarchy.own;
        if (!hierarchy.unified && has("cpuacct")) group.account_ = hierarchy.own;
    }
    if (group.memory_.empty()) return std::nullopt;
    return group;
}

std::vector<int> Group::entries() const {
    std::vector<int> list;
    for (const auto& entry : entries_) list.push_back(entry.get());
    return list;
}

GroupUsage Group::usage() const {
    GroupUsage usage;
    const auto file = [&](const fs::path& group, const char* name) { return read_control(group / name); };
    if (unified_) {
        usage.cpu_us = value_of(file(memory_, "cpu.stat"), "usage_usec");
        usage.peak_memory = number<std::int64_t>(file(memory_, "memory.peak").value_or(""));
        usage.oom_kills = value_of(file(memory_, "memory.events"), "oom_kill").value_or(0);
        return usage;
    }
    if (!account_.empty())
        if (const auto ns = number<std::int64_t>(file(account_, "cpuacct.usage").value_or(""))) usage.cpu_us = *ns / 1000;
    usage.peak_memory = number<std::int64_t>(file(memory_, "memory.max_usage_in_bytes").value_or(""));
    usage.oom_kills = value_of(file(memory_, "memory.oom_control"), "oom_kill").value_or(0);
    return usage;
}

void Group::kill_all() const {
    if (!paths_.empty()) kill_group(pids_.empty() ? memory_ : pids_, pids_);
}

void Group::remove() {
    entries_.clear();
    for (const auto& path : paths_)
        if (::rmdir(path.c_str()) != 0 && errno == EBUSY) {
            kill_all();
            remove_group(path);
        }
    paths_.clear();
}

int sweep_groups() {
    const auto places = find_group_places(own_hierarchies());
    const auto pid_namespace = own_pid_namespace();
    std::vector<std::string> stale;
    for (const auto& place : {places.pids, places.memory, places.cpu, places.account}) {
        if (place.empty()) continue;
        for (const auto& path : folders_in(place)) {
            const std::string name = path.filename();
            if (!is_stale(name, pid_namespace)) continue;
            kill_group(path, places.pids.empty() ? fs::path() : places.pids / name);
            remove_group(path);
            if (std::find(stale.begin(), stale.end(), name) == stale.end()) stale.push_back(name);
        }
    }
    return static_cast<int>(stale.size());
}

void claim_groups() {
    for (const auto& hierarchy : own_hierarchies()) {
        if (!hierarchy.unified || hierarchy.own.filename() == daemon_leaf) continue;
        // A service that we moved out of could not be restarted while its jobs go on: there systemd has to make the leaf.
        if (::geteuid() == 0 || hierarchy.own.extension() == ".service") continue;
        const auto leaf = hierarchy.own / daemon_leaf;
        if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) continue;
        if (!write_control(leaf / "cgroup.procs", "0")) {
            ::rmdir(leaf.c_str());
            continue;
        }
        if (find_group_places(own_hierarchies()).method == LimitsMethod::cgroup2) continue;
        // Others live in it, too, or too little was delegated: as it was.
        if (write_control(hierarchy.own / "cgroup.procs", "0")) ::rmdir(leaf.c_str());
    }
}

}  // namespace cicd::os
