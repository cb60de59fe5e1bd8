#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

/// What keys of a workflow do to its jobs while it runs.
namespace {

const std::string file = ".github/workflows/ci.yml";

}  // namespace

TEST_CASE("a combination that fails stops the others, unless fail-fast is off") {
    const World world;
    const auto workflow = [](const std::string& fail_fast) {
        return "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    strategy: {fail-fast: " + fail_fast +
               ", matrix: {way: [fails, waits]}}\n    steps:\n"
               "      - if: matrix.way == 'waits'\n        run: test '" + fail_fast + "' = false || sleep 600\n"
               "      - if: matrix.way == 'fails'\n        run: exit 3\n";
    };
    const GitRepository repository{{file, workflow("true")}};
    const auto here = world.in(repository.path());
    CHECK(world.cicdctl({"run"}, here).code == 1);
    auto shown = world.cicdctl({"show", "run-1"}).out;
    INFO(shown);
    CHECK(contains(shown, "cancelled"));
    repository.write(file, workflow("false"));
    CHECK(world.cicdctl({"run"}, here).code == 1);
    shown = world.cicdctl({"show", "run-2"}).out;
    INFO(shown);
    CHECK(!contains(shown, "cancelled"));
}

TEST_CASE("timeout-minutes ends a step, and a job, with that reason") {
    const World world;
    const GitRepository repository{{file, "on: push\njobs:\n"
                                          "  step:\n    runs-on: ubuntu-latest\n    steps: [{run: sleep 600, timeout-minutes: 0.002}]\n"
                                          "  job:\n    runs-on: ubuntu-latest\n    timeout-minutes: 0.002\n    steps: [{run: sleep 600}]\n"}};
    CHECK(world.cicdctl({"run"}, world.in(repository.path())).code == 1);
    for (const char* job : {"job-1", "job-2"}) {
        const auto shown = world.cicdctl({"show", job}).out;
        INFO(shown);
        CHECK(contains(shown, "time"));
    }
}

TEST_CASE("pull_request_target is simulated with a base, and case() chooses the first that holds") {
    const World world;
    const GitRepository repository{{file, "on: {pull_request_target: {branches: [main]}}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
                                          "      - run: |\n          echo \"for ${{ github.event_name }} ${{ github.base_ref }} "
                                          "${{ case(github.base_ref == 'other', 'a', github.base_ref == 'main', 'b', 'c') }}\"\n"}};
    const auto run = world.cicdctl({"run", "--event", "pull_request_target", "--base", "main"}, world.in(repository.path()));
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(world.cicdctl({"logs", "run-1"}).out, "for pull_request_target main b"));
}

TEST_CASE("labels of runs-on are mapped by the configuration") {
    const World world;
    write_file(world.config() / "config.yaml", "labels: {windows-latest: machine, gpu: none, 'ubuntu-22.04': 'no-such-image:1'}\n");
    GitRepository repository{{file, "on: push\njobs:\n"
                                    "  windows: {runs-on: windows-latest, steps: [{run: echo is here}]}\n"
                                    "  gpu: {runs-on: [self-hosted, GPU], steps: [{run: exit 1}]}\n"
                                    "  mac: {runs-on: macos-latest, steps: [{run: exit 1}]}\n"}};
    const auto run = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(world.cicdctl({"logs", "run-1"}).out, "is here"));
    const auto plan = world.cicdctl({"plan"}, world.in(repository.path()));
    INFO(plan.out);
    CHECK(contains(plan.out, "runs-on: GPU: the configuration gives it no place"));
    CHECK(contains(plan.out, "not macOS"));
    // What is no word of the map's is an image, also for combinations of a matrix.
    repository.write(file, "on: push\njobs:\n  one:\n    strategy: {matrix: {os: [ubuntu-22.04, ubuntu-24.04]}}\n"
                           "    runs-on: ${{ matrix.os }}\n    steps: [{run: 'true'}]\n");
    const auto without = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(without.out, without.err);
    CHECK(without.code != 0);
    CHECK(contains(without.out + without.err, "no-such-image:1"));
}
