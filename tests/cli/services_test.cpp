#include "tests/support/image.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace cicd;
using namespace cicd::test;

// Services beside a job, by the real programs.
namespace {

namespace fs = std::filesystem;

struct Scene {
    /// `job`: the keys of the one job, indented by four.
    explicit Scene(const std::string& job, std::vector<std::string> layers = {busybox_layer()}, const std::string& config = "{}")
        : repository{{".cicd.yaml", "name: p\nstages:\n  - name: a\n    network: none\n" + job}, {"note", "noted\n"}} {
        if (!has_busybox()) return;
        write_oci_layout(world.folder() / "layout", {std::move(layers), config, ""});
        const auto imported = world.cicdctl({"image", "import", "box", (world.folder() / "layout").string()});
        INFO(imported.out, imported.err);
        REQUIRE(imported.code == 0);
    }
    Outcome run(std::vector<std::string> more = {}) {
        more.insert(more.begin(), "run");
        return world.cicdctl(more, world.in(repository.path()));
    }
    std::string logs(std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"logs", "job-1"});
        return world.cicdctl(more).out;
    }
    Value job() { return world.json({"show", "job-1"}); }
    bool cannot() const {
        const auto why = why_not_in_an_image();
        if (!why.empty()) MESSAGE("skipped: " << why);
        return !why.empty();
    }
    GitRepository repository;
    World world;
};

/// Everything that has the text in its command line or in its log's name; zombies are dead.
std::vector<int> processes_of(const std::string& text) {
    std::vector<int> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        const auto pid = entry.path().filename().string();
        if (pid.find_first_not_of("0123456789") != std::string::npos || std::stoi(pid) == ::getpid()) continue;
        std::ifstream file(entry.path() / "cmdline");
        if (contains(std::string(std::istreambuf_iterator<char>(file), {}), text)) found.push_back(std::stoi(pid));
    }
    return found;
}

int runner_of(const World& world) {
    const auto text = read_file(world.state() / "jobs/job-1/1/pid");
    return std::stoi(text);
}

}  // namespace

TEST_CASE("a job reaches its services by name; their output is theirs in the log, and secrets in it are hidden") {
    Scene scene("    services:\n"
                "      web: {image: box, env: {TEXT: 'of the ${{ params.what }}', PASS: '${{ secrets.PASS }}'}, ready: 'wget -q -O - http://localhost:8080/ >/dev/null',\n"
                "            command: 'mkdir -p /www; echo \"$TEXT\" > /www/index.html; echo \"pass is $PASS\"; exec httpd -f -p 8080 -h /www'}\n"
                "      files: {command: [busybox, httpd, -f, -p, '9000'], ready: 'busybox wget -q -O - http://files:9000/note >/dev/null'}\n"
                "    jobs:\n"
                "      in-image: {image: box, steps: ['wget -q -O - http://web:8080/; wget -q -O - http://files:9000/note', 'cat /proc/net/dev']}\n"
                "      in-sandbox: {steps: ['busybox wget -q -O - http://web:8080/; grep web /etc/hosts']}\n"
                "parameters: {what: {type: string, default: service}}\n");
    if (scene.cannot()) return;
    RunOptions input;
    input.input = "hidden-word-77";
    REQUIRE(scene.world.cicdctl({"secret", "set", "PASS"}, input).code == 0);
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "[a/in-image] of the service"));
    CHECK(contains(outcome.out, "[a/in-sandbox] of the service"));
    CHECK(contains(outcome.out, "noted"));
    CHECK(!contains(outcome.out, "eth0"));
    const auto of_web = scene.logs({"--step", "service:web"});
    CHECK(contains(of_web, "pass is ***"));
    CHECK(contains(of_web, "service 'web' is ready after"));
    CHECK(!contains(of_web, "noted"));
    CHECK(!contains(scene.logs(), "hidden-word-77"));
    const auto steps = scene.job()["steps"].as_array();
    REQUIRE(steps.size() == 4);
    CHECK(steps[2]["name"] == Value("service:web"));
    CHECK(steps[2]["status"] == Value("success"));
    CHECK(steps[3]["status"] == Value("success"));
}

TEST_CASE("the job does not begin before its services are ready") {
    Scene scene("    services:\n"
                "      slow: {image: box, command: 'sleep 0.3; touch /tmp/up; exec sleep 1000', ready: 'test -e /tmp/up'}\n"
                "    image: box\n    commands: ['echo first step']\n");
    if (scene.cannot()) return;
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    const auto log = scene.logs();
    CHECK(log.find("is ready after") < log.find("first step"));
}

