#include "tests/support/engine_scene.hpp"
#include "tests/support/registry.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

using namespace cicd;
using namespace cicd::test;

// What workflows of GitHub's ask for their containers and services, by a real engine.
namespace {

namespace fs = std::filesystem;

const std::string file = ".github/workflows/ci.yml";

std::string workflow(const std::string& job) { return "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n" + job; }

struct Scene : EngineScene {
    explicit Scene(const std::string& job, TestEngine::Kind kind = TestEngine::Kind::podman)
        : EngineScene({{file, workflow(job)}, {"note", "noted\n"}}, kind) {}
    /// `more`: further lines of the configuration.
    void configure(const std::string& more) { write_file(world.config() / "config.yaml", "engine: " + engine.socket() + "\n" + more); }
};

void gives_what_is_asked_for(TestEngine::Kind kind) {
    Scene scene("    container:\n      image: localhost/box:1\n      env: {NAMED: env}\n      volumes: ['shared:/shared', /scratch]\n"
                "      options: --shm-size 16m --tmpfs /fast:size=1m --add-host other:10.1.2.3 -e GIVEN=\"by option\" --label team=x --hostname box -v shared:/again:ro --privileged --init --user 0\n"
                "    services:\n      up:\n        image: localhost/box:1\n        volumes: ['shared:/shared']\n        entrypoint: /bin/sh\n"
                "        command: -c \"echo in $PWD; until test -e /shared/asked; do sleep 0.05; done; echo answered > /shared/up; exec httpd -f -p 8080 -h /shared\"\n"
                "        options: >-\n          --health-cmd \"touch /shared/asked; test -e /shared/up\" --health-interval 1s --health-retries 90\n"
                "          --network-alias site --memory 64m --workdir /etc\n"
                "    steps:\n"
                "      - run: cat /shared/up /again/up; ! touch /again/x 2>/dev/null && echo read-only\n"
                "      - run: wget -q -O - http://site:8080/up; grep other /etc/hosts; hostname; echo \"$GIVEN $NAMED\"; mount | grep -c ' /fast \\| /scratch \\| /shared '\n"
                "      - run: mount | grep ' /dev/shm '; id -u\n", kind);
    const auto run = scene.run();
    INFO(run.out, run.err, scene.logs());
    CHECK(run.code == 0);
    CHECK(contains(run.err, "container.options --privileged: it would give the job the machine itself"));
    const auto log = scene.logs();
    CHECK(contains(log, "answered\nanswered\nread-only\nanswered\n"));
    for (const auto* line : {"10.1.2.3 other", "\nbox\n", "by option env", "size=16384k"}) CHECK_MESSAGE(contains(log, line), line);
    CHECK(contains(scene.logs("job-1", {"--step", "service:up"}), "in /etc"));
    CHECK(scene.is_clean());
    CHECK(scene.run({"--strict"}).code == 2);
}

}  // namespace

TEST_CASE("volumes are shared by a job's containers and go with them; options are what they are with an engine") {
    if (has_no_podman()) return;
    gives_what_is_asked_for(TestEngine::Kind::podman);
}

