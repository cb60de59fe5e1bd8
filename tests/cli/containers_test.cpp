#include "tests/support/engine_scene.hpp"
#include "tests/support/ordinary_user.hpp"
#include "tests/support/registry.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>

using namespace cicd;
using namespace cicd::test;

// Jobs of the executor `container`, by real engines.
namespace {

std::string stage(const std::string& job) { return "name: p\nstages:\n  - name: a\n    executor: container\n" + job; }

struct Scene : EngineScene {
    explicit Scene(const std::string& yaml, TestEngine::Kind kind = TestEngine::Kind::podman)
        : EngineScene({{".cicd.yaml", yaml}, {"note", "noted\n"}}, kind) {}
    int runner(const std::string& job = "job-1") {
        std::ifstream file(world.state() / "jobs" / job / "1/pid");
        int pid = 0;
        file >> pid;
        return pid;
    }
};

void sees_its_image(TestEngine::Kind kind) {
    Scene scene(stage("    image: localhost/box:1\n    network: none\n    env: {GIVEN: \"with 'quotes' and $dollars\"}\n    steps:\n"
                      "      - cat /etc/image-file note; pwd; echo \"is $GIVEN $CI $HOME\"; echo made > made\n"
                      "      - {id: two, run: 'echo \"LATER=yes\" >> \"$CICD_ENV\"; echo \"out=$(hostname)\" >> \"$CICD_OUTPUT\"; echo to-stderr >&2'}\n"
                      "      - 'echo \"$LATER ${{ steps.two.outputs.out }} $(cat made)\"; (sleep 1000 &) ; echo in the background'\n"
                      "      - 'test ! -e /usr/bin/git && test ! -S /run/.cicd/place/socket && ! touch /run/.cicd/place/x 2>/dev/null && echo alone'\n"
                      "    artifacts: [{name: it, paths: [made]}]\n"),
                kind);
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    for (const auto* line : {"of the image", "noted", "/workspace", "is with 'quotes' and $dollars true /root", "yes ci made", "alone", "to-stderr"})
        CHECK_MESSAGE(contains(outcome.out, line), line);
    CHECK(scene.is_clean());
    CHECK(eventually([&] { return !std::filesystem::exists(scene.world.state() / "jobs/job-1/1/workspace"); }));
    CHECK(scene.world.json({"artifact", "list"})["data"].as_array().size() == 1);
    // Pinned when the run began.
    CHECK(contains(scene.job()["image"].as_string(), "localhost/box:1@sha256:"));
    CHECK(scene.job()["usage"]["peakMemory"].as_number() > 0);
}

}  // namespace

TEST_CASE("a job in a container sees its image, its workspace and what steps say, and leaves nothing") {
    if (has_no_podman()) return;
    sees_its_image(TestEngine::Kind::podman);
}

