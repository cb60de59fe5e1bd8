#include "tests/faults/support.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {
std::string text(const Value& value) { return value.is_string() ? value.as_string() : ""; }
const Value& only_job(const Value& run) { return run["jobs"].as_array().at(0); }

/// A job that says when it is told to end, does not, and has a child that left its session and does not either.
std::string stubborn(const std::string& stray) {
    return "name: stubborn\nstages:\n  - name: one\n    commands:\n      - |\n"
           "          setsid bash -c 'trap \"\" TERM; exec sleep " + stray + "' &\n"
           "          trap 'echo told to end' TERM\n"
           "          echo ready\n"
           "          while :; do sleep 0.02 || true; done\n";
}

std::string start_and_wait(const World& world, const GitRepository& repository, const std::string& line) {
    const auto id = text(world.json({"run", "--detach"}, world.in(repository.path()))["id"]);
    REQUIRE(eventually([&] { return world.cicdctl({"logs", id}).out.find(line) != std::string::npos; }));
    return id;
}
}  // namespace

TEST_CASE("a job goes on while the daemon is dead, and is collected with its real exit and whole log") {
    TempDir outside;
    // Each round waits for the test, so the daemon is surely dead while the job works and while it ends.
    GitRepository repository{{".cicd.yaml",
                               "name: survivor\nworkspace: shared\nstages:\n  - name: one\n    jobs:\n      one:\n        steps:\n"
                               "          - run: |\n"
                               "              for i in 1 2 3; do echo line $i; done\n"
                               "              while [ ! -e go ]; do sleep 0.02; done\n"
                               "              for i in 4 5 6; do echo line $i; done\n"
                               "              exit 5\n"}};
    World world;
    const auto id = text(world.json({"run", "--detach"}, world.in(repository.path()))["id"]);
    REQUIRE(eventually([&] { return text(only_job(world.json({"show", id}))["status"]) == "running"; }));
    const auto job = text(only_job(world.json({"show", id}))["id"]);
    REQUIRE(eventually([&] { return world.cicdctl({"logs", job}).out.find("line 3") != std::string::npos; }));

    const int first = world.daemon_pid();
    world.kill_daemon();
    REQUIRE(!is_alive(first));
    // The file that it waits for is put there while nobody watches.
    write_file(world.shared_workspace(id) / "go", "");
    const auto exit_file = world.state() / "jobs" / job / "1" / "exit";
    REQUIRE(eventually([&] { return std::filesystem::exists(exit_file); }));

    world.start_daemon();
    CHECK(world.daemon_pid() != first);
    CHECK(world.cicdctl({"watch", id}).code == 1);
    const auto run = world.json({"show", id});
    CHECK(only_job(run)["exitCode"] == Value(5));
    CHECK(text(only_job(run)["endReason"]) == "exit");
    CHECK(world.cicdctl({"logs", job}).out == "line 1\nline 2\nline 3\nline 4\nline 5\nline 6\n");
}

TEST_CASE("a job that still runs when the daemon is back is followed on to its end") {
    GitRepository repository{{".cicd.yaml",
                               "name: survivor\nworkspace: shared\nstages:\n  - name: one\n    jobs:\n      one:\n        steps:\n"
                               "          - run: 'echo before; while [ ! -e go ]; do sleep 0.02; done; echo after'\n"
                               "  - {name: two, commands: ['echo next']}\n"}};
    World world;
    const auto id = text(world.json({"run", "--detach"}, world.in(repository.path()))["id"]);
    REQUIRE(eventually([&] { return text(only_job(world.json({"show", id}))["status"]) == "running"; }));
    world.kill_daemon();
    world.start_daemon();
    CHECK(text(only_job(world.json({"show", id}))["status"]) == "running");
    write_file(world.shared_workspace(id) / "go", "");
    CHECK(world.cicdctl({"watch", id}).code == 0);
    CHECK(text(world.json({"show", id})["status"]) == "success");
}

TEST_CASE("a runner that died with the daemon is lost, its processes are gone, and the run says so") {
    GitRepository repository{{".cicd.yaml", "name: lost\nstages:\n  - {name: one, retry: 0, commands: ['sleep 87654321']}\n"}};
    World world;
    const auto id = text(world.json({"run", "--detach"}, world.in(repository.path()))["id"]);
    REQUIRE(eventually([] { return !processes_with_argument("87654321").empty(); }));
    const auto job = text(only_job(world.json({"show", id}))["id"]);
    world.kill_daemon();
    for (const int pid : processes_with_argument("cicd-runner"))
        if (read_file("/proc/" + std::to_string(pid) + "/cmdline").find(world.state().string()) != std::string::npos)
            ::kill(pid, SIGKILL);
    CHECK(eventually([] { return processes_with_argument("87654321").empty(); }));
    world.start_daemon();
    CHECK(world.cicdctl({"watch", id}).code == 3);
    CHECK(text(only_job(world.json({"show", id}))["endReason"]) == "lost");
}

