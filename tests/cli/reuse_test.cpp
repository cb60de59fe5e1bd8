#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

using namespace cicd;
using namespace cicd::test;

/// `reuse: true`: what is known to succeed is not run again.
namespace {

const std::string pipeline =
    "name: app\n"
    "parameters:\n"
    "  level: {type: string, default: low}\n"
    "  unused: {type: string, default: x}\n"
    "stages:\n"
    "  - name: build\n"
    "    jobs:\n"
    "      make:\n"
    "        reuse: true\n"
    "        outputs: {version: '${{ steps.v.outputs.version }}'}\n"
    "        artifacts: [{name: out, paths: [out]}]\n"
    "        steps:\n"
    "          - {id: v, run: 'echo version=7 >> $CICD_OUTPUT; cat src > out; echo level ${{ params.level }} >> out'}\n"
    "  - name: test\n"
    "    commands: ['echo \"got ${{ needs.build.outputs.version }} $(cat out | tr \"\\n\" \" \")\"']\n";

bool was_reused(const Value& job) {
    REQUIRE(job["inputs"].is_object());
    return job["inputs"]["from"].is_string();
}

struct Shop {
    Shop() : repository({{".cicd.yaml", pipeline}, {"src", "one\n"}}) {}
    Outcome run(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), "run");
        const auto outcome = world.cicdctl(more, world.in(repository.path()));
        INFO(outcome.out, outcome.err);
        CHECK(outcome.code == 0);
        return outcome;
    }
    /// Of the job `build.make` of a run.
    [[nodiscard]] Value job(const std::string& run) const {
        const auto shown = world.json({"show", run});
        for (const auto& job : shown["jobs"].as_array())
            if (job["name"] == Value("make")) return job;
        return {};
    }
    [[nodiscard]] bool reused(const std::string& run) const { return was_reused(job(run)); }
    [[nodiscard]] std::string decision(const std::string& run) const { return job(run)["inputs"]["decision"].as_string(); }

    World world;
    GitRepository repository;
};

}  // namespace

TEST_CASE("a job whose inputs were seen to succeed has that result: outputs, artifacts, and the reason wherever one looks") {
    const Shop shop;
    shop.run();
    CHECK(contains(shop.decision("run-1"), "no success"));
    const auto again = shop.run();
    CHECK(contains(again.out, "got 7 one level low"));
    CHECK(contains(again.out + again.err, "reused from run-1, job-1: same inputs sha256:"));
    const auto job = shop.job("run-2");
    CHECK(job["status"] == Value("success"));
    CHECK(job["outputs"]["version"] == Value("7"));
    CHECK(job["inputs"]["from"] == Value("job-1"));
    CHECK(job["startTime"].is_null());
    const auto artifacts = shop.world.json({"artifact", "list", "run-2"})["data"];
    REQUIRE(artifacts.as_array().size() == 1);
    CHECK(artifacts.as_array()[0]["digest"] == shop.world.json({"artifact", "list", "run-1"})["data"].as_array()[0]["digest"]);
    const auto id = job["id"].as_string();
    for (const auto& words : std::vector<std::vector<std::string>>{{"show", "run-2"}, {"show", id}, {"explain", "run-2"}, {"explain", id}, {"logs", id}}) {
        const auto shown = shop.world.cicdctl(words);
        INFO(words[0], " ", words[1], ": ", shown.out, shown.err);
        CHECK(contains(shown.out + shown.err, "reused from run-1, job-1"));
    }
    // A third one names the run that did the work.
    shop.run();
    CHECK(shop.job("run-3")["inputs"]["from"] == Value("job-1"));
}

TEST_CASE("what a job does not read is no input; what it reads is, and what differs is named") {
    const Shop shop;
    shop.run();
    shop.run({"-p", "unused=y"});
    CHECK(shop.reused("run-2"));
    shop.run({"-p", "level=high"});
    CHECK_FALSE(shop.reused("run-3"));
    CHECK(contains(shop.decision("run-3"), "values differs from run-1"));
    shop.repository.write("src", "two\n");
    shop.run();
    CHECK(contains(shop.decision("run-4"), "tree"));
    CHECK(contains(shop.world.cicdctl({"explain", "run-4"}).out, "not reused: "));
    shop.repository.write("src", "one\n");
    shop.run();
    CHECK(shop.reused("run-5"));
    CHECK(contains(shop.decision("run-5"), "run-1"));
}

