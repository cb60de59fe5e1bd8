#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>

using namespace cicd;
using namespace cicd::test;

/// Actions and workflows of other people's repositories, which lie on this machine here.
namespace {

const std::string file = ".github/workflows/ci.yml";

std::string workflow(const std::string& steps) {
    return "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n" + steps;
}

const std::string greets = "name: greets\ninputs: {who: {}}\noutputs: {said: {value: '${{ steps.say.outputs.said }}'}}\n"
                           "runs:\n  using: composite\n  steps:\n"
                           "    - id: say\n      shell: bash\n      run: |\n"
                           "        cat \"$GITHUB_ACTION_PATH/text\"\n"
                           "        echo \"hello ${{ inputs.who }} from ${{ github.action_repository }} at ${{ github.action_ref }}\"\n"
                           "        echo said=yes >> \"$GITHUB_OUTPUT\"\n";

/// The map leads to a path or an address; nothing else is asked.
void map_actions(const World& world, const std::string& map) {
    write_file(world.config() / "config.yaml", "actions:\n  server: none\n  map:\n" + map);
}

}  // namespace

TEST_CASE("an action of another repository is fetched at its commit, and runs again when that repository is gone") {
    const World world;
    auto origin = std::make_unique<GitRepository>(std::vector<std::pair<std::string, std::string>>{
        {"hello/action.yml", greets}, {"hello/text", "first words\n"}});
    const auto commit = origin->git({"rev-parse", "HEAD"}).substr(0, 40);
    origin->git({"tag", "v1"});
    map_actions(world, "    Someone/greets: " + origin->path().string() + "\n");
    const GitRepository repository{{file, workflow("      - uses: someone/greets/hello@v1\n        id: it\n        with: {who: you}\n"
                                                   "      - run: echo \"said ${{ steps.it.outputs.said }}\"; "
                                                   "touch /_actions/someone/greets/v1/new 2>/dev/null || echo kept\n")}};
    const auto here = world.in(repository.path());
    const auto run = world.cicdctl({"run", "--strict"}, here);
    INFO(run.out, run.err);
    REQUIRE(run.code == 0);
    auto log = world.cicdctl({"logs", "run-1"}).out;
    INFO(log);
    CHECK(contains(log, "first words"));
    CHECK(contains(log, "hello you from someone/greets at v1"));
    CHECK(contains(log, "said yes"));
    CHECK(contains(log, "kept"));
    CHECK(contains(log, "someone/greets/hello@v1 is the commit " + commit));
    CHECK(contains(run.err, "someone/greets@v1 is " + commit.substr(0, 12)));

    // What is run again keeps its commit, whatever the tag is by now.
    origin->write("hello/text", "second words\n");
    origin->commit("more");
    origin->git({"tag", "-f", "v1"});
    CHECK(world.cicdctl({"retry", "run-1", "--everything"}, here).code == 0);
    CHECK(contains(world.cicdctl({"logs", "run-2"}).out, "first words"));
    CHECK(world.cicdctl({"run"}, here).code == 0);
    CHECK(contains(world.cicdctl({"logs", "run-3"}).out, "second words"));

    origin.reset();
    const auto offline = world.cicdctl({"run", "--strict"}, here);
    INFO(offline.out, offline.err);
    CHECK(offline.code == 0);
    CHECK(contains(offline.err, "as it was fetched before"));
    CHECK(contains(world.cicdctl({"logs", "run-4"}).out, "second words"));
}

TEST_CASE("what an action uses is fetched with it, and a workflow of another repository is called") {
    const World world;
    const GitRepository inner{{"action.yml", greets}, {"text", "inner words\n"}};
    const auto commit = inner.git({"rev-parse", "HEAD"}).substr(0, 40);
    const GitRepository outer{{"action.yml", "runs:\n  using: composite\n  steps:\n    - uses: deep/inner@" + commit +
                                                 "\n      with: {who: 'them'}\n    - {shell: sh, run: 'echo outer ${{ github.action_repository }}'}\n"}};
    outer.git({"branch", "topic/one"});
    const GitRepository shared{{".github/workflows/build.yml", "on: {workflow_call: {inputs: {who: {type: string}}}}\njobs:\n"
                                                               "  made:\n    runs-on: ubuntu-latest\n    steps: [{run: 'echo made for ${{ inputs.who }}'}]\n"
                                                               "  more: {uses: ./.github/workflows/more.yml}\n"},
                               {".github/workflows/more.yml", "on: workflow_call\njobs:\n  last:\n    runs-on: ubuntu-latest\n"
                                                              "    steps: [{run: 'echo one more'}]\n"}};
    shared.git({"tag", "v2"});
    map_actions(world, "    deep/inner: " + inner.path().string() + "\n    wide/outer: file://" + outer.path().string() +
                           "\n    all/shared: " + shared.path().string() + "\n");
    const GitRepository repository{{file, workflow("      - uses: wide/outer@topic/one\n") +
                                              "  called:\n    uses: all/shared/.github/workflows/build.yml@v2\n    with: {who: us}\n"}};
    const auto run = world.cicdctl({"run", "--strict"}, world.in(repository.path()));
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    const auto log = world.cicdctl({"logs", "run-1"}).out;
    INFO(log);
    CHECK(contains(log, "hello them from deep/inner at " + commit));
    CHECK(contains(log, "outer wide/outer"));
    CHECK(contains(log, "made for us"));
    CHECK(contains(log, "one more"));
}

TEST_CASE("a ref that is not there, or a name that leads elsewhere, skips the step with its reason, and is an error with --strict") {
    const World world;
    const GitRepository origin{{"action.yml", greets}, {"text", "words\n"}};
    map_actions(world, "    someone/greets: " + origin.path().string() + "\n");
    const GitRepository repository{{file, workflow("      - uses: someone/greets@v9\n      - uses: someone/../x@v1\n      - run: echo went on\n")}};
    const auto here = world.in(repository.path());
    const auto run = world.cicdctl({"run"}, here);
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(run.err, "there is no tag, branch or commit 'v9'"));
    CHECK(contains(run.err, "'someone/..' is no owner/name of a repository"));
    CHECK(contains(world.cicdctl({"logs", "run-1"}).out, "went on"));
    const auto refused = world.cicdctl({"run", "--strict"}, here);
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "v9"));
}
