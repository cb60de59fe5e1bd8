#include "tests/support/image.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

// Jobs in an image, by the real programs: no engine, no registry.
namespace {

std::string pipeline(const std::string& job) { return "name: p\nstages:\n  - name: a\n" + job; }

struct Scene {
    explicit Scene(const std::string& yaml, const std::string& config = "{}") : repository{{".cicd.yaml", yaml}, {"note", "noted\n"}} {
        if (!has_busybox()) return;
        digest = write_oci_layout(world.folder() / "layout", {{busybox_layer()}, config, ""});
        const auto imported = world.cicdctl({"image", "import", "box", (world.folder() / "layout").string()});
        INFO(imported.out, imported.err);
        REQUIRE(imported.code == 0);
    }
    Outcome run(std::vector<std::string> more = {}) {
        more.insert(more.begin(), "run");
        return world.cicdctl(more, world.in(repository.path()));
    }
    std::filesystem::path root() const { return world.state() / "images" / digest.substr(7) / "rootfs"; }
    Value job(const std::string& id = "job-1") { return world.json({"show", id}); }
    bool cannot() const {
        const auto why = why_not_in_an_image();
        if (!why.empty()) MESSAGE("skipped: " << why);
        return !why.empty();
    }
    GitRepository repository;
    World world;
    std::string digest;
};

}  // namespace

TEST_CASE("a job sees its image, its workspace, and nothing of this machine") {
    Scene scene(pipeline("    image: box\n    commands:\n"
                         "      - cat /etc/image-file note; pwd; echo \"is $FROM_IMAGE $HOME $CI\"\n"
                         "      - test ! -e /usr/bin/git && test ! -e /etc/shadow && test ! -e /bin/bash\n"
                         "      - echo 'export X=1' > /etc/profile && rm /etc/image-file && echo new > /bin/new && mkdir /made\n"
                         "      - test -c /dev/null && test -d /proc/self && test -w /tmp && echo \"steps share $(cat /bin/new)\"\n"
                         "      - 'echo \"id=$(id -u):$(id -g)\"; echo \"out=$(hostname)\" >> \"$CICD_OUTPUT\"'\n"),
                R"({"Env":["FROM_IMAGE=yes"]})");
    if (scene.cannot()) return;
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    for (const auto* line : {"of the image", "noted", "/workspace", "is yes /root true", "steps share new", "id=0:0"})
        CHECK_MESSAGE(contains(outcome.out, line), line);
    // What it wrote was its own.
    CHECK(read_file(scene.root() / "etc/image-file") == "of the image\n");
    CHECK(!std::filesystem::exists(scene.root() / "bin/new"));
    CHECK(!std::filesystem::exists(scene.root() / "made"));
    CHECK(eventually([&] { return !std::filesystem::exists(scene.world.state() / "jobs/job-1/1/workspace"); }));
    // The digest is the run's.
    CHECK(scene.job()["image"] == Value("box:latest@" + scene.digest));
    CHECK(contains(scene.world.cicdctl({"show", "job-1"}).out, scene.digest));
}

TEST_CASE("a job is the user that the image or the pipeline names") {
    Scene scene("name: p\nstages:\n  - name: a\n    jobs:\n"
                "      theirs: {image: box, steps: ['echo \"theirs $(id -u):$(id -g) $HOME\"; touch $HOME/x note; ls -ln note']}\n"
                "      ours: {image: {name: box, user: '77:88'}, steps: ['echo \"ours $(id -u):$(id -g)\"']}\n",
                R"({"User":"app"})");
    if (scene.cannot()) return;
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "theirs 1234:5678 /home/app"));
    CHECK(contains(outcome.out, "ours 77:88"));
}