TEST_CASE("a service that ends, or does not become ready, ends the job and says why") {
    const auto end_of = [](const std::string& service, std::vector<std::string> parts) {
        Scene scene("    services: {bad: " + service + "}\n    commands: ['echo never']\n");
        if (scene.cannot()) return;
        const auto outcome = scene.run();
        INFO(outcome.out, outcome.err);
        CHECK(outcome.code == 3);
        const auto job = scene.job();
        CHECK(job["status"] == Value("failed"));
        CHECK(job["endReason"] == Value("infra"));
        CHECK(!contains(scene.logs(), "never\n"));
        for (const auto& part : parts) CHECK_MESSAGE(contains(job["message"].as_string(), part), job["message"].as_string());
    };
    end_of("{image: box, command: 'echo going down >&2; exit 3', ready: 'false'}", {"service 'bad' ended with exit code 3 before it was ready", "going down"});
    end_of("{command: 'kill -9 $$', ready: 'false'}", {"service 'bad' was killed by signal 9"});
    end_of("{command: 'sleep 1000', ready: 'echo not yet; exit 1', readyTimeout: 300ms}", {"did not become ready within 300ms", "not yet"});
    end_of("{command: [no-such-program-here], ready: 'true'}", {"service 'bad' cannot start 'no-such-program-here'"});
}

TEST_CASE("a service that dies while the steps run ends the job") {
    const std::string marker = "die-" + std::to_string(::getpid());
    Scene scene("    services: {db: {command: 'until test -e /tmp/" + marker + "; do sleep 0.05; done', ready: 'true'}}\n"
                "    commands: ['echo begun; sleep 1000']\n");
    if (scene.cannot()) return;
    const auto started = scene.run({"--detach"});
    REQUIRE(started.code == 0);
    REQUIRE(eventually([&] { return contains(scene.logs(), "begun"); }));
    for (const int pid : processes_of(marker)) ::kill(pid, SIGKILL);
    REQUIRE(eventually([&] { return scene.job()["status"] == Value("failed"); }));
    CHECK(scene.job()["endReason"] == Value("infra"));
    CHECK(contains(scene.job()["message"].as_string(), "service 'db' was killed by signal 9"));
}

TEST_CASE("services are stopped in reverse order, when the steps have ended") {
    const std::string patient = "trap \"echo stopped NAME; exit 0\" TERM; echo up NAME; while :; do sleep 0.02; done";
    const auto named = [&](std::string name) {
        auto text = patient;
        for (auto at = text.find("NAME"); at != std::string::npos; at = text.find("NAME")) text.replace(at, 4, name);
        return text;
    };
    Scene scene("    services:\n      one: {image: box, command: '" + named("one") + "', ready: 'true'}\n      two: {command: '" + named("two") +
                "', ready: 'true'}\n    commands: ['echo the step']\n");
    if (scene.cannot()) return;
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    const auto log = scene.logs();
    INFO(log);
    CHECK(log.find("the step") < log.find("stopped two"));
    CHECK(log.find("stopped two") < log.find("stopped one"));
    CHECK(contains(log, "stopped one"));
}

TEST_CASE("whatever is cancelled or killed, nothing of the services stays; a daemon's death they do not notice") {
    const std::string marker = "87654321." + std::to_string(::getpid());
    Scene scene("    services:\n      one: {image: box, command: 'sleep " + marker + "; true'}\n"
                "      two: {command: [sleep, '" + marker + "']}\n    commands: ['echo begun; until test -e go; do sleep 0.05; done; echo ended']\n" +
                "workspace: shared\n");
    if (scene.cannot()) return;
    REQUIRE(scene.run({"--detach"}).code == 0);
    REQUIRE(eventually([&] { return contains(scene.logs(), "begun"); }));
    CHECK(processes_of(marker).size() >= 2);

    SUBCASE("the daemon is killed: job and services go on") {
        scene.world.kill_daemon();
        scene.world.start_daemon();
        CHECK(processes_of(marker).size() >= 2);
        write_file(scene.world.shared_workspace("run-1") / "go", "");
        CHECK(eventually([&] { return scene.job()["status"] == Value("success"); }));
        CHECK(contains(scene.logs(), "ended"));
    }
    SUBCASE("the job is cancelled") {
        CHECK(scene.world.cicdctl({"job", "cancel", "job-1"}).code == 0);
        CHECK(eventually([&] { return scene.job()["status"] == Value("cancelled"); }));
    }
    SUBCASE("the runner is killed") {
        ::kill(runner_of(scene.world), SIGKILL);
        CHECK(eventually([&] { return scene.job()["endReason"] == Value("lost"); }));
    }
    CHECK(eventually([&] { return processes_of(marker).empty(); }));
    CHECK(eventually([&] { return !fs::exists(scene.world.state() / "jobs/job-1/1/workspace"); }));
}

