#include "daemon/os/cgroup.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/process.hpp"
#include "daemon/os/spawn.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

using namespace cicd;
namespace fs = std::filesystem;

namespace {

bool have_groups() {
    if (os::limits_method() != "rlimits") return true;
    MESSAGE("skipped: " << os::limits_weakness("memory"));
    return false;
}

int start_in(const os::Group& group, const std::string& script) {
    os::SpawnOptions options;
    options.argv = {"/bin/sh", "-c", script};
    options.groups = group.entries();
    options.new_session = true;
    const auto pid = os::spawn(options);
    REQUIRE(pid.has_value());
    return *pid;
}

int status_of(int pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return status;
}

bool eventually(const auto& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        ::poll(nullptr, 0, 2);
    }
    return true;
}

/// Of this process: names of groups in the place for memory limits.
std::vector<std::string> groups_named(const std::string& begin) {
    std::vector<std::string> list;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(os::find_group_places(os::own_hierarchies()).memory, ignored))
        if (entry.path().filename().string().starts_with(begin)) list.push_back(entry.path().filename());
    return list;
}

std::string unique(const std::string& name) { return name + std::to_string(::getpid()); }

constexpr std::uint64_t mib = 1 << 20;

}  // namespace

TEST_CASE("hierarchies are found for v1, v2 and both, below the mount's root and above it") {
    const auto both = os::parse_hierarchies(
        "4:memory:/jobs/me\n2:cpu,cpuacct:/\n0::/unified/me\n",
        "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
        "35 31 0:32 / /sys/fs/cgroup/with\\040blank rw - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"
        "50 1 0:40 / /proc rw - proc proc rw\n");
    REQUIRE(both.size() == 3);
    CHECK(both[0].controllers == std::vector<std::string>{"cpu", "cpuacct"});
    CHECK(both[0].own == "/sys/fs/cgroup/cpu");
    CHECK(both[1].own == "/sys/fs/cgroup/with blank/jobs/me");
    CHECK(both[2].unified);
    CHECK(both[2].own == "/sys/fs/cgroup/unified/unified/me");

    // A container's view: the mount shows a part of the hierarchy only.
    const auto part = os::parse_hierarchies("0::/docker/abc/inner\n", "41 31 0:38 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n");
    REQUIRE(part.size() == 1);
    CHECK(part[0].own == "/sys/fs/cgroup/inner");
    CHECK(os::parse_hierarchies("0::/\n", "").empty());
    CHECK(os::find_group_places({}).missing == "no cgroups are mounted");
}

TEST_CASE("a delegated v2 group is used from the daemon's leaf, and nothing less than memory and pids will do") {
    char name[] = "/tmp/cicd-cgroup-XXXXXX";
    const fs::path scope = ::mkdtemp(name);
    fs::create_directories(scope / "cicd");
    const os::Hierarchy leaf{true, {}, "/sys/fs/cgroup", scope / os::daemon_leaf};
    std::ofstream(scope / "cicd" / "cgroup.subtree_control") << "cpu memory pids\n";
    const auto places = os::find_group_places({leaf});
    CHECK(places.method == os::LimitsMethod::cgroup2);
    CHECK(places.memory == scope / "cicd");
    CHECK(places.cpu == scope / "cicd");
    std::ofstream(scope / "cicd" / "cgroup.subtree_control") << "cpu io\n";
    if (const auto others = os::find_group_places({leaf}); others.method == os::LimitsMethod::cgroup2)
        CHECK(others.memory != scope / "cicd");
    (void)os::remove_all(scope);
}

TEST_CASE("a group tells what its processes used, grandchildren too, and is gone after it is removed") {
    if (!have_groups()) return;
    auto group = os::Group::create(unique("usage"), {});
    REQUIRE(group.has_value());
    CHECK(groups_named(unique("usage")).size() == 1);
    const int pid = start_in(*group, "(python3 -c 'b = bytearray(50_000_000); [i*i for i in range(300000)]'); :");
    CHECK(status_of(pid) == 0);
    const auto usage = group->usage();
    CHECK(usage.peak_memory.value_or(0) > 45'000'000);
    if (usage.cpu_us) CHECK(*usage.cpu_us > 1000);
    CHECK(usage.oom_kills == 0);
    group->remove();
    CHECK(groups_named(unique("usage")).empty());
}