TEST_CASE("--no-reuse, retries and restarts run, and what they made counts from then on") {
    const Shop shop;
    shop.run();
    shop.run({"--no-reuse"});
    CHECK_FALSE(shop.reused("run-2"));
    CHECK(contains(shop.decision("run-2"), "--no-reuse"));
    shop.run();
    CHECK(contains(shop.decision("run-3"), "reused from run-2"));
    const auto again = shop.world.json({"retry", "--everything", "run-3", "--detach"});
    REQUIRE(again["id"].is_string());
    CHECK(shop.world.cicdctl({"watch", again["id"].as_string()}).code == 0);
    CHECK_FALSE(shop.reused(again["id"].as_string()));
}

TEST_CASE("a failure is never reused, and neither is what lost its artifacts") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\nstages:\n  - name: build\n    jobs:\n"
         "      bad: {reuse: true, allowFailure: true, steps: ['exit 1']}\n"
         "      good: {reuse: true, steps: ['echo x > out'], artifacts: [{name: out, paths: [out]}]}\n"}};
    const auto once = [&] { return world.cicdctl({"run"}, world.in(repository.path())); };
    once();
    once();
    const auto reused = [&](const std::string& run, const std::string& name) {
        const auto shown = world.json({"show", run});
        for (const auto& job : shown["jobs"].as_array())
            if (job["name"] == Value(name)) return was_reused(job);
        FAIL("there is no job ", name);
        return false;
    };
    CHECK_FALSE(reused("run-2", "bad"));
    CHECK(reused("run-2", "good"));
    CHECK(world.cicdctl({"artifact", "rm", "artifact-1", "-y"}).code == 0);
    once();
    CHECK_FALSE(reused("run-3", "good"));
    CHECK(contains(world.cicdctl({"explain", "run-3"}).out, "artifact 'out' of run-1 is no longer kept"));
    // What is listed but whose bytes are gone.
    once();
    CHECK(reused("run-4", "good"));
    std::filesystem::remove_all(world.state() / "objects");
    once();
    CHECK_FALSE(reused("run-5", "good"));
    CHECK(world.cicdctl({"artifact", "download", world.json({"artifact", "list", "run-5"})["data"].as_array()[0]["id"].as_string(), "--to", "-"}).out == "x\n");
}

TEST_CASE("another value of a secret, and another artifact of a need, are other inputs") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\nstages:\n"
         "  - name: build\n    commands: ['date +%N > out']\n    artifacts: [{name: out, paths: [out]}]\n"
         "  - name: test\n    needs: []\n    jobs: {check: {reuse: true, env: {TOKEN: '${{ secrets.TOKEN }}'}, steps: ['true']}}\n"
         "  - name: use\n    needs: [build]\n    jobs: {use: {reuse: true, steps: ['true']}}\n"}};
    const auto set = [&](const std::string& value) {
        auto options = world.in(repository.path());
        options.input = value;
        CHECK(world.cicdctl({"secret", "set", "TOKEN"}, options).code == 0);
    };
    const auto once = [&] {
        const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
        INFO(outcome.out, outcome.err);
        CHECK(outcome.code == 0);
    };
    const auto decision = [&](const std::string& run, const std::string& name) {
        const auto shown = world.json({"show", run});
        for (const auto& job : shown["jobs"].as_array())
            if (job["name"] == Value(name)) return job["inputs"]["decision"].as_string();
        return std::string();
    };
    set("hunter22");
    once();
    once();
    CHECK(contains(decision("run-2", "check"), "reused from run-1"));
    CHECK(contains(decision("run-2", "use"), "artifacts differs from run-1"));
    set("other333");
    once();
    CHECK(contains(decision("run-3", "check"), "secrets differs from run-1"));
}

TEST_CASE("a daemon that is killed at any point of it comes to the same end") {
    const Shop shop;
    shop.run();
    for (int round = 0; round < 8; ++round) {
        const auto started = shop.world.json({"run", "--detach"}, shop.world.in(shop.repository.path()));
        REQUIRE(started["id"].is_string());
        std::this_thread::sleep_for(std::chrono::milliseconds(round * 2));  // any point will do
        shop.world.kill_daemon();
        shop.world.start_daemon();
        const auto id = started["id"].as_string();
        CHECK(shop.world.cicdctl({"watch", id}).code == 0);
        CHECK(shop.job(id)["inputs"]["from"] == Value("job-1"));
        CHECK(shop.world.json({"artifact", "list", id})["data"].as_array().size() == 1);
    }
    CHECK(contains(shop.world.cicdctl({"doctor", "--deep"}).out, "objects are whole"));
}

TEST_CASE("reuse and a shared workspace do not go together") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml", "name: app\nworkspace: shared\nstages:\n  - name: build\n    jobs: {a: {reuse: true, steps: ['true']}}\n"}};
    const auto plan = world.cicdctl({"plan"}, world.in(repository.path()));
    CHECK(plan.code == 2);
    CHECK(contains(plan.err, "shared workspace"));
}