TEST_CASE("network none, limits, a timeout and a failure are what they are in the sandbox") {
    Scene scene("name: p\nstages:\n  - name: a\n    jobs:\n"
                "      alone: {image: box, network: none, steps: ['test \"$(ls /sys/class/net 2>/dev/null | wc -l)\" -le 1; cat /proc/net/dev; cat /etc/hosts']}\n"
                "      fails: {image: box, steps: ['exit 7']}\n"
                "      late: {image: box, timeout: 1s, steps: ['sleep 100']}\n"
                "      large: {image: box, resources: {storage: 10Mi}, steps: ['dd if=/dev/zero of=/etc/large bs=1M count=64; sleep 100']}\n");
    if (scene.cannot()) return;
    const auto outcome = scene.run();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 1);
    const auto jobs = scene.world.json({"show", "run-1"})["jobs"].as_array();
    CHECK(jobs[0]["status"] == Value("success"));
    CHECK(!contains(outcome.out, "eth0"));
    CHECK(jobs[1]["exitCode"] == Value(7));
    CHECK(jobs[2]["endReason"] == Value("timeout"));
    CHECK(jobs[3]["endReason"] == Value("policy"));
}

TEST_CASE("a job in an image outlives its daemon, and cancelling it leaves nothing") {
    Scene scene(pipeline("    image: box\n    jobs:\n"
                         "      long: {steps: ['echo begun; until test -e go; do sleep 0.05; done; echo ended']}\n"
                         "      other: {steps: ['echo waiting; sleep 1000']}\n    # of both\n") + "workspace: shared\n");
    if (scene.cannot()) return;
    const auto started = scene.run({"--detach"});
    REQUIRE(started.code == 0);
    const auto logs = [&](const char* job) { return scene.world.cicdctl({"logs", job}).out; };
    REQUIRE(eventually([&] { return contains(logs("job-1"), "begun") && contains(logs("job-2"), "waiting"); }));
    scene.world.kill_daemon();
    scene.world.start_daemon();
    // In use, so it stays.
    CHECK(scene.world.cicdctl({"image", "rm", "box"}).code == 7);
    write_file(scene.world.shared_workspace("run-1") / "go", "");
    CHECK(eventually([&] { return scene.job("job-1")["status"] == Value("success"); }));
    CHECK(contains(logs("job-1"), "ended"));
    CHECK(scene.world.cicdctl({"job", "cancel", "job-2"}).code == 0);
    CHECK(eventually([&] { return scene.job("job-2")["status"] == Value("cancelled"); }));
    CHECK(eventually([&] { return !std::filesystem::exists(scene.world.state() / "jobs/job-2/1/workspace"); }));
    CHECK(scene.world.cicdctl({"image", "rm", "box"}).code == 0);
    CHECK(!std::filesystem::exists(scene.root()));
}

TEST_CASE("all jobs of a run get the image that it began with") {
    Scene scene("name: p\nstages:\n  - {name: first, image: box, commands: ['cat /etc/image-file; until test -e go; do sleep 0.05; done']}\n"
                "  - {name: second, image: box, commands: [cat /etc/image-file]}\nworkspace: shared\n");
    if (scene.cannot()) return;
    REQUIRE(scene.run({"--detach"}).code == 0);
    REQUIRE(eventually([&] { return contains(scene.world.cicdctl({"logs", "job-1"}).out, "of the image"); }));
    write_oci_layout(scene.world.folder() / "newer", {{busybox_layer(), Tar().file("etc/image-file", "newer\n").bytes()}, "{}", ""});
    REQUIRE(scene.world.cicdctl({"image", "import", "box", (scene.world.folder() / "newer").string()}).code == 0);
    write_file(scene.world.shared_workspace("run-1") / "go", "");
    CHECK(scene.world.cicdctl({"watch", "run-1"}).code == 0);
    CHECK(contains(scene.world.cicdctl({"logs", "job-2"}).out, "of the image"));
    CHECK(scene.job("job-2")["image"] == Value("box:latest@" + scene.digest));
    REQUIRE(scene.run({"--param", "x=1"}).code != 0);  // no such parameter: nothing was started
}

