#include "tests/support/image.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

/// What somebody types who has workflows of GitHub's and nothing of ours.
namespace {

std::string workflow(const std::string& on, const std::string& steps) {
    return "on: " + on + "\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n" + steps;
}

const std::string file = ".github/workflows/ci.yml";

}  // namespace

TEST_CASE("what steps say about files is told when the run has ended, and when it is shown") {
    const World world;
    const GitRepository repository{{file, workflow("push", "      - run: |\n"
                                                           "          echo '::error file=src/a.c,line=3,col=7,title=lint::no such name'\n"
                                                           "          echo '::warning::old'\n")}};
    const auto run = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(run.err, "✗ src/a.c:3:7: lint: no such name"));
    CHECK(contains(run.err, "! old"));
    CHECK(contains(world.cicdctl({"show", "run-1"}).out, "src/a.c:3:7: lint: no such name"));
    const auto job = world.cicdctl({"show", "job-1"});
    CHECK(contains(job.out, "src/a.c:3:7: lint: no such name"));
    CHECK(contains(world.cicdctl({"logs", "run-1"}).out, "Error: no such name"));
    const auto said = world.json({"show", "job-1"})["steps"].as_array().front()["annotations"].as_array();
    REQUIRE(said.size() == 2);
    CHECK(said[0]["level"] == Value("error"));
    CHECK(said[0]["line"] == Value(3));
}

TEST_CASE("a file of one's own tells what the event tells") {
    const World world;
    const GitRepository repository{
        {file, workflow("{workflow_dispatch: {inputs: {who: {type: string, default: nobody}}}, push: {}}",
                        "      - run: echo 'hello ${{ inputs.who }} of ${{ github.event.organization.login }} by ${{ github.event_name }}'\n")}};
    repository.write("event.json", R"({"inputs": {"who": "you"}, "organization": {"login": "them"}})");
    const auto run = world.cicdctl({"run", "--event", "workflow_dispatch", "--event-file", "event.json"}, world.in(repository.path()));
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(world.cicdctl({"logs", "run-1"}).out, "hello you of them by workflow_dispatch"));

    repository.write("event.json", "[1]");
    CHECK(world.cicdctl({"run", "--event-file", "event.json"}, world.in(repository.path())).code == 2);
}

TEST_CASE("an action that is not here is skipped and told, refused with --strict, and run where a folder is given for it") {
    const World world;
    const GitRepository repository{{file, workflow("push", "      - uses: actions/checkout@v4\n"
                                                           "      - uses: someone/greets@v1\n        with: {who: you}\n")},
                                   {"mine/action.yml", "name: greets\ninputs: {who: {}}\nruns:\n  using: composite\n  steps:\n"
                                                       "    - {run: 'echo \"hello ${{ inputs.who }}\"', shell: bash}\n"}};
    write_file(world.config() / "config.yaml", "actions: {server: none}\n");
    const auto here = world.in(repository.path());
    const auto skipped = world.cicdctl({"run"}, here);
    INFO(skipped.out, skipped.err);
    CHECK(skipped.code == 0);
    CHECK(contains(skipped.err, "--action someone/greets=FOLDER"));
    const auto refused = world.cicdctl({"run", "--strict"}, here);
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "ci.yml:7"));
    const auto given = world.cicdctl({"run", "--action", "someone/greets=mine"}, here);
    CHECK(given.code == 0);
    CHECK(contains(world.cicdctl({"logs", "run-2"}).out, "hello you"));
}

TEST_CASE("steps run in the background beside others, actions too, and so does what the workflow is imported as") {
    const World world;
    const std::string together = "touch $ME; until [ -e one ] && [ -e two ]; do sleep 0.01; done; echo $ME met";
    const auto steps = [&](const std::string& second) {
        return workflow("push", "      - uses: actions/checkout@v4\n"
                                "      - id: server\n        background: true\n        run: trap 'exit 0' TERM; touch up; while :; do sleep 0.02; done\n"
                                "      - parallel:\n"
                                "          - run: " + together + "\n            env: {ME: one}\n          - " + second +
                                "      - run: until [ -e up ]; do sleep 0.01; done\n"
                                "      - cancel: server\n"
                                "      - run: echo 'server ${{ steps.server.outcome }}'\n");
    };
    const GitRepository repository{{file, steps("uses: ./meet\n            with: {me: two}\n")},
                                   {"plain.yml", steps("run: " + together + "\n            env: {ME: two}\n")},
                                   {"meet/action.yml", "name: meet\ninputs: {me: {}}\nruns:\n  using: composite\n  steps:\n"
                                                       "    - {run: 'echo first', shell: bash}\n"
                                                       "    - {run: '" + together + "', shell: bash, env: {ME: '${{ inputs.me }}'}}\n"}};
    const auto here = world.in(repository.path());
    const auto run_ends_well = [&](const std::vector<std::string>& command, const std::string& id) {
        const auto run = world.cicdctl(command, here);
        const auto log = world.cicdctl({"logs", id}).out;
        INFO(run.out, run.err, log);
        CHECK(run.code == 0);
        for (const char* line : {"one met", "two met", "server cancelled"}) CHECK(contains(log, line));
        CHECK_FALSE(contains(log, "[build] one met"));  // the step's name stands before it
    };
    run_ends_well({"run"}, "run-1");
    const auto job = world.json({"show", "job-1"})["steps"].as_array();
    REQUIRE(job.size() == 8);
    CHECK(job[1]["status"] == Value("cancelled"));
    CHECK(job[4]["name"] == Value("parallel"));

    const auto imported = world.cicdctl({"import", "plain.yml"}, here);
    REQUIRE(imported.code == 0);
    repository.write("imported.yaml", imported.out);
    run_ends_well({"run", "-f", "imported.yaml"}, "run-2");
}

