#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {

const std::string pipeline = R"(name: demo
triggers: [{type: push, branches: [main]}, manual]
parameters: {level: {type: choice, values: [quick, full], default: quick}}
env: {COLOUR: blue}
stages:
  - name: build
    steps:
      - mkdir -p out/deep && echo "made with $COLOUR at ${{ params.level }}" > out/deep/file
      - {id: number, run: 'echo "answer=42" >> "$CICD_OUTPUT"'}
    outputs: {answer: '${{ steps.number.outputs.answer }}'}
    artifacts: [{name: files, paths: ['out/**']}]
  - name: optional
    condition: params.level == 'full'
    commands: [echo never]
  - name: test
    parallel: true
    jobs:
      one:
        matrix: {shape: [round, square]}
        steps: ['echo "one is ${{ matrix.shape }}"']
      two:
        env: {COLOUR: red}
        allowFailure: true
        steps: ['echo "two is $COLOUR"; exit 3']
  - name: report
    needs: [build, test]
    commands:
      - cat out/deep/file
      - echo "the answer is ${{ needs.build.outputs.answer }} on ${{ git.branch }}"
  - name: sorry
    needs: [test]
    condition: on_failure
    commands: [echo sorry]
)";

/// The lines that steps said, without job and time.
std::string said(const World& world, const std::string& run) {
    std::string all;
    for (const char* line : {"made with blue at quick", "one is round", "one is square", "two is red", "the answer is 42 on main", "never", "sorry"})
        if (contains(world.cicdctl({"logs", run}).out, line)) all += std::string(line) + "\n";
    return all;
}

}  // namespace

TEST_CASE("an exported workflow does what the pipeline does") {
    const World world;
    GitRepository repository{{".cicd.yaml", pipeline}};
    const auto here = world.in(repository.path());
    const auto exported = world.cicdctl({"export", ".cicd.yaml", "--format", "github"}, here);
    INFO(exported.out, exported.err);
    REQUIRE(exported.code == 0);
    CHECK(contains(exported.out, "workflow_dispatch:"));
    CHECK(contains(exported.out, "GITHUB_OUTPUT"));
    CHECK(!contains(exported.out, "# "));
    repository.write(".github/workflows/ci.yml", exported.out);
    repository.commit("exported");

    const auto ours = world.cicdctl({"run"}, here), theirs = world.cicdctl({"run", "-f", ".github/workflows/ci.yml", "--strict"}, here);
    INFO(ours.out, ours.err, theirs.out, theirs.err);
    CHECK(ours.code == 0);
    CHECK(theirs.code == 0);
    CHECK(said(world, "run-1") == "made with blue at quick\none is round\none is square\ntwo is red\nthe answer is 42 on main\n");
    CHECK(said(world, "run-2") == said(world, "run-1"));
}

TEST_CASE("the options of containers are the same in an exported workflow") {
    const World world;
    write_file(world.folder() / "p.yaml", "name: p\nstages:\n  - name: a\n    image:\n      name: box\n      user: '5'\n      options: {login: 'me:${{ secrets.PW }}', volumes: ['d:/d:ro'], ulimits: [nofile=9], sharedMemory: 1Ki}\n"
                                          "    services: {db: {image: pg, workingDirectory: /srv, entrypoint: /e, ready: 'is \"up\"', options: {aliases: [x], labels: {k: 'a b'}}}}\n    commands: ['true']\n");
    const auto exported = world.json({"export", "p.yaml", "--format", "github"});
    const auto& job = exported["workflow"]["jobs"]["a"];
    CHECK(job["container"]["options"] == Value("--ulimit nofile=9 --shm-size 1024 --user 5"));
    CHECK(job["container"]["volumes"].as_array().at(0) == Value("d:/d:ro"));
    CHECK(job["container"]["credentials"]["username"] == Value("me"));
    CHECK(job["container"]["credentials"]["password"] == Value("${{ secrets.PW }}"));
    CHECK(job["services"]["db"]["options"] == Value("--network-alias x --label \"k=a b\" --workdir /srv --entrypoint /e --health-cmd \"is \\\"up\\\"\" --health-interval 5s --health-retries 20"));
}

TEST_CASE("what GitHub has no word for is told, with its line, and stands in comments") {
    const World world;
    write_file(world.folder() / "p.yaml", "name: p\nstages:\n  - name: a\n    retry: {max: 2}\n    commands: ['echo ${{ git.tree }} $CICD_RUN_ID']\n"
                                          "  - name: b\n    environment: live\n    gate: {type: approval}\n    commands: ['true']\n");
    const auto exported = world.cicdctl({"export", "p.yaml", "--format", "github"});
    INFO(exported.out, exported.err);
    CHECK(exported.code == 0);
    CHECK(contains(exported.out, "# not exported: p.yaml:4: retry: "));
    CHECK(contains(exported.out, "# not exported: p.yaml:5: git.tree: "));
    CHECK(contains(exported.out, "# to do: p.yaml:5: $CICD_RUN_ID: "));
    CHECK(contains(exported.out, "gate of b"));
    CHECK(contains(exported.out, "environment: live"));
    CHECK(contains(exported.err, "unsupported, line 4: retry"));
    const auto json = world.json({"export", "p.yaml", "--format", "github"});
    CHECK(json["findings"].as_array().size() == 4);
    CHECK(json["workflow"]["jobs"]["b"]["environment"].as_string() == "live");

    // What is somebody else's is translated first.
    write_file(world.folder() / "w.yml", "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n");
    const auto foreign = world.cicdctl({"export", "w.yml"});
    CHECK(foreign.code == 2);
    CHECK(contains(foreign.err, "cicdctl import w.yml"));
}