TEST_CASE("who takes more memory than the group may have is killed, and counted") {
    if (!have_groups()) return;
    auto group = os::Group::create(unique("oom"), {.memory = 64 * mib});
    REQUIRE(group.has_value());
    const int status = status_of(start_in(*group, "exec python3 -c 'b = bytearray(300_000_000)'"));
    CHECK(WIFSIGNALED(status));
    CHECK(group->usage().oom_kills >= 1);
    CHECK(group->usage().peak_memory.value_or(0) <= static_cast<std::int64_t>(64 * mib));
    group->remove();
}

TEST_CASE("a fork bomb ends at the group's pids") {
    if (!have_groups()) return;
    auto group = os::Group::create(unique("bomb"), {.pids = 20});
    REQUIRE(group.has_value());
    // Every process that it may have is born, and then it cannot fork any more.
    const int status = status_of(start_in(*group, "for i in $(seq 40); do sleep 1000 & done 2>/dev/null; exit 0"));
    CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == 0));
    group->kill_all();
    group->remove();
    CHECK(groups_named(unique("bomb")).empty());
}

TEST_CASE("cpu beyond the quota is not given") {
    if (!have_groups() || os::find_group_places(os::own_hierarchies()).cpu.empty()) return;
    auto group = os::Group::create(unique("cpu"), {.cpu = 0.1});
    REQUIRE(group.has_value());
    const auto before = std::chrono::steady_clock::now();
    // 100 ms of CPU time take a tenth of a CPU about a second.
    const int status = status_of(start_in(*group, "exec python3 -c 'import time\nwhile time.process_time() < 0.15: pass'"));
    CHECK(status == 0);
    CHECK(std::chrono::steady_clock::now() - before > std::chrono::milliseconds(500));
    group->remove();
}

TEST_CASE("everything in a group dies, also what left its session and its parents, and what forks all the time") {
    if (!have_groups()) return;
    auto group = os::Group::create(unique("kill"), {.pids = 200});
    REQUIRE(group.has_value());
    char name[] = "/tmp/cicd-cgroup-XXXXXX";
    const fs::path folder = ::mkdtemp(name);
    const auto mark = folder.string();
    const int pid = start_in(*group, "cd " + mark + "; (setsid sh -c 'trap \"\" TERM; echo $$ > escaped; exec sleep 1000' &) ; "
                                     "(while :; do (sleep 0.01 & ) 2>/dev/null; done) & while [ ! -s escaped ]; do sleep 0.01; done; echo > up; wait");
    REQUIRE(eventually([&] { return fs::exists(folder / "up"); }));
    int escaped = 0;
    std::ifstream(folder / "escaped") >> escaped;
    REQUIRE(escaped > 0);
    group->kill_all();
    status_of(pid);
    CHECK(eventually([&] { const auto facts = os::process_facts(escaped); return !facts || facts->state == 'Z'; }));
    group->remove();
    CHECK(groups_named(unique("kill")).empty());
    (void)os::remove_all(folder);
}

TEST_CASE("groups of dead makers are swept with what lives in them, those of the living stay") {
    if (!have_groups()) return;
    auto mine = os::Group::create(unique("living"), {});
    REQUIRE(mine.has_value());
    // A group that says it was made by a process which has ended.
    const int gone = *os::spawn({.argv = {"/bin/true"}});
    const auto facts = os::process_facts(gone);
    status_of(gone);
    const auto name = groups_named(unique("living")).front();
    const auto pid_namespace = name.substr(name.rfind('.'));
    const auto stale = unique("dead") + "." + std::to_string(gone) + "." + std::to_string(facts ? facts->start_time : 1) + pid_namespace;
    const auto place = os::find_group_places(os::own_hierarchies()).memory;
    fs::create_directory(place / stale);
    const int left = *os::spawn({.argv = {"sleep", "1000"}, .new_session = true});
    REQUIRE(os::write_control(place / stale / "cgroup.procs", std::to_string(left)));
    CHECK(os::sweep_groups() >= 1);
    CHECK(WIFSIGNALED(status_of(left)));
    CHECK(!fs::exists(place / stale));
    CHECK(groups_named(unique("living")).size() == 1);
    mine->remove();
}

TEST_CASE("a child is a better victim than we are where memory is short") {
    auto pipe = os::make_pipe();
    os::SpawnOptions options;
    options.argv = {"cat", "/proc/self/oom_score_adj"};
    options.oom_score = 500;
    options.fds = {{pipe->write.get(), 1}};
    const int pid = *os::spawn(options);
    pipe->write.reset();
    char buffer[16] = {};
    CHECK(::read(pipe->read.get(), buffer, sizeof buffer - 1) > 0);
    status_of(pid);
    CHECK(std::string(buffer) == "500\n");
    CHECK(os::read_control("/proc/self/oom_score_adj") != "500\n");
}
