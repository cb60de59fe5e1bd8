#include "tests/faults/support.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {

namespace fs = std::filesystem;

RunOptions with_input(const std::string& text) {
    RunOptions options;
    options.input = text;
    return options;
}

std::string value_in_a_job(const World& world, const GitRepository& repository) {
    const auto run = world.json({"run", "--detach"}, world.in(repository.path()));
    const auto id = run["id"].as_string();
    CHECK(world.cicdctl({"watch", id}).code == 0);
    return world.json({"show", id})["jobs"].as_array().at(0)["outputs"]["sum"].as_string();
}

}  // namespace

TEST_CASE("a daemon that is killed while a secret is set leaves the old value or the new one") {
    // The job tells which of the values it had without telling the value.
    GitRepository repository{{".cicd.yaml", "name: p\nstages:\n  - name: s\n    jobs:\n      j:\n        outputs: {sum: '${{ steps.a.outputs.sum }}'}\n"
                              "        steps: [{id: a, env: {T: '${{ secrets.T }}'}, run: 'echo sum=${T:0:3}${#T} >> $CICD_OUTPUT'}]\n"}};
    World world;
    world.start_daemon();
    REQUIRE(world.cicdctl({"secret", "set", "T"}, with_input("v00-" + std::string(1000, 'x'))).code == 0);
    int told = 0, at_least = 0;
    for (int round = 1; round <= 12; ++round) {
        const auto number = (round < 10 ? "0" : "") + std::to_string(round);
        const auto setting = world.start_cicdctl({"secret", "set", "T", "--no-autostart"}, with_input("v" + number + "-" + std::string(1000 + round, 'x')));
        // From before the request arrives to after its answer, as the machine has it.
        eventually([&, spins = 0]() mutable { return ++spins > round * 3; });
        world.kill_daemon();
        if (setting->wait().code == 0) at_least = round;
        world.start_daemon();
        const auto sum = value_in_a_job(world, repository);
        told = std::stoi(sum.substr(1, 2));
        INFO("round " << round << ": " << sum);
        CHECK(told >= at_least);
        CHECK(told <= round);
        CHECK(std::stoi(sum.substr(3)) == 1004 + told);  // of one piece
    }
    for (const auto& entry : fs::directory_iterator(world.state() / "keys")) CHECK(entry.path().filename() == "secrets.key");
}

TEST_CASE("a job with secrets survives its daemon, and one that had not begun gets them from the next") {
    GitRepository repository{{".cicd.yaml",
                              "name: p\nworkspace: shared\nstages:\n  - {name: one, commands: ['touch ready; while test ! -e go; do sleep 0.02; done; echo one ${{ secrets.T }}']}\n"
                              "  - name: two\n    jobs:\n      j:\n        outputs: {size: '${{ steps.a.outputs.size }}'}\n"
                              "        steps: [{id: a, env: {T: '${{ secrets.T }}'}, run: 'echo size=${#T} >> $CICD_OUTPUT; echo two $T'}]\n"}};
    World world;
    world.start_daemon();
    REQUIRE(world.cicdctl({"secret", "set", "T"}, with_input("some-hidden-words")).code == 0);
    REQUIRE(world.cicdctl({"run", "--detach"}, world.in(repository.path())).code == 0);
    REQUIRE(eventually([&] { return fs::exists(world.shared_workspace("run-1") / "ready"); }));
    world.kill_daemon();
    write_file(world.shared_workspace("run-1") / "go", "");
    world.start_daemon();
    CHECK(world.cicdctl({"watch", "run-1"}).code == 0);
    const auto log = world.cicdctl({"logs", "run-1", "--raw"}).out;
    CHECK(log == "one ***\ntwo ***\n");
    CHECK((world.json({"show", "run-1"})["jobs"].as_array().at(1)["outputs"]["size"] == Value("17")));
}