TEST_CASE("an image in the repository is the one of the run's revision; what is outside is refused") {
    GitRepository repository{{"README", "x\n"}};
    if (!why_not_in_an_image().empty()) return;
    World world;
    const auto digest = write_oci_layout(repository.path() / "images/box", {{busybox_layer()}, "{}", ""});
    write_docker_archive(repository.path() / "images/saved.tar", {{busybox_layer(), Tar().file("etc/image-file", "saved\n").bytes()}, "{}", ""});
    repository.write(".cicd.yaml", "name: p\nstages:\n  - {name: a, image: 'oci:images/box', commands: [cat /etc/image-file]}\n"
                                   "  - {name: b, image: 'docker-archive:images/saved.tar', commands: [cat /etc/image-file]}\n");
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "of the image"));
    CHECK(contains(outcome.out, "saved"));
    CHECK(world.json({"show", "job-1"})["image"] == Value("oci:images/box@" + digest));

    std::filesystem::create_symlink("/etc", repository.path() / "images/out");
    for (const char* image : {"oci:/etc", "oci:../x", "oci:images/none", "oci:images/out", "docker-archive:images/out/passwd"}) {
        repository.write(".cicd.yaml", std::string("name: p\nstages:\n  - {name: a, image: '") + image + "', commands: ['true']}\n");
        const auto refused = world.cicdctl({"run"}, world.in(repository.path()));
        INFO(image, refused.out, refused.err);
        CHECK(refused.code == 2);
    }
}

TEST_CASE("what cannot be is refused where it stands") {
    Scene scene(pipeline("    image: box\n    commands: ['true']\n"));
    if (scene.cannot()) return;
    const auto refused = [&](const std::string& job, const std::string& why) {
        scene.repository.write(".cicd.yaml", pipeline(job));
        const auto outcome = scene.run();
        INFO(outcome.out, outcome.err);
        CHECK(outcome.code == 2);
        CHECK(contains(outcome.err, why));
    };
    refused("    image: {name: not-here, pull: never}\n    commands: ['true']\n", "there is no image 'not-here:latest'");
    refused("    image: Not A Name\n    commands: ['true']\n", "is no image");
    refused("    image: box\n    executor: sandbox\n    commands: ['true']\n", "does not use");
    refused("    executor: rootfs\n    commands: ['true']\n", "has no image");
    CHECK(scene.world.cicdctl({"image", "show", "nothing"}).code == 5);
    CHECK(scene.world.cicdctl({"image", "import", "x", "/nowhere"}).code == 5);
    CHECK(scene.world.cicdctl({"image", "import", "x", "/etc/hostname"}).code == 2);
    CHECK(scene.world.json({"image", "list"})["data"].as_array().size() == 1);
}

TEST_CASE("a hostile image leads nobody out of its root") {
    GitRepository repository{{".cicd.yaml", pipeline("    image: evil\n    commands: ['cat /etc/hosts; echo ran']\n")}};
    if (!why_not_in_an_image().empty()) return;
    World world;
    write_file(world.folder() / "victim/hosts", "safe\n");
    const auto victim = (world.folder() / "victim").string();
    Tar links;
    links.link("etc/hosts", victim + "/hosts").link("etc/resolv.conf", victim + "/resolv.conf").link("home", victim).link("run", victim)
        .link("tmp", "../../../.." + victim).link("var", victim);
    write_oci_layout(world.folder() / "evil", {{busybox_layer(), links.bytes()}, "{}", ""});
    REQUIRE(world.cicdctl({"image", "import", "evil", (world.folder() / "evil").string()}).code == 0);
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    // Where its links leave no place for the job's own files it is refused; it never runs with the host's.
    CHECK((outcome.code == 0 || outcome.code == 3));
    CHECK(!contains(outcome.out, "safe"));
    CHECK(read_file(world.folder() / "victim/hosts") == "safe\n");
    CHECK(std::distance(std::filesystem::directory_iterator(victim), std::filesystem::directory_iterator()) == 1);
}