TEST_CASE("a pull request that names no base asks for the usual branch") {
    const World world;
    const GitRepository repository{{file, workflow("{pull_request: {branches: [main]}}", "      - run: echo \"for $GITHUB_BASE_REF\"\n")}};
    repository.git({"checkout", "-q", "-b", "topic"});
    const auto run = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(run.out, "for main"));
    repository.write("event.json", R"({"pull_request": {"base": {"ref": "release"}}})");
    CHECK(world.cicdctl({"run", "--event", "pull_request", "--event-file", "event.json"}, world.in(repository.path())).code == 7);  // it starts nothing
}

TEST_CASE("of several workflows, the one that listens to the event is run") {
    const World world;
    const GitRepository repository{{file, workflow("push", "      - run: echo pushed\n")},
                                   {".github/workflows/pull.yml", workflow("pull_request", "      - run: echo pulled\n")},
                                   {".github/workflows/nightly.yml", workflow("push", "      - run: echo nightly\n")}};
    const auto here = world.in(repository.path());
    const auto several = world.cicdctl({"run"}, here);
    CHECK(several.code == 2);
    CHECK(contains(several.err, "nightly.yml"));
    const auto pull = world.cicdctl({"run", "--event", "pull_request"}, here);
    INFO(pull.out, pull.err);
    CHECK(pull.code == 0);
    CHECK(contains(world.cicdctl({"logs", "run-1"}).out, "pulled"));
}

TEST_CASE("what import writes is a pipeline that runs, with what it could not carry over at its place") {
    const World world;
    const GitRepository repository{{file, workflow("push", "      - uses: actions/checkout@v4\n"
                                                           "      - uses: someone/greets@v1\n      - run: cat README\n")},
                                   {"README", "read me\n"}};
    const auto here = world.in(repository.path());
    const auto imported = world.cicdctl({"import", file}, here);
    CHECK(imported.code == 0);
    CHECK(contains(imported.out, "someone/greets"));
    CHECK(contains(imported.err, "manual, line 7"));
    repository.write(".cicd.yaml", imported.out);
    const auto run = world.cicdctl({"run"}, here);
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(world.cicdctl({"logs", "run-1"}).out, "read me"));
    const auto report = world.json({"import", "--audit", "."}, here)["data"].as_array();
    REQUIRE(report.size() == 1);
    CHECK(report[0]["manual"] == Value(1));
}

TEST_CASE("a workflow whose called ones are elsewhere is imported without them, and tells it") {
    const World world;
    const GitRepository repository{{file, "on: push\njobs:\n  a: {runs-on: x, steps: [{run: 'true'}]}\n"
                                          "  b: {uses: ./.github/workflows/none.yml}\n"}};
    const auto imported = world.cicdctl({"import", file}, world.in(repository.path()));
    INFO(imported.out);
    CHECK(imported.code == 0);
    CHECK(contains(imported.err, "manual, line 4: ./.github/workflows/none.yml"));
    repository.write(".cicd.yaml", imported.out);
    CHECK(world.cicdctl({"run"}, world.in(repository.path())).code == 0);
}

TEST_CASE("a job's container and its services are images that need no engine") {
    if (const auto why = why_not_in_an_image(); !why.empty()) {
        MESSAGE("skipped: ", why);
        return;
    }
    const World world;
    write_oci_layout(world.folder() / "layout",
                     {{busybox_layer()},
                      R"({"Cmd": ["sh", "-c", "mkdir -p /www; echo served > /www/index.html; exec httpd -f -p 8080 -h /www"]})", ""});
    REQUIRE(world.cicdctl({"image", "import", "box", (world.folder() / "layout").string()}).code == 0);
    const GitRepository repository{
        {file, "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    container: {image: box, env: {WHERE: inside}}\n"
               "    services:\n      web:\n        image: box\n        ports: ['8080:8080']\n"
               "        options: >-\n          --health-cmd \"wget -q -O - http://localhost:8080/\"\n"
               "          --health-interval 1s --health-retries 50\n"
               "    steps:\n      - uses: actions/checkout@v4\n"
               "      - run: echo \"$WHERE $(wget -q -O - http://web:8080/) $(test -e /bin/busybox && echo box)\"\n"}};
    const auto run = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(world.cicdctl({"logs", "run-1"}).out, "inside served box"));
}
