#include "tests/support/engine.hpp"
#include "tests/support/image.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {

// The examples in a repository of their own, so that the test does not depend on what else the checkout holds.
struct Examples {
    Examples() : repository{{"README", "examples\n"}} {
        std::filesystem::copy(std::filesystem::path(CICD_SOURCE_DIR) / "examples", repository.path() / "examples",
                              std::filesystem::copy_options::recursive);
        repository.commit("examples");
    }
    Outcome run(const std::string& name, std::vector<std::string> more = {}) {
        std::vector<std::string> command{"run", "-f", "examples/" + name + "/pipeline.yaml"};
        command.insert(command.end(), more.begin(), more.end());
        return world.cicdctl(command, world.in(repository.path()));
    }
    /// False where this machine has nothing to make it of.
    bool make_image() {
        if (const auto why = why_not_in_an_image(); !why.empty()) {
            MESSAGE("skipped: " << why);
            return false;
        }
        auto options = world.in(repository.path());
        options.env["CICD_STATE_DIR"] = world.state();
        options.env["CICD_CONFIG_DIR"] = world.config();
        options.env["PATH"] = std::filesystem::path(program("cicdctl")).parent_path().string() + ":" + std::getenv("PATH");
        const auto made = cicd::test::run({(repository.path() / "examples/image/make-image").string()}, options);
        INFO(made.out, made.err);
        CHECK(made.code == 0);
        return true;
    }
    Value last_run() {
        const auto id = world.json({"ps", "-a"})["data"].as_array().at(0)["id"];
        return world.json({"show", id.as_string()});
    }
    GitRepository repository;
    World world;
};

std::string status(const Value& run, const std::string& job) {
    for (const auto& candidate : run["jobs"].as_array())
        if (candidate["name"] == Value(job)) return candidate["status"].as_string();
    return "absent";
}

}  // namespace

TEST_CASE_FIXTURE(Examples, "every example validates and plans") {
    RunOptions input;
    input.input = "s3same\n";
    CHECK(world.cicdctl({"secret", "set", "EXAMPLE_TOKEN"}, input).code == 0);
    for (const auto& entry : std::filesystem::directory_iterator(repository.path() / "examples")) {
        if (!entry.is_directory()) continue;
        std::filesystem::path file;
        for (const char* usual : {"pipeline.yaml", "workflow.yml", ".gitlab-ci.yml", "bitbucket-pipelines.yml"})
            if (std::filesystem::exists(entry.path() / usual)) file = entry.path() / usual;
        INFO(file.string());
        REQUIRE(std::filesystem::exists(file));
        const auto name = entry.path().filename();
        if ((name == "image" || name == "services") && !make_image()) continue;
        CHECK(world.cicdctl({"validate", file.string()}).code == 0);
        const auto plan = world.cicdctl({"plan", "-f", std::filesystem::relative(file, repository.path()).string()},
                                        world.in(repository.path()));
        INFO(plan.out, plan.err);
        CHECK(plan.code == 0);
    }
    CHECK(world.cicdctl({"validate", std::string(CICD_SOURCE_DIR) + "/.cicd.yaml"}).code == 0);
}

TEST_CASE_FIXTURE(Examples, "hello, cpp, node and python succeed") {
    for (const auto* name : {"hello", "cpp", "node", "python"}) {
        const auto outcome = run(name);
        INFO(name, ": ", outcome.out, outcome.err);
        CHECK(outcome.code == 0);
    }
}

TEST_CASE_FIXTURE(Examples, "artifacts: handed on, and what was cached is there for the next run") {
    CHECK(contains(run("artifacts").out, "installing"));
    const auto again = run("artifacts");
    INFO(again.out, again.err);
    CHECK(again.code == 0);
    CHECK(contains(again.out, "version 2"));
    CHECK(!contains(again.out, "installing"));
}

