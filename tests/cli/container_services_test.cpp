#include "tests/support/engine_scene.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <string>

using namespace cicd;
using namespace cicd::test;

// Services of jobs in containers, by a real engine: as in the sandbox, for whoever writes or reads of them.
namespace {

namespace fs = std::filesystem;

struct Scene : EngineScene {
    /// `job`: the keys of the one job, indented by four.
    explicit Scene(const std::string& job, TestEngine::Kind kind = TestEngine::Kind::podman)
        : EngineScene({{".cicd.yaml", "name: p\nstages:\n  - name: a\n    executor: container\n    image: localhost/box:1\n    network: none\n" + job},
                       {"note", "noted\n"}}, kind) {}
    int runner() { return std::stoi(read_file(world.state() / "jobs/job-1/1/pid")); }
    std::vector<int> holders() { return processes_with_argument((world.state() / "jobs/job-1/1").string()); }
};

void reaches_its_services(TestEngine::Kind kind) {
    Scene scene("    services:\n"
                "      web: {image: localhost/web:1, env: {TEXT: 'of the ${{ params.what }}', PASS: '${{ secrets.PASS }}'}, ready: 'wget -q -O - http://localhost:8080/ >/dev/null'}\n"
                "      files: {command: [httpd, -f, -p, '9000'], ready: 'wget -q -O - http://files:9000/note >/dev/null'}\n"
                "      other: {image: localhost/web:1, user: '1234', command: 'echo \"$(id -u) $FROM_IMAGE in $PWD\"; exec sleep 1000'}\n"
                "    jobs:\n"
                "      client: {steps: ['wget -q -O - http://web:8080/; wget -q -O - http://files:9000/note', 'cat /proc/net/dev; id -u']}\n"
                "parameters: {what: {type: string, default: service}}\n", kind);
    // As its maker meant it: an entrypoint, and what it is given.
    const auto script = "#!/bin/sh\nmkdir -p /www; echo \"$TEXT\" > /www/index.html; echo \"pass is $PASS, started in $PWD\"; exec httpd -f -p \"$1\" -h /www\n";
    auto entry = Tar().folder("srv").file("bin/serve", script, 0755).bytes();
    entry.resize(entry.size() - 1024);  // two empty blocks end a tar
    write_file(scene.engine.folder() / "web.tar", entry + busybox_layer());
    REQUIRE(scene.engine.command({"import", "--change", "ENTRYPOINT [\"/bin/serve\"]", "--change", "CMD [\"8080\"]", "--change", "WORKDIR /srv", "--change",
                                  "ENV FROM_IMAGE=given", (scene.engine.folder() / "web.tar").string(), "localhost/web:1"}).code == 0);
    RunOptions input;
    input.input = "hidden-word-77";
    REQUIRE(scene.world.cicdctl({"secret", "set", "PASS"}, input).code == 0);
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err, scene.logs());
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "of the service"));
    CHECK(contains(outcome.out, "noted"));
    CHECK(!contains(outcome.out, "eth0"));
    const auto of_web = scene.logs("job-1", {"--step", "service:web"});
    CHECK(contains(of_web, "pass is ***, started in /srv"));
    CHECK(contains(of_web, "service 'web' is ready after"));
    CHECK(!contains(of_web, "noted"));
    CHECK(contains(scene.logs("job-1", {"--step", "service:other"}), "1234 given in /srv"));
    CHECK(!contains(scene.logs(), "hidden-word-77"));
    const auto steps = scene.job()["steps"].as_array();
    REQUIRE(steps.size() == 5);
    CHECK(steps[2]["name"] == Value("service:web"));
    for (const auto& step : steps) CHECK(step["status"] == Value("success"));
    CHECK(scene.is_clean());
}

}  // namespace

TEST_CASE("a job in a container reaches its services by name; their output is theirs in the log, and secrets in it are hidden") {
    if (!has_no_podman()) reaches_its_services(TestEngine::Kind::podman);
}