TEST_CASE("services count to the job's memory, and share a way out where the job has one") {
    SUBCASE("memory") {
        Scene scene("    resources: {memory: 64Mi}\n    services: {eater: {command: 'until test -e /tmp/go; do sleep 0.02; done; exec tail /dev/zero', ready: 'touch /tmp/go'}}\n"
                    "    commands: ['sleep 1000']\n");
        if (scene.cannot()) return;
        if (contains(scene.world.cicdctl({"status", "-o", "json"}).out, "rlimits")) {
            MESSAGE("skipped: no control groups can be made here");
            return;
        }
        const auto outcome = scene.run();
        INFO(outcome.out, outcome.err);
        CHECK(scene.job()["status"] == Value("failed"));
        // Where the kernel takes the whole group, the job's own end is told.
        const bool alone = contains(scene.job()["message"].as_string(), "service 'eater' was killed by signal 9");
        CHECK((alone || scene.job()["endReason"] == Value("oom")));
    }
    SUBCASE("way out") {
        Scene scene("    services: {one: {command: [sleep, '1000']}}\n    jobs: {out: {network: host, steps: ['cat /proc/net/dev /etc/resolv.conf || true']}}\n");
        if (scene.cannot()) return;
        const auto plan = scene.world.cicdctl({"plan"}, scene.world.in(scene.repository.path()));
        const bool can = fs::exists("/usr/bin/slirp4netns") && ::access("/dev/net/tun", R_OK | W_OK) == 0;
        const auto outcome = scene.run();
        INFO(plan.out, plan.err, outcome.out, outcome.err);
        CHECK(outcome.code == 0);
        if (can) {
            CHECK(contains(outcome.out, "tap0"));
            CHECK(contains(outcome.out, "nameserver 10.0.2.3"));
        } else {
            MESSAGE("slirp4netns or /dev/net/tun is missing: only the refusal is tested");
            CHECK(contains(outcome.out, "the job and its services reach only each other"));
        }
    }
}

TEST_CASE("the way out goes with the runner, and a service that does not want to end is killed") {
    const std::string marker = "87654322." + std::to_string(::getpid());
    Scene scene("    services: {one: {command: 'trap \"\" TERM; sleep " + marker + "; sleep " + marker + "'}}\n"
                "    jobs: {out: {network: host, steps: ['echo begun; sleep 1000']}}\n");
    if (scene.cannot()) return;
    REQUIRE(scene.run({"--detach"}).code == 0);
    REQUIRE(eventually([&] { return contains(scene.logs(), "begun"); }));
    const auto parent = "PPid:\t" + std::to_string(runner_of(scene.world)) + "\n";
    std::vector<int> children = processes_of("slirp4netns");
    std::erase_if(children, [&](int pid) { return !contains(read_file("/proc/" + std::to_string(pid) + "/status"), parent); });
    SUBCASE("cancelled") {
        CHECK(scene.world.cicdctl({"job", "cancel", "job-1"}).code == 0);
        CHECK(eventually([&] { return scene.job()["status"] == Value("cancelled"); }));
    }
    SUBCASE("killed") {
        ::kill(runner_of(scene.world), SIGKILL);
        CHECK(eventually([&] { return scene.job()["endReason"] == Value("lost"); }));
    }
    CHECK(eventually([&] { return processes_of(marker).empty(); }));
    CHECK(eventually([&] {
        return std::none_of(children.begin(), children.end(), [](int pid) { return contains(read_file("/proc/" + std::to_string(pid) + "/cmdline"), "slirp"); });
    }));
}

TEST_CASE("what cannot be had of services is refused with what to do instead") {
    const auto problem_of = [](const std::string& job) {
        Scene scene(job);
        return scene.world.cicdctl({"plan"}, scene.world.in(scene.repository.path())).err;
    };
    CHECK(contains(problem_of("    services: {db: {command: 'x', ports: ['8080:80']}}\n    commands: ['true']\n"), "reach it at localhost:80"));
    CHECK(contains(problem_of("    executor: host\n    services: {db: {command: 'x'}}\n    commands: ['true']\n"), "has no network of its own"));
    CHECK(contains(problem_of("    services: {db: {env: {A: b}}}\n    commands: ['true']\n"), "neither an image nor a command"));
}

TEST_CASE("a real Redis") {
    const fs::path server = packaged_program("redis-server");
    if (!fs::exists(server)) {
        MESSAGE("skipped: there is no redis-server here");
        return;
    }
    Scene scene("    services: {redis: {image: box, command: [redis-server, --port, '6379', --save, ''], ready: redis-cli ping}}\n"
                "    image: box\n    commands: ['redis-cli -h redis set answer 42; redis-cli -h redis get answer']\n",
                {busybox_layer(), program_layer({server, server.parent_path() / "redis-cli"})});
    if (scene.cannot()) return;
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "] 42\n"));
    CHECK(contains(scene.logs({"--step", "service:redis"}), "Ready to accept connections"));
}

TEST_CASE("a real PostgreSQL") {
    const auto server = postgresql();
    if (!server) {
        MESSAGE("skipped: there is no PostgreSQL server here");
        return;
    }
    Scene scene("    services:\n      db:\n        image: box\n        user: app\n        readyTimeout: 2m\n"
                "        command: 'initdb -D /tmp/db -A trust --no-locale -E UTF8 -U postgres >/dev/null && exec postgres -D /tmp/db -k /tmp -c fsync=off -c jit=off'\n"
                "        ready: pg_isready -h 127.0.0.1 -U postgres\n"
                "    image: {name: box, user: app}\n    commands: ['psql -h db -U postgres -Atc \"select 6*7\"']\n",
                {busybox_layer(), server->layer}, server->config);
    if (scene.cannot()) return;
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err, scene.logs());
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "] 42\n"));
}
