#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {
const char* const fine = "name: demo\nstages:\n  - {name: one, commands: ['true']}\n";
}  // namespace

TEST_CASE("an invalid pipeline is refused with every problem at its place, and nothing is started") {
    GitRepository repository{{".cicd.yaml",
                               "name: demo\nstagse: []\nstages:\n  - name: one\n    comands: ['true']\n"
                               "  - name: two\n    needs: [on]\n    commands: ['true']\n"}};
    World world;
    for (const auto* command : {"validate", "plan", "run"}) {
        const auto outcome = world.cicdctl({command}, world.in(repository.path()));
        INFO(command, ": ", outcome.out, outcome.err);
        CHECK(outcome.code == 2);
        const auto all = outcome.out + outcome.err;
        CHECK(contains(all, ".cicd.yaml:2:1"));
        CHECK(contains(all, "stages"));
        CHECK(contains(all, ".cicd.yaml:5:5"));
        CHECK(contains(all, "commands"));
        CHECK(contains(all, "one"));
    }
    CHECK(world.json({"ps", "-a"})["data"].as_array().empty());
}

TEST_CASE("a cycle is told with its path") {
    GitRepository repository{{".cicd.yaml",
                               "name: demo\nstages:\n  - {name: a, needs: [c], commands: ['true']}\n"
                               "  - {name: b, needs: [a], commands: ['true']}\n  - {name: c, needs: [b], commands: ['true']}\n"}};
    World world;
    const auto outcome = world.cicdctl({"validate"}, world.in(repository.path()));
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.out + outcome.err, "→"));
}

TEST_CASE("exit codes") {
    GitRepository repository{{".cicd.yaml", fine}};
    World world;
    const auto in = world.in(repository.path());
    CHECK(world.cicdctl({"version"}, in).code == 0);
    CHECK(world.cicdctl({"--help"}, in).code == 0);
    CHECK(world.cicdctl({"validate"}, in).code == 0);
    CHECK(world.cicdctl({"plan"}, in).code == 0);
    CHECK(world.cicdctl({"rnu"}, in).code == 2);
    CHECK(world.cicdctl({"run", "--no-such-option"}, in).code == 2);
    CHECK(world.cicdctl({"show", "run-1", "--no-autostart"}, in).code == 69);
    CHECK(world.cicdctl({"show", "run-1"}, in).code == 5);
    CHECK(world.cicdctl({"cancel", "run-1"}, in).code == 5);
    CHECK(world.cicdctl({"run", "nosuchpipeline"}, in).code == 5);
    CHECK(world.cicdctl({"run", "-f", "nosuchfile.yaml"}, in).code == 5);
    CHECK(world.cicdctl({"run"}, in).code == 0);
    CHECK(world.cicdctl({"cancel", "run-1"}, in).code == 7);
}

TEST_CASE("a misspelt command gets a suggestion, and no daemon a way to start it") {
    World world;
    CHECK(contains(world.cicdctl({"rnu"}).err, "run"));
    const auto outcome = world.cicdctl({"ps", "--no-autostart"});
    CHECK(outcome.code == 69);
    CHECK(contains(outcome.err, "daemon start"));
}

TEST_CASE("a folder that is no repository, and a repository without a pipeline, say what to do") {
    World world;
    TempDir folder;
    const auto bare = world.cicdctl({"run"}, world.in(folder.path()));
    CHECK(bare.code != 0);
    CHECK(contains(bare.err, "git init"));
    GitRepository repository{{"README", "nothing here\n"}};
    const auto none = world.cicdctl({"run"}, world.in(repository.path()));
    CHECK(none.code == 5);
    CHECK(contains(none.err, "cicdctl init"));
}

TEST_CASE("what is not available yet is refused at its line, never ignored") {
    GitRepository repository{{".cicd.yaml",
                               "name: demo\nstages:\n  - name: one\n    executor: container\n    commands: ['true']\n"
                               "  - name: two\n    gate: {approvals: 2}\n    commands: ['true']\n"}};
    World world;
    const auto outcome = world.cicdctl({"plan"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.err, "not available yet"));
    CHECK(contains(outcome.err, ".cicd.yaml:4"));
    CHECK(contains(outcome.err, ".cicd.yaml:7"));
    CHECK(world.cicdctl({"validate"}, world.in(repository.path())).code == 0);
}

TEST_CASE("the host executor needs the pipeline's word and the user's") {
    GitRepository repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: one, executor: host, commands: ['test -d /proc/1']}\n"}};
    World world;
    const auto refused = world.cicdctl({"run"}, world.in(repository.path()));
    CHECK(refused.code != 0);
    CHECK(contains(refused.err, "executors"));
    CHECK(world.cicdctl({"daemon", "stop"}).code == 0);
    write_file(world.config() / "config.yaml", "executors: {host: true}\n");
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
}
