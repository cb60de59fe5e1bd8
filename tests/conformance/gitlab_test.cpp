#include "common/pipeline/parse.hpp"
#include "tests/support/image.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <iterator>
#include <map>
#include <string>

// Files of GitLab and Bitbucket in repositories of their own, run by the real binaries.

using namespace cicd;
using namespace cicd::test;

namespace {

struct Ran {
    Outcome outcome;
    std::map<std::string, std::string> jobs;  ///< key → status
    [[nodiscard]] std::string said() const { return "exit " + std::to_string(outcome.code) + "\n" + outcome.out + outcome.err; }
};

Ran run(const std::string& name, const std::string& text, const std::vector<std::string>& options = {}) {
    GitRepository repository{{"README", "a case\n"}, {name, text}};
    World world;
    std::vector<std::string> command{"run"};
    command.insert(command.end(), options.begin(), options.end());
    Ran ran{world.cicdctl(command, world.in(repository.path())), {}};
    const auto shown = world.json({"show", "run-1"});
    if (shown["jobs"].is_array())
        for (const auto& job : shown["jobs"].as_array()) ran.jobs[job["key"].as_string()] = job["status"].as_string();
    return ran;
}

}  // namespace

TEST_CASE("a GitLab pipeline runs: variables, artifacts, variables of earlier jobs, after_script, matrix") {
    const auto ran = run(".gitlab-ci.yml", R"(
variables: {GREETING: "hello $NAME", NAME: world}
stages: [build, test]
.base:
  before_script:
    - export IN_BEFORE=yes
make it:
  extends: .base
  stage: build
  script:
    - test "$IN_BEFORE" = yes
    - test "$GREETING" = "hello world"
    - test "$CI_JOB_NAME" = "make it"
    - test "$CI_PROJECT_DIR" = "$PWD"
    - test "$GITLAB_CI" = true
    - mkdir out && echo built > out/file
    - echo "VERSION=1.2 and more" > build.env
  artifacts:
    paths: [$CI_PROJECT_DIR/out/]
    reports: {dotenv: build.env}
check:
  script: [cat out/file, 'test "$VERSION" = "1.2 and more"']
many:
  parallel: {matrix: [{A: [x, y]}]}
  script: test "$A" = x -o "$A" = y
never:
  rules: [{if: $CI_COMMIT_BRANCH == "other"}]
  script: "false"
by hand: {when: manual, script: "false"}
allowed: {allow_failure: true, script: "false"}
)");
    INFO(ran.said());
    CHECK(ran.outcome.code == 0);
    CHECK(ran.jobs.at("build.make it") == "success");
    CHECK(ran.jobs.at("test.check") == "success");
    CHECK(ran.jobs.at("test.many (x)") == "success");
    CHECK(ran.jobs.at("test.never") == "skipped");
    CHECK(ran.jobs.at("test.by hand") == "skipped");
    CHECK(ran.jobs.at("test.allowed") == "failed");
}

TEST_CASE("a GitLab job is tried again, and may fail, by its exit codes") {
    const auto ran = run(".gitlab-ci.yml", R"(
again: {retry: {max: 2, exit_codes: [75, 76]}, script: 'exit $((CICD_ATTEMPT < 3 ? 75 : 0))'}
not again: {retry: {max: 2, exit_codes: 75}, allow_failure: {exit_codes: 1}, script: 'test "$CICD_ATTEMPT" -gt 1'}
system only: {retry: {max: 2, when: runner_system_failure, exit_codes: 9}, script: 'exit $((CICD_ATTEMPT < 2 ? 9 : 0))'}
)");
    INFO(ran.said());
    CHECK(ran.outcome.code == 0);
    CHECK(ran.jobs.at("test.again") == "success");
    CHECK(ran.jobs.at("test.not again") == "failed");
    CHECK(ran.jobs.at("test.system only") == "success");
}

TEST_CASE("a GitLab job that fails: later stages do not run, after_script and on_failure do") {
    const auto ran = run(".gitlab-ci.yml", R"(
stages: [build, test, .post]
bad: {stage: build, script: ["false | true", exit 3], after_script: ['test "$CI_JOB_STATUS" = failed && echo after']}
next: {script: "true"}
tidy: {stage: .post, when: on_failure, script: "true"}
last: {stage: .post, when: always, script: "true"}
)");
    INFO(ran.said());
    CHECK(ran.outcome.code == 1);
    CHECK(ran.jobs.at("build.bad") == "failed");
    CHECK(ran.jobs.at("test.next") == "skipped");
    CHECK(ran.jobs.at("post.tidy") == "success");
    CHECK(ran.jobs.at("post.last") == "success");
}

