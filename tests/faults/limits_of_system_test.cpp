#include "tests/faults/mounts.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

using namespace cicd;
using namespace cicd::test;

namespace {

/// A daemon that is started by another program, such as one that lowers its limits first.
std::unique_ptr<Background> daemon_under(const World& world, std::vector<std::string> command) {
    for (const char* word : {"serve", "--state-dir"}) command.emplace_back(word);
    command.push_back(world.state().string());
    command.insert(command.end(), {"--config-dir", world.config().string()});
    std::filesystem::create_directories(world.state());
    auto daemon = std::make_unique<Background>(command);
    const auto ready = [&] { return world.cicdctl({"ps"}, RunOptions{.env = {{"CICD_NO_AUTOSTART", "1"}}}).code == 0; };
    REQUIRE(eventually([&] { return std::filesystem::exists(world.socket()) && ready(); }));
    return daemon;
}

int connect_to(const std::filesystem::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket.c_str(), socket.string().size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    return -1;
}

/// Processor time of a process so far, in clock ticks.
long ticks(int pid) {
    std::istringstream fields(read_file("/proc/" + std::to_string(pid) + "/stat"));
    std::string field;
    long total = 0;
    for (int i = 1; i <= 15 && fields >> field; ++i)
        if (i >= 14) total += std::stol(field);
    return total;
}

}  // namespace

TEST_CASE("without a single inotify instance jobs run, are followed, and the daemon's log says why that is slower") {
    World world;
    const std::string lower = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$@\"";
    if (run({"unshare", "-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_inotify_instances"}).code != 0) {
        MESSAGE("skipped: user namespaces cannot be made here");
        return;
    }
    configure(world);
    const auto daemon = daemon_under(world, {"unshare", "-Ur", "sh", "-c", lower, "sh", program("cicdd")});
    GitRepository repository{{".cicd.yaml", "name: quick\nstages: [{name: one, executor: host, commands: ['echo hello', 'echo again']}]\n"}};
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.out.find("again") != std::string::npos);
    const_cast<Background&>(*daemon).signal(SIGTERM);
    const auto ended = const_cast<Background&>(*daemon).wait();
    CHECK(ended.err.find("inotify") != std::string::npos);
}

TEST_CASE("when clients hold all file descriptors the daemon neither spins nor dies, and serves again when they let go") {
    World world;
    configure(world);
    const auto daemon = daemon_under(world, {"prlimit", "--nofile=64:64", program("cicdd")});
    const int pid = world.daemon_pid();
    GitRepository repository{{".cicd.yaml", waiting_pipeline(world)}};
    const auto id = start_waiting(world, repository);
    std::vector<int> held;
    for (int i = 0; i < 100; ++i)
        if (const int fd = connect_to(world.socket()); fd >= 0) held.push_back(fd);
    CHECK(held.size() > 40);
    const long before = ticks(pid);
    ::usleep(1'500'000);  // not waiting for anything: the time over which the processor's is measured
    const long spent = ticks(pid) - before;
    CHECK(spent < ::sysconf(_SC_CLK_TCK) * 3 / 4);
    CHECK(is_alive(pid));
    for (const int fd : held) ::close(fd);
    let_go(world);
    CHECK(eventually([&] { return world.cicdctl({"show", id}).code == 0; }));
    CHECK(world.cicdctl({"watch", id}).code == 0);
}

TEST_CASE("a client beyond the most connections is told so at once; when one ends, the next is served") {
    World world;
    configure(world);
    const auto daemon = daemon_under(world, {"prlimit", "--nofile=256:256", program("cicdd")});
    std::vector<int> held;
    for (int i = 0; i < 128; ++i) held.push_back(connect_to(world.socket()));
    CHECK(std::count(held.begin(), held.end(), -1) == 0);
    Outcome refused;
    CHECK(eventually([&] {
        refused = world.cicdctl({"ps", "-o", "json"});
        return refused.code != 0;
    }));
    INFO(refused.out, refused.err);
    CHECK(refused.err.find("128 connections are open") != std::string::npos);
    CHECK(refused.code == 69);
    for (const int fd : held) ::close(fd);
    CHECK(eventually([&] { return world.cicdctl({"ps"}).code == 0; }));
}

TEST_CASE("jobs that find no file descriptor end with the reason or wait; the daemon goes on") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    // Where it finds no descriptor for its own probe, the sanitizer takes sound objects for broken ones.
    MESSAGE("skipped: sanitizers need descriptors themselves");
    return;
#endif
    World world;
    configure(world, "capacity: {slots: 30}\n");
    const auto daemon = daemon_under(world, {"prlimit", "--nofile=40:40", program("cicdd")});
    std::string jobs;
    for (int i = 0; i < 30; ++i) jobs += "      j" + std::to_string(i) + ": {retry: 0, steps: ['sleep 0.3']}\n";
    GitRepository repository{{".cicd.yaml", "name: many\nstages:\n  - name: one\n    jobs:\n" + jobs}};
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    const auto shown = world.json({"show", "run-1"});
    REQUIRE(shown["jobs"].is_array());
    CHECK(shown["jobs"].as_array().size() == 30);
    for (const auto& job : shown["jobs"].as_array()) {
        const auto status = text(job["status"]);
        INFO(text(job["key"]), " ", status, " ", text(job["message"]));
        CHECK((status == "success" || status == "failed"));
        if (status == "failed") CHECK(!text(job["message"]).empty());
    }
    CHECK(is_alive(world.daemon_pid()));
    GitRepository quick{{".cicd.yaml", quick_pipeline}};
    const auto after = world.cicdctl({"run"}, world.in(quick.path()));
    INFO(after.out, after.err);
    CHECK(after.code == 0);
}