TEST_CASE("the same by Docker") {
    if (const auto why = why_no_docker(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    sees_its_image(TestEngine::Kind::docker);
}

TEST_CASE("how jobs in containers end is told as of any other, and nothing of them stays") {
    if (has_no_podman()) return;
    Scene scene("name: p\nstages:\n  - name: a\n    executor: container\n    image: localhost/box:1\n    network: none\n    jobs:\n"
                "      fails: {steps: ['exit 7']}\n"
                "      late: {timeout: 1s, steps: ['sleep 1000']}\n"
                "      large: {resources: {memory: 32Mi}, steps: ['dd if=/dev/zero of=/dev/null bs=200M count=1; exit 9']}\n"
                "      many: {resources: {pids: 20}, steps: ['for i in $(seq 40); do sleep 1000 & done; exit 5']}\n"
                "      full: {resources: {storage: 8Mi}, steps: ['dd if=/dev/zero of=large bs=1M count=64']}\n"
                "      user: {image: {name: localhost/box:1, user: '1234:5678'}, steps: ['echo \"is $(id -u):$(id -g)\"; touch mine && echo wrote']}\n");
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 1);
    const auto jobs = scene.world.json({"show", "run-1"})["jobs"].as_array();
    CHECK(jobs[0]["exitCode"] == Value(7));
    CHECK(jobs[1]["endReason"] == Value("timeout"));
    CHECK(jobs[2]["endReason"] == Value("oom"));
    CHECK(contains(jobs[2]["message"].as_string(), "of 32.0 MiB"));
    CHECK(jobs[3]["status"] == Value("failed"));
    CHECK(jobs[4]["status"] == Value("failed"));
    CHECK(jobs[5]["status"] == Value("success"));
    CHECK(contains(outcome.out, "is 1234:5678"));
    CHECK(contains(outcome.out, "wrote"));
    CHECK(scene.is_clean());
}

TEST_CASE("a job in a container outlives its daemon; cancelling ends it and leaves nothing") {
    if (has_no_podman()) return;
    Scene scene("name: p\nworkspace: shared\nstages:\n  - name: a\n    executor: container\n    image: localhost/box:1\n    network: none\n    jobs:\n"
                "      long: {steps: ['echo begun; until test -e go; do sleep 0.05; done; echo ended']}\n"
                "      other: {steps: ['trap \"echo asked; exit 1\" TERM; echo waiting; while true; do sleep 0.05; done']}\n");
    REQUIRE(scene.run({"--detach"}).code == 0);
    REQUIRE(eventually([&] { return contains(scene.logs("job-1"), "begun") && contains(scene.logs("job-2"), "waiting"); }));
    CHECK(scene.engine.containers().size() == 2);
    scene.world.kill_daemon();
    scene.world.start_daemon();
    // Those that live are not taken for leavings.
    write_file(scene.world.shared_workspace("run-1") / "go", "");
    CHECK(eventually([&] { return scene.job("job-1")["status"] == Value("success"); }));
    CHECK(contains(scene.logs("job-1"), "ended"));
    CHECK(scene.world.cicdctl({"job", "cancel", "job-2"}).code == 0);
    CHECK(eventually([&] { return scene.job("job-2")["status"] == Value("cancelled"); }));
    CHECK(contains(scene.logs("job-2"), "asked"));
    CHECK(scene.is_clean());
}

TEST_CASE("whoever is killed, no container stays") {
    if (has_no_podman()) return;
    Scene scene(stage("    image: localhost/box:1\n    network: none\n    steps: ['echo begun; sleep 1000']\n"));
    const auto begin = [&](const std::string& job) {
        REQUIRE(scene.run({"--detach"}).code == 0);
        REQUIRE(eventually([&] { return contains(scene.logs(job), "begun"); }));
        CHECK(scene.engine.containers().size() == scene.before.size() + 1);
    };
    const auto helper = [&](const std::string& job) {
        return processes_with_argument((scene.world.state() / "jobs" / job / "1").string());
    };
    SUBCASE("the runner") {
        begin("job-1");
        ::kill(scene.runner("job-1"), SIGKILL);
        CHECK(eventually([&] { return scene.job("job-1")["endReason"] == Value("lost"); }));
    }
    SUBCASE("the runner and who watches it") {
        begin("job-1");
        kill_together(helper("job-1"));
        CHECK(eventually([&] { return scene.job("job-1")["endReason"] == Value("lost"); }));
    }
    SUBCASE("everybody, the daemon too") {
        begin("job-1");
        scene.world.kill_daemon();
        kill_together(helper("job-1"));
        CHECK(scene.engine.containers().size() == scene.before.size() + 1);
        scene.world.start_daemon();
        CHECK(eventually([&] { return scene.job("job-1")["endReason"] == Value("lost"); }));
    }
    SUBCASE("the container") {
        begin("job-1");
        REQUIRE(scene.engine.command({"kill", scene.engine.containers().front()}).code == 0);
        CHECK(eventually([&] { return scene.job("job-1")["endReason"] == Value("infra"); }));
        CHECK(contains(scene.job("job-1")["message"].as_string(), "the container ended before its job"));
    }
    SUBCASE("who serves the engine: the job does not notice, and is cleaned up by the next") {
        begin("job-1");
        scene.engine.stop();
        scene.engine.start();
        CHECK(scene.job("job-1")["status"] == Value("running"));
        CHECK(scene.world.cicdctl({"job", "cancel", "job-1"}).code == 0);
        CHECK(eventually([&] { return scene.job("job-1")["status"] == Value("cancelled"); }));
    }
    CHECK(scene.is_clean());
    CHECK(eventually([&] { return helper("job-1").empty(); }));
}

TEST_CASE("images that this machine has are given to the engine that lacks them") {
    if (has_no_podman()) return;
    Scene scene("name: p\nstages:\n  - {name: a, executor: container, image: mine, commands: ['cat /etc/image-file; echo \"is $FROM_IMAGE\"; id -u']}\n"
                "  - {name: b, executor: container, image: 'oci:images/box', commands: [cat /etc/image-file]}\n");
    const auto digest = write_oci_layout(scene.world.folder() / "layout", {{busybox_layer()}, R"({"Env":["FROM_IMAGE=a \"b\" $c"]})", ""});
    REQUIRE(scene.world.cicdctl({"image", "import", "mine", (scene.world.folder() / "layout").string()}).code == 0);
    write_oci_layout(scene.repository.path() / "images/box", {{busybox_layer(), Tar().file("etc/image-file", "of the repository\n").bytes()}, "{}", ""});
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "giving the image mine:latest@" + digest + " to Podman"));
    CHECK(contains(outcome.out, "is a \"b\" $c"));
    CHECK(contains(outcome.out, "of the repository"));
    CHECK(scene.job()["image"] == Value("mine:latest@" + digest));
    // The second time it is there.
    CHECK(!contains(scene.run().out, "giving the image"));
    CHECK(scene.is_clean());
}