TEST_CASE_FIXTURE(Examples, "reuse: made once, until an input changes") {
    CHECK(contains(run("reuse").out, "making numbers"));
    const auto again = run("reuse");
    INFO(again.out, again.err);
    CHECK(contains(again.out, "1000 numbers, the last is 1000"));
    CHECK(!contains(again.out, "making numbers"));
    CHECK(contains(run("reuse", {"-p", "level=high"}).out, "making numbers"));
}

TEST_CASE_FIXTURE(Examples, "image: the image's files, and nothing of this machine") {
    if (!make_image()) return;
    const auto outcome = run("image");
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "greeting is hello"));
    CHECK(last_run()["jobs"].as_array().size() == 3);
}

TEST_CASE_FIXTURE(Examples, "container: by a real engine, which builds another image") {
    if (const auto why = why_no_podman(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    TestEngine engine;
    write_file(world.config() / "config.yaml", "engine: " + engine.socket() + "\n");
    if (!make_image()) return;
    const auto outcome = run("container");
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "greeting is hello"));
    CHECK(contains(outcome.out, "hello from the service"));
    CHECK(contains(outcome.out, "built sha256:"));
    const auto label = engine.command({"inspect", "localhost/example:latest", "--format", "{{.Config.Labels.greeting}}"});
    INFO(label.out, label.err);
    CHECK(contains(label.out, "from container"));
    CHECK(engine.containers().empty());
}

TEST_CASE_FIXTURE(Examples, "docker-action: an action that is a Dockerfile, by a real engine, reaches the job's service") {
    if (const auto why = why_no_podman(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    TestEngine engine;
    write_file(world.config() / "config.yaml", "engine: " + engine.socket() + "\n");
    engine.give_image("docker.io/library/busybox:1.36", busybox_layer());
    const auto outcome = world.cicdctl({"run", "--strict", "-f", "examples/docker-action/workflow.yml"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "hello you, in an image with: Dockerfile entry.sh"));
    CHECK(contains(outcome.out, "kept words"));
    CHECK(contains(outcome.out, "it said hello you, and wrote hello you"));
}

TEST_CASE_FIXTURE(Examples, "services: by name, in an image and in the sandbox") {
    if (!make_image()) return;
    const auto outcome = run("services");
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "hello from the service"));
}

TEST_CASE_FIXTURE(Examples, "matrix: four variants, the experimental one fails and is allowed to") {
    const auto outcome = run("matrix");
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    const auto result = last_run();
    CHECK(result["jobs"].as_array().size() == 4);
    CHECK(result["stages"].as_array().at(0)["status"] == Value("partial"));
    CHECK(status(result, "unit (debian, 3.9)") == "success");
    CHECK(status(result, "unit (ubuntu, 3.9)") == "absent");
}

TEST_CASE_FIXTURE(Examples, "fan: outputs reach the jobs that need them") {
    const auto outcome = run("fan");
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "publish 1.4.2"));
}

TEST_CASE_FIXTURE(Examples, "conditions: parameters and results decide") {
    CHECK(run("conditions").code == 0);
    const auto quick = last_run();
    CHECK(status(quick, "full") == "skipped");
    CHECK(status(quick, "deploy") == "skipped");
    CHECK(status(quick, "report") == "success");
    CHECK(status(quick, "alarm") == "skipped");
    CHECK(run("conditions", {"-p", "deploy=true", "-p", "level=full"}).code == 0);
    const auto full = last_run();
    CHECK(status(full, "full") == "success");
    CHECK(status(full, "deploy") == "success");
}

TEST_CASE_FIXTURE(Examples, "retry: the second attempt succeeds, the slow step is ended") {
    const auto outcome = run("retry");
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "ended as failure"));
    const auto result = last_run();
    for (const auto& job : result["jobs"].as_array())
        if (job["name"] == Value("flaky") || job["name"] == Value("busy")) CHECK(job["attempt"] == Value(2));
    CHECK(contains(outcome.out + outcome.err, "exit code 3 (allowed to fail)"));
}