TEST_CASE("so they are by Docker") {
    if (const auto why = why_no_docker(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    gives_what_is_asked_for(TestEngine::Kind::docker);
}

TEST_CASE("folders of the machine are mounted where the configuration allows it, wherever links lead") {
    if (has_no_podman()) return;
    Scene scene("    container: {image: localhost/box:1}\n    steps: [{run: 'true'}]\n");
    const auto at = scene.world.folder();
    write_file(at / "given/data", "of the machine\n");
    write_file(at / "private/data", "nobody's business\n");
    fs::create_directory_symlink(at / "private", at / "given/link");
    const auto given = (at / "given").string();
    const auto mounts = [&](const std::string& volume) {
        scene.repository.write(file, workflow("    container: {image: localhost/box:1, volumes: ['own:/own', '" + volume + "']}\n    steps: [{run: 'ls /data; cat /data/data'}]\n"));
    };
    mounts(given + ":/data:ro");
    const auto refused = scene.run();
    INFO(refused.out, refused.err);
    CHECK(contains(refused.err, "folders of this machine are mounted only where its config.yaml allows it: volumes: [" + given + "]"));
    CHECK(refused.code == 1);  // it runs without
    CHECK(scene.run({"--strict"}).code == 2);

    scene.configure("volumes: [" + given + "]\n");
    CHECK(scene.world.cicdctl({"daemon", "stop"}).code == 0);
    const auto allowed = scene.run();
    INFO(allowed.out, allowed.err);
    CHECK(allowed.code == 0);
    CHECK(contains(allowed.out, "of the machine"));

    mounts(given + "/link:/data");
    const auto outside = scene.run();
    INFO(outside.out, outside.err);
    CHECK(outside.code != 0);
    CHECK(contains(outside.out + outside.err, "is a folder of this machine that is not allowed: it leads to " + (at / "private").string()));
    CHECK(!contains(outside.out, "nobody's business"));
    CHECK(scene.is_clean());
}

TEST_CASE("without an engine a job runs without what only one gives, and that is told") {
    if (const auto why = why_not_in_an_image(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    const World world;
    write_file(world.config() / "config.yaml", "engine: none\n");
    const GitRepository repository{{file, workflow("    container:\n      image: box\n      credentials: {username: me, password: '${{ secrets.NOT_SET }}'}\n      volumes: ['a:/a']\n"
                                                   "    services:\n      web:\n        image: box\n        command: httpd -f -p 8080 -h /etc\n"
                                                   "        options: --health-cmd \"wget -q -O - http://localhost:8080/image-file\" --network-alias site\n"
                                                   "    steps: [{run: 'wget -q -O - http://site:8080/image-file'}]\n")}};
    write_oci_layout(world.folder() / "layout", {{busybox_layer()}, "{}", ""});
    REQUIRE(world.cicdctl({"image", "import", "box", (world.folder() / "layout").string()}).code == 0);
    const auto run = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(run.err, "container credentials, volumes: only a container engine gives it"));
    CHECK(contains(run.out, "of the image"));
}

TEST_CASE("the two expressions of credentials are a login for the registry, of a job and of a service, and nowhere else") {
    if (has_no_podman()) return;
    if (TestRegistry::is_missing()) return;
    Scene scene("");
    const TestRegistry registry(scene.world.folder());
    const auto image = registry.give("team/box:1");
    scene.engine.trust(registry.address());
    const auto set = [&](const std::string& password) {
        RunOptions input;
        input.input = password;
        REQUIRE(scene.world.cicdctl({"secret", "set", "PASS"}, input).code == 0);
    };
    set("pass word:1");
    const std::string credentials = "credentials: {username: \"${{ vars.WHO }}\", password: \"${{ secrets.PASS }}\"}";
    scene.repository.write(file, workflow("    container: {image: '" + image + "', " + credentials + "}\n"
                                          "    services: {other: {image: '" + image + "', " + credentials + ", command: 'httpd -f -p 8080 -h /etc'}}\n"
                                          "    steps: [{run: 'cat /etc/image-file; printf \"%s %s.\" pass \"word:1\"'}]\n"));
    const auto run = scene.run({"--var", "WHO=someone"});
    INFO(run.out, run.err, scene.logs());
    CHECK(run.code == 0);
    CHECK(contains(run.out, "of the registry"));
    CHECK(!contains(run.out + scene.logs(), "pass word:1"));
    CHECK(cicd::test::run({"grep", "-r", "-l", "pass word:1", scene.world.state().string()}).code == 1);
    CHECK(scene.is_clean());

    CHECK(eventually([&] { return scene.engine.command({"rmi", image}).code == 0; }));
    set("wrong");
    const auto refused = scene.run({"--var", "WHO=someone"});
    CHECK(refused.code != 0);
    CHECK(contains(refused.out + refused.err, "cannot be had from its registry"));
    CHECK(scene.is_clean());
}