TEST_CASE("an image of a registry that wants a login comes with a secret's, which nobody reads") {
    if (has_no_podman()) return;
    if (TestRegistry::is_missing()) return;
    Scene scene("");
    const TestRegistry registry(scene.world.folder());
    const auto image = registry.give("team/box:1");
    scene.engine.trust(registry.address());
    RunOptions input;
    input.input = "someone:pass word:1\n";
    REQUIRE(scene.world.cicdctl({"secret", "set", "LOGIN"}, input).code == 0);
    scene.repository.write(".cicd.yaml", "name: p\nstages:\n  - {name: a, image: {name: '" + image + "', credentials: LOGIN}, commands: [cat /etc/image-file, 'printf \"%s %s.\" pass \"word:1\"']}\n");
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "pulling the image " + image));
    CHECK(contains(outcome.out, "it is sha256:"));
    CHECK(contains(outcome.out, "of the registry"));
    CHECK(!contains(outcome.out, "pass word:1"));
    CHECK(cicd::test::run({"grep", "-r", "-l", "pass word:1", (scene.world.state() / "jobs").string()}).code == 1);

    CHECK(eventually([&] { return scene.engine.command({"rmi", image}).code == 0; }));  // the job's container goes after its end is told
    input.input = "someone:wrong\n";
    REQUIRE(scene.world.cicdctl({"secret", "set", "LOGIN"}, input).code == 0);
    const auto refused = scene.run();
    CHECK(refused.code == 3);
    CHECK(contains(refused.out + refused.err, "cannot be had from its registry"));
    CHECK(contains(refused.out + refused.err, "credentials: SECRET"));
    CHECK(scene.is_clean());
}

TEST_CASE("an entrypoint goes before the job; one that ends is told with its words") {
    if (has_no_podman()) return;
    Scene scene(stage("    image: {name: localhost/box:2, entrypoint: '/bin/entry point'}\n    commands: ['echo \"$PREPARED by $$\"']\n"));
    auto entry = Tar().file("bin/entry", "#!/bin/sh\ntest \"$1\" = point || { echo 'that is no point' >&2; exit 4; }\nshift\nexport PREPARED=prepared\nexec \"$@\"\n", 0755).bytes();
    entry.resize(entry.size() - 1024);  // two empty blocks end a tar
    scene.engine.give_image("localhost/box:2", entry + busybox_layer());
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "prepared by"));
    scene.repository.write(".cicd.yaml", stage("    image: {name: localhost/box:2, entrypoint: '/bin/entry other'}\n    commands: ['true']\n"));
    const auto refused = scene.run();
    CHECK(refused.code == 3);
    CHECK(contains(refused.out + refused.err, "that is no point"));
    CHECK(contains(refused.out + refused.err, "exit code 4"));
    CHECK(scene.is_clean());
}