TEST_CASE_FIXTURE(Examples, "secrets: hidden in the log, kept out of the outputs") {
    CHECK(run("secrets").code == 2);
    RunOptions input;
    input.input = "s3same\n";
    CHECK(world.cicdctl({"secret", "set", "EXAMPLE_TOKEN"}, input).code == 0);
    const auto outcome = run("secrets");
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "logging in with ***"));
    CHECK(contains(outcome.out, "got ***"));
    CHECK(contains(outcome.out, "welcome, ***"));
    CHECK(contains(world.cicdctl({"show", "job-1", "-o", "json"}).out, R"("outputs":{"answer":"welcome"})"));
}

TEST_CASE_FIXTURE(Examples, "background: a server beside other steps, ended by one of them") {
    const auto outcome = world.cicdctl({"run", "-f", "examples/background/pipeline.yaml"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    for (const char* line : {"lint is happy", "it works", "the server is cancelled"}) CHECK(contains(outcome.out, line));
}

TEST_CASE_FIXTURE(Examples, "github: a workflow as it is, its artifacts handed on, its annotations kept") {
    const auto outcome = world.cicdctl({"run", "-f", "examples/github/workflow.yml"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "hello one,hello two"));
    const auto result = last_run();
    REQUIRE(result["jobs"].as_array().size() == 4);
    const auto job = world.json({"show", result["jobs"].as_array()[0]["id"].as_string()});
    const auto& steps = job["steps"].as_array();
    REQUIRE(steps.size() == 3);
    CHECK(steps[1]["annotations"].as_array().at(0)["line"] == Value(17));
    const auto imported = world.cicdctl({"import", "examples/github/workflow.yml"}, world.in(repository.path()));
    CHECK(imported.code == 0);
    repository.write("imported.yaml", imported.out);
    const auto again = world.cicdctl({"run", "-f", "imported.yaml"}, world.in(repository.path()));
    INFO(imported.out, again.out, again.err);
    CHECK(again.code == 0);
}

TEST_CASE_FIXTURE(Examples, "gitlab: inheritance, a matrix, variables of earlier jobs; imported, it ends alike") {
    const auto outcome = world.cicdctl({"run", "-f", "examples/gitlab/.gitlab-ci.yml"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "hello world from "));
    CHECK(contains(outcome.out, "releasing 1.1"));
    CHECK(contains(outcome.out, "version 1.1 with python3"));
    const auto before = last_run();
    CHECK(status(before, "lint") == "failed");
    CHECK(status(before, "pages-of-merge-requests") == "skipped");
    const auto imported = world.cicdctl({"import", "examples/gitlab/.gitlab-ci.yml"}, world.in(repository.path()));
    CHECK(imported.code == 0);
    repository.write("imported.yaml", imported.out);
    const auto again = world.cicdctl({"run", "-f", "imported.yaml"}, world.in(repository.path()));
    INFO(imported.out, again.out, again.err);
    CHECK(again.code == 0);
    const auto after = last_run();
    for (const char* job : {"build", "test (sh)", "test (python3)", "lint", "release", "pages-of-merge-requests"})
        CHECK_MESSAGE(status(after, job) == status(before, job), job);
    CHECK(contains(again.out, "releasing 1.2"));
}

TEST_CASE_FIXTURE(Examples, "bitbucket: steps beside each other, what waits for a hand, a custom pipeline") {
    const auto outcome = world.cicdctl({"run", "-f", "examples/bitbucket/bitbucket-pipelines.yml"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    const auto result = last_run();
    CHECK(status(result, "Unit") == "success");
    CHECK(status(result, "Deploy") == "skipped");
    const auto custom = world.cicdctl({"run", "-f", "examples/bitbucket/bitbucket-pipelines.yml", "--event", "custom:nightly"}, world.in(repository.path()));
    INFO(custom.out, custom.err);
    CHECK(custom.code == 0);
    CHECK(contains(custom.out, "nightly at level full"));
    const auto audit = world.cicdctl({"import", "--audit", "examples"}, world.in(repository.path()));
    INFO(audit.out, audit.err);
    CHECK(audit.code == 0);
    CHECK(contains(audit.out, "examples/gitlab/.gitlab-ci.yml"));
    CHECK(contains(audit.out, "all 2 files"));
}