TEST_CASE("a job in a container of Docker reaches its services by name; of a killed runner nothing stays") {
    if (const auto why = why_no_docker(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    reaches_its_services(TestEngine::Kind::docker);
    Scene scene("    services: {one: {image: localhost/box:1, command: [sleep, '1000']}, two: {command: 'sleep 1000'}}\n    commands: ['echo begun; sleep 1000']\n",
                TestEngine::Kind::docker);
    REQUIRE(scene.run({"--detach"}).code == 0);
    REQUIRE(eventually([&] { return contains(scene.logs(), "begun"); }));
    CHECK(scene.engine.containers().size() == scene.before.size() + 3);
    kill_together(scene.holders());
    CHECK(eventually([&] { return scene.job()["endReason"] == Value("lost"); }));
    CHECK(scene.is_clean());
}

TEST_CASE("services in containers are stopped in reverse order, when the steps have ended") {
    if (has_no_podman()) return;
    const auto patient = [](const std::string& name) {
        return "trap \"echo stopped " + name + "; exit 0\" TERM; echo up; while :; do sleep 0.02; done";
    };
    Scene scene("    services:\n      one: {image: localhost/box:1, command: '" + patient("one") + "', ready: 'true'}\n      two: {command: '" + patient("two") +
                "', ready: 'true'}\n    commands: ['echo the step']\n");
    const auto outcome = scene.run();
    const auto log = scene.logs();
    INFO(outcome.out, outcome.err, log);
    CHECK(outcome.code == 0);
    CHECK(log.find("the step") < log.find("stopped two"));
    CHECK(log.find("stopped two") < log.find("stopped one"));
    CHECK(contains(log, "stopped one"));
    CHECK(scene.is_clean());
}

TEST_CASE("a service in a container that ends, is not ready in time or cannot be had ends the job and says why") {
    if (has_no_podman()) return;
    const auto end_of = [](const std::string& service, std::vector<std::string> parts) {
        Scene scene("    services: {good: {command: [sleep, '1000']}, bad: " + service + "}\n    commands: ['echo never']\n");
        const auto outcome = scene.run();
        INFO(outcome.out, outcome.err);
        CHECK(outcome.code == 3);
        const auto job = scene.job();
        CHECK(job["endReason"] == Value("infra"));
        CHECK(!contains(scene.logs(), "never\n"));
        for (const auto& part : parts) CHECK_MESSAGE(contains(job["message"].as_string(), part), job["message"].as_string());
        CHECK(scene.is_clean());
    };
    end_of("{image: localhost/box:1, command: 'echo going down >&2; exit 3', ready: 'false'}", {"service 'bad' ended with exit code 3 before it was ready", "going down"});
    end_of("{command: 'sleep 1000', ready: 'echo not yet; exit 1', readyTimeout: 300ms}", {"did not become ready within 300ms", "not yet"});
    end_of("{command: [no-such-program-here], ready: 'true'}", {"service 'bad' cannot start 'no-such-program-here'"});
    end_of("{image: localhost/box:1}", {"service 'bad' has nothing to run"});
}

TEST_CASE("whoever is killed or cancelled, no container of a service stays; a daemon's death they do not notice") {
    if (has_no_podman()) return;
    Scene scene("    services: {one: {image: localhost/box:1, command: [sleep, '1000']}, two: {command: 'trap \"\" TERM; sleep 1000; sleep 1000'}}\n"
                "    commands: ['echo begun; until test -e go; do sleep 0.05; done; echo ended']\nworkspace: shared\n");
    REQUIRE(scene.run({"--detach"}).code == 0);
    REQUIRE(eventually([&] { return contains(scene.logs(), "begun"); }));
    CHECK(scene.engine.containers().size() == scene.before.size() + 3);
    SUBCASE("the daemon: job and services go on") {
        scene.world.kill_daemon();
        scene.world.start_daemon();
        CHECK(scene.engine.containers().size() == scene.before.size() + 3);
        write_file(scene.world.shared_workspace("run-1") / "go", "");
        CHECK(eventually([&] { return scene.job()["status"] == Value("success"); }));
    }
    SUBCASE("the job is cancelled") {
        CHECK(scene.world.cicdctl({"job", "cancel", "job-1"}).code == 0);
        CHECK(eventually([&] { return scene.job()["status"] == Value("cancelled"); }));
    }
    SUBCASE("the runner") {
        ::kill(scene.runner(), SIGKILL);
        CHECK(eventually([&] { return scene.job()["endReason"] == Value("lost"); }));
    }
    SUBCASE("the runner and all that watch it") {
        kill_together(scene.holders());
        CHECK(eventually([&] { return scene.job()["endReason"] == Value("lost"); }));
    }
    SUBCASE("everybody, the daemon too") {
        scene.world.kill_daemon();
        kill_together(scene.holders());
        CHECK(scene.engine.containers().size() == scene.before.size() + 3);
        scene.world.start_daemon();
        CHECK(eventually([&] { return scene.job()["endReason"] == Value("lost"); }));
    }
    SUBCASE("a service's container") {
        const auto named = scene.engine.command({"ps", "--quiet", "--filter", "label=io.cicd.service=one"}).out;
        REQUIRE(scene.engine.command({"kill", named.substr(0, named.find('\n'))}).code == 0);
        CHECK(eventually([&] { return scene.job()["endReason"] == Value("infra"); }));
        CHECK(contains(scene.job()["message"].as_string(), "service 'one'"));
    }
    CHECK(scene.is_clean());
    CHECK(eventually([&] { return scene.holders().empty(); }));
}

TEST_CASE("a job in a container with services has the engine's own network for a way out, or is told that there is none") {
    if (has_no_podman()) return;
    Scene scene("    services: {web: {command: 'mkdir /tmp/w; echo served > /tmp/w/x; exec httpd -f -p 8080 -h /tmp/w', ready: 'wget -q -O - http://web:8080/x'}}\n"
                "    jobs: {out: {network: host, steps: ['cat /proc/net/dev; wget -q -O - http://web:8080/x']}}\n");
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "served"));
    if (scene.engine.has_network()) {
        CHECK(contains(outcome.out, "eth0"));
    } else {
        MESSAGE("this machine's Podman has no network of its own: only the refusal is tested");
        CHECK(contains(outcome.out, "the job and its services reach only each other"));
        CHECK(!contains(outcome.out, "eth0"));
    }
    CHECK(scene.is_clean());
}

TEST_CASE("a real PostgreSQL beside a job in a container") {
    if (has_no_podman()) return;
    const auto server = postgresql();
    if (!server) {
        MESSAGE("skipped: there is no PostgreSQL server here");
        return;
    }
    Scene scene("    services:\n      db:\n        image: mine\n        user: app\n        readyTimeout: 2m\n"
                "        command: 'initdb -D /tmp/db -A trust --no-locale -E UTF8 -U postgres >/dev/null && exec postgres -D /tmp/db -k /tmp -c fsync=off -c jit=off'\n"
                "        ready: pg_isready -h 127.0.0.1 -U postgres\n"
                "    jobs: {ask: {image: mine, steps: ['psql -h db -U postgres -Atc \"select 6*7\"']}}\n");
    write_oci_layout(scene.world.folder() / "layout", {{busybox_layer(), server->layer, Tar().folder("tmp", 01777).bytes()},
                                                       server->config, ""});
    REQUIRE(scene.world.cicdctl({"image", "import", "mine", (scene.world.folder() / "layout").string()}).code == 0);
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err, scene.logs());
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "] 42\n"));
    CHECK(scene.is_clean());
}