TEST_CASE("without an engine, or without the image, it is said what to do") {
    if (!has_busybox()) return;
    GitRepository repository{{".cicd.yaml", stage("    image: localhost/none:1\n    commands: ['true']\n")}};
    const auto refused = [&](const std::string& engine, const std::string& docker_host, const std::string& why) {
        World world;
        write_file(world.config() / "config.yaml", "engine: " + engine + "\n");
        auto options = world.in(repository.path());
        options.env["DOCKER_HOST"] = docker_host;
        const auto outcome = world.cicdctl({"run"}, options);
        INFO(engine, docker_host, outcome.out, outcome.err);
        CHECK(outcome.code == 2);
        CHECK(contains(outcome.err, why));
        const auto doctor = world.cicdctl({"doctor"}, options);
        CHECK(contains(doctor.out, "engine"));
        CHECK(contains(doctor.out, why));
    };
    refused("none", "", "engine: none");
    refused("unix:///nowhere/at.all", "", "nobody answers at /nowhere/at.all");
    refused("auto", "tcp://127.0.0.1:2375", "only engines on a Unix socket");
    refused("auto", "ssh://me@there", "only engines on a Unix socket");
    World world;
    write_file(world.config() / "config.yaml", "engine: kubernetes\n");
    CHECK(contains(world.cicdctl({"run"}, world.in(repository.path())).err, "'engine' must be"));
    // What only an engine does asks for one by itself.
    write_file(world.config() / "config.yaml", "engine: none\n");
    repository.write(".cicd.yaml", "name: p\nstages:\n  - {name: a, image: {name: x, entrypoint: /e}, commands: ['true']}\n");
    CHECK(contains(world.cicdctl({"run"}, world.in(repository.path())).err, "engine: none"));
    repository.write(".cicd.yaml", "name: p\nstages:\n  - {name: a, executor: rootfs, image: {name: x, entrypoint: /e}, commands: ['true']}\n");
    CHECK(contains(world.cicdctl({"run"}, world.in(repository.path())).err, "image.entrypoint"));
    repository.write(".cicd.yaml", "name: p\nstages:\n  - {name: a, executor: container, commands: ['true']}\n");
    CHECK(contains(world.cicdctl({"run"}, world.in(repository.path())).err, "no image for the executor 'container'"));
}

TEST_CASE("Podman's service is started where nobody serves it, and an image that is nowhere is told") {
    if (has_no_podman()) return;
    if (std::filesystem::exists("/run/podman/podman.sock")) {
        MESSAGE("skipped: this machine's own Podman is served");
        return;
    }
    TestEngine engine;  // for its configuration
    engine.stop();
    World world;
    GitRepository repository{{".cicd.yaml", stage("    image: {name: 'localhost/none:1', pull: never}\n    commands: ['true']\n")}};
    auto options = world.in(repository.path());
    for (const auto& [name, value] : engine.env()) options.env[name] = value;
    const auto runtime = engine.folder() / "runtime";
    options.env["XDG_RUNTIME_DIR"] = runtime.string();
    options.env["DOCKER_HOST"] = "";
    write_file(world.config() / "config.yaml", "engine: podman\n");
    const auto doctor = world.cicdctl({"doctor"}, options);
    INFO(doctor.out, doctor.err);
    CHECK(contains(doctor.out, "Podman"));
    CHECK(contains(doctor.out, (runtime / "podman/podman.sock").string()));
    const auto outcome = world.cicdctl({"run"}, options);
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.err, "is neither known to Podman"));
    for (const int pid : processes_with_argument("unix://" + (runtime / "podman/podman.sock").string())) ::kill(pid, SIGTERM);
}

TEST_CASE("an ordinary user's Podman needs no root, and is started when a job needs it") {
    if (has_no_podman()) return;
    if (const auto why = OrdinaryUser::why_not(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    const OrdinaryUser user(OrdinaryUser::Ids::some);
    const GitRepository repository{{".cicd.yaml", stage("    image: localhost/box:1\n    network: none\n    commands: ['cat note; id -u; echo made > made; hostname']\n")}, {"note", "noted\n"}};
    const TempDir folder;
    write_file(folder / "layer.tar", busybox_layer());
    write_file(folder / "containers.conf", "[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n");
    write_file(folder / "storage.conf", "[storage]\ndriver = \"overlay\"\n");
    user.give(repository.path(), "repository");
    user.give(folder.path(), "files");
    const auto outcome = user.sh("export CONTAINERS_CONF=$HOME/files/containers.conf CONTAINERS_STORAGE_CONF=$HOME/files/storage.conf; podman import -q files/layer.tar localhost/box:1 >/dev/null;"
                                 " cd repository; \"$cicdctl\" doctor | grep engine; \"$cicdctl\" run; echo \"ended with $?\";"
                                 " i=0; while test $(podman ps --all --quiet | wc -l) != 0 && test $i -lt 200; do sleep 0.05; i=$((i+1)); done; podman ps --all --quiet | wc -l;"
                                 " \"$cicdctl\" daemon stop; pkill -f \"podman system service.*$HOME/run\"; podman system migrate");
    INFO(outcome.out, outcome.err);
    CHECK(contains(outcome.out, "rootless"));
    CHECK(contains(outcome.out, "] noted\n"));
    CHECK(contains(outcome.out, "] 0\n"));
    CHECK(contains(outcome.out, "] ci\n"));
    CHECK(contains(outcome.out, "ended with 0\n0\n"));
}