TEST_CASE("where pipelines of several systems are, one is to be chosen") {
    GitRepository repository{{".gitlab-ci.yml", "a: {script: ['echo of GitLab']}\n"}, {"bitbucket-pipelines.yml", "pipelines: {default: [{step: {script: [echo of Bitbucket]}}]}\n"}};
    World world;
    const auto unclear = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(unclear.out, unclear.err);
    CHECK(unclear.code == 2);
    CHECK(unclear.err.find(".gitlab-ci.yml, bitbucket-pipelines.yml") != std::string::npos);
    const auto chosen = world.cicdctl({"run", "-f", "bitbucket-pipelines.yml"}, world.in(repository.path()));
    CHECK(chosen.code == 0);
    CHECK(chosen.out.find("of Bitbucket") != std::string::npos);
}

TEST_CASE("a Bitbucket pipeline runs") {
    const auto ran = run("bitbucket-pipelines.yml", R"(
pipelines:
  default:
    - step:
        name: Build
        script: [test -n "$BITBUCKET_COMMIT", mkdir out, echo x > out/a]
        artifacts: [out/**]
    - parallel:
        - step: {name: One, script: [test -f out/a]}
        - step: {name: Two, script: [test "$BITBUCKET_PARALLEL_STEP" = 1], after-script: [test "$BITBUCKET_EXIT_CODE" = 0]}
    - step: {name: Deploy, trigger: manual, script: ["false"]}
)");
    INFO(ran.said());
    CHECK(ran.outcome.code == 0);
    CHECK(ran.jobs.at("Build.Build") == "success");
    CHECK(ran.jobs.at("parallel.One") == "success");
    CHECK(ran.jobs.at("parallel.Two") == "success");
    CHECK(ran.jobs.at("Deploy.Deploy") == "skipped");
}

TEST_CASE("a Bitbucket pipe runs from its image, with its variables and the step's files; its files go on") {
    if (const auto why = why_not_in_an_image(); !why.empty() || !has_busybox()) {
        MESSAGE("skipped: " << (why.empty() ? "there is no busybox" : why));
        return;
    }
    GitRepository repository{{"README", "a case\n"}, {"bitbucket-pipelines.yml", R"(
pipelines:
  default:
    - step:
        name: Go
        script:
          - mkdir out && echo before > out/a
          - pipe: docker://pipes
            variables: {WORD: "said by $BITBUCKET_REPO_SLUG", MANY: [x, y]}
          - cat out/a out/b
          - grep -q 'said by .* 2 y before' out/b
)"}};
    World world;
    const auto own = Tar().file("pipe.sh", "#!/bin/sh\necho \"$WORD $MANY_COUNT $MANY_1 $(cat out/a)\" > out/b\n", 0755).bytes();
    write_oci_layout(world.folder() / "layout", {{busybox_layer(), own}, "{}", ""});
    REQUIRE(world.cicdctl({"image", "import", "pipes", (world.folder() / "layout").string()}).code == 0);
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
}

namespace {

namespace fs = std::filesystem;

/// How the jobs of the last run ended, without their stages and matrices; of a matrix what is worst.
std::map<std::string, std::string> endings(const World& world, const std::string& run) {
    std::map<std::string, std::string> jobs;
    const auto shown = world.json({"show", run});
    if (!shown["jobs"].is_array()) return jobs;
    for (const auto& job : shown["jobs"].as_array()) {
        auto name = job["key"].as_string();
        name.erase(0, name.find('.') + 1);
        if (const auto matrix = name.find(" ("); matrix != name.npos) name.erase(matrix);
        const auto status = job["status"].as_string();
        const bool allowed = job["allowFailure"].is_bool() && job["allowFailure"].as_bool();
        const std::string ending = status == "success" ? "passed" : status == "failed" ? (allowed ? "allowed" : "failed") : "not run";
        auto& known = jobs[name];
        if (known.empty() || known == "passed") known = ending;
    }
    return jobs;
}

/// Whether a failure is allowed is decided before a job runs, so one that ends with a code that is allowed passes.
bool is_same(const std::string& ours, const std::string& theirs, const std::string& job) { return ours == theirs || (job == "codes" && ours == "passed"); }

void check_case(const fs::path& folder, const std::string& name, const Value& expected) {
    INFO(name);
    GitRepository repository{{"README", "a case\n"}};
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) repository.write(fs::relative(entry.path(), folder).string(), read_file(entry.path()));
    repository.commit("the case");
    World world;
    const auto own = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(own.out, own.err);
    CHECK((own.code == 0) == (expected["outcome"].as_string() == "success"));
    const auto first = endings(world, "run-1");
    for (const auto& [job, ending] : expected["jobs"].as_object()) {
        INFO(job);
        REQUIRE(first.contains(job));
        CHECK_MESSAGE(is_same(first.at(job), ending.as_string(), job), first.at(job));
    }
    const auto imported = world.cicdctl({"import", ".gitlab-ci.yml"}, world.in(repository.path()));
    REQUIRE(imported.code == 0);
    repository.write(".cicd.yaml", imported.out);
    const auto again = world.cicdctl({"run", "-f", ".cicd.yaml", "--event", "push"}, world.in(repository.path()));
    INFO(imported.out, again.out, again.err);
    CHECK((again.code == 0) == (expected["outcome"].as_string() == "success"));
    const auto second = endings(world, "run-2");
    for (const auto& [job, ending] : expected["jobs"].as_object()) {
        INFO(job);
        REQUIRE(second.contains(job));
        CHECK_MESSAGE(is_same(second.at(job), ending.as_string(), job), second.at(job));
    }
}

}  // namespace

// Each folder holds a pipeline and cases.json what GitLab makes of each of its jobs. tests/bench times the same.
TEST_CASE("small GitLab files end as GitLab says, as they are and imported") {
    const auto folder = fs::path(CICD_SOURCE_DIR) / "tests/conformance/gitlab";
    const auto cases = pipeline::parse_yaml(read_file(folder / "cases.json"), "cases.json");
    REQUIRE(cases.ok());
    CHECK(cases.value.as_object().size() >= 15);
    const char* only = std::getenv("CICD_CONFORMANCE_CASE");
    for (const auto& [name, expected] : cases.value.as_object())
        if (!only || name == only) check_case(folder / name, name, expected);
}

TEST_CASE("the pipelines of a Bitbucket file are imported as files, each with what starts it") {
    const GitRepository repository{{"bitbucket-pipelines.yml", R"(
pipelines:
  default: [{step: {name: usual, script: [echo usual > made, cat made]}}]
  branches:
    main: [{step: {name: of main, condition: {changesets: {includePaths: [src/**]}}, script: [echo main]}}, {step: {name: ship, trigger: manual, script: [echo shipped]}}]
  custom:
    nightly: [{variables: [{name: LEVEL, default: full}]}, {step: {name: all, script: ['test "$LEVEL" = some']}}]
)"}};
    World world;
    const auto here = world.in(repository.path());
    const auto printed = world.cicdctl({"import", "bitbucket-pipelines.yml"}, here);
    INFO(printed.out, printed.err);
    CHECK(printed.code == 0);
    CHECK(contains(printed.out, "echo usual > made"));
    CHECK(!contains(printed.out, "echo main"));
    CHECK(contains(printed.err, "--output DIR writes the others as well: branches-main, nightly"));
    const auto written = world.cicdctl({"import", "bitbucket-pipelines.yml", "--output", "ours"}, here);
    INFO(written.out, written.err);
    REQUIRE(written.code == 0);
    CHECK(contains(written.err, "condition: changesets"));
    for (const char* name : {"default", "branches-main", "nightly"}) CHECK(std::filesystem::exists(repository.path() / "ours" / ("bitbucket-pipelines-" + std::string(name) + ".yaml")));
    const auto again = world.cicdctl({"import", "bitbucket-pipelines.yml", "--output", "ours"}, here);
    CHECK(again.code != 0);
    CHECK(contains(again.err, "is there already"));
    const auto run = [&](const std::string& part, std::vector<std::string> options) {
        std::vector<std::string> command{"run", "-f", "ours/bitbucket-pipelines-" + part + ".yaml"};
        std::move(options.begin(), options.end(), std::back_inserter(command));
        return world.cicdctl(command, here);
    };
    const auto usual = run("default", {});
    INFO(usual.out, usual.err);
    CHECK(usual.code == 0);
    const auto of_main = run("branches-main", {"--event", "push"});
    INFO(of_main.out, of_main.err);
    CHECK(of_main.code == 0);
    CHECK(contains(of_main.out, "main"));
    CHECK(!contains(of_main.out, "shipped"));
    CHECK(contains(run("branches-main", {"--event", "push", "--param", "run_ship=true"}).out, "shipped"));
    CHECK(run("nightly", {}).code == 1);
    CHECK(run("nightly", {"--param", "LEVEL=some"}).code == 0);
}

TEST_CASE("a parallel group of Bitbucket that fails fast ends with its first failure") {
    const auto ran = run("bitbucket-pipelines.yml", R"(
pipelines:
  default:
    - parallel:
        fail-fast: true
        steps:
          - step: {name: bad, script: [exit 3]}
          - step: {name: long, script: [sleep 600]}
    - step: {name: after, script: [echo after]}
)");
    INFO(ran.said());
    CHECK(ran.outcome.code == 1);
    CHECK(ran.jobs.at("parallel.bad") == "failed");
    CHECK(ran.jobs.at("parallel.long") == "cancelled");
    CHECK(ran.jobs.at("after.after") == "skipped");
}