TEST_CASE("two daemons never share a state directory") {
    World world;
    world.start_daemon();
    const auto second = run({program("cicdd"), "serve", "--state-dir", world.state().string()});
    CHECK(second.code != 0);
    CHECK(second.err.find("another cicdd") != std::string::npos);
    CHECK(world.cicdctl({"daemon", "status"}).code == 0);
}

TEST_CASE("a cancel goes on although the daemon that took it died, and although nobody starts another one") {
    const auto stray = "87" + std::to_string(::getpid()) + ".5";
    const GitRepository repository{{".cicd.yaml", stubborn(stray)}};
    const World world;
    const auto at_once = start_and_wait(world, repository, "ready");
    const auto told = start_and_wait(world, repository, "ready");
    REQUIRE(eventually([&] { return processes_with_argument(stray).size() >= 2; }));
    REQUIRE(world.cicdctl({"cancel", told}).code == 0);
    REQUIRE(eventually([&] { return world.cicdctl({"logs", told}).out.find("told to end") != std::string::npos; }));
    REQUIRE(world.cicdctl({"cancel", at_once}).code == 0);
    world.kill_daemon();  // the second one's runner may not even have been asked
    // One of the two is in its grace: its runner ends it, with nobody there to watch.
    CHECK(eventually([&] { return living_runners(world.state()).size() <= 1; }, std::chrono::seconds(60)));
    world.start_daemon();
    for (const auto& id : {told, at_once}) {
        CHECK(world.cicdctl({"watch", id}).code == 9);
        CHECK(text(world.json({"show", id})["status"]) == "cancelled");
        CHECK(text(only_job(world.json({"show", id}))["endReason"]) == "cancelled");
    }
    CHECK(eventually([&] { return processes_with_argument(stray).empty(); }));
}

TEST_CASE("a cancel whose daemon and runner both died is a cancel, and nothing of the job is left") {
    const auto stray = "88" + std::to_string(::getpid()) + ".5";
    const GitRepository repository{{".cicd.yaml", stubborn(stray)}};
    const World world;
    const auto id = start_and_wait(world, repository, "ready");
    REQUIRE(world.cicdctl({"cancel", id}).code == 0);
    world.kill_daemon();
    for (const auto& [attempt, pid] : living_runners(world.state())) ::kill(pid, SIGKILL);
    CHECK(eventually([&] { return processes_with_argument(stray).empty(); }));
    world.start_daemon();
    CHECK(world.cicdctl({"watch", id}).code == 9);
    CHECK(text(only_job(world.json({"show", id}))["endReason"]) == "cancelled");
    CHECK(processes_with_argument(stray).empty());
}

TEST_CASE("SIGTERM: the daemon is gone within a second, whoever is connected, and jobs run on") {
    const GitRepository repository{{".cicd.yaml",
                                    "name: survivor\nworkspace: shared\nstages:\n  - name: one\n    commands:\n      - |\n"
                                    "          echo ready\n          while [ ! -e go ]; do sleep 0.02; done\n          echo after\n"}};
    const World world;
    const auto id = start_and_wait(world, repository, "ready");
    RunFollower follower(world.socket(), id);
    REQUIRE(eventually([&] { return follower.has_lines(); }));
    const auto runners = living_runners(world.state());
    REQUIRE(runners.size() == 1);
    // The best of three: the machine may be busy with something else.
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 3 && best > std::chrono::seconds(1); ++i) {
        const int daemon = world.daemon_pid();
        const auto start = std::chrono::steady_clock::now();
        ::kill(daemon, SIGTERM);
        REQUIRE(eventually([&] { return !is_alive(daemon); }));
        best = std::min(best, std::chrono::steady_clock::now() - start);
        CHECK(living_runners(world.state()) == runners);
        world.start_daemon();
    }
    CHECK(best <= std::chrono::seconds(1));
    write_file(world.shared_workspace(id) / "go", "");
    CHECK(world.cicdctl({"watch", id}).code == 0);
    REQUIRE(eventually([&] { return follower.has_ended(); }));
    const auto told = follower.take();
    CHECK(told.faults.empty());
    CHECK(told.connections >= 2);
    CHECK(told.log(runners.begin()->first) == "ready\nafter\n");
}
