#include "daemon/scheduler/reuse.hpp"

#include "tests/unit/daemon/scheduler/world.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::scheduler;
using namespace cicd::scheduler::testing;
using model::JobState;
using model::RunState;

namespace {

InputsQuestion question() {
    InputsQuestion asked;
    asked.spec.contexts = Object{{"params", Object{{"level", "low"}, {"other", 1}}}, {"matrix", Object{}}, {"run", Object{{"id", "run-9"}}}};
    asked.spec.env = {{{"A", "1"}}, {}, {}};
    asked.spec.steps = {{.id = "one", .run = "make"}};
    asked.source.tree = "t1";
    asked.references = {"params.level"};
    return asked;
}

std::string differing(const InputsQuestion& changed, const Surroundings& around = {}) {
    return differences(inputs_of(changed, around), inputs_of(question(), {}));
}

model::Plan plan() {
    model::Plan made;
    made.stages = {stage("s")};
    made.jobs = {job("s", "a"), job("s", "b", {{"s", "a", {}}})};
    for (auto& each : made.jobs) each.job.reuse = true;
    made.source.tree = "t1";
    return made;
}

model::JobRun known() {
    model::JobRun record;
    record.id = JobId("job-70");
    record.run = RunId("run-7");
    record.outputs = Object{{"version", "7"}};
    record.artifacts = {{.name = "out", .digest = std::string(64, 'a')}};
    return record;
}

}  // namespace

TEST_CASE("each part of a job's inputs counts, and nothing else") {
    CHECK(inputs_of(question(), {}).digest == inputs_of(question(), {}).digest);
    auto changed = question();
    changed.spec.contexts = Object{{"params", Object{{"level", "low"}, {"other", 2}}}, {"matrix", Object{}}, {"run", Object{{"id", "run-10"}}}};
    changed.spec.job = JobId("job-5");
    changed.spec.timeout = Milliseconds(5);
    CHECK(differing(changed).empty());
    changed.spec.contexts = Object{{"params", Object{{"Level", "high"}}}, {"matrix", Object{{"os", "a"}}}};
    CHECK(differing(changed) == "values and matrix");
    changed = question();
    changed.source.tree = "t2";
    changed.spec.steps[0].run = "make all";
    changed.spec.env[0][0].second = "2";
    CHECK(differing(changed) == "tree, steps and env");
    changed = question();
    changed.spec.needed = {{"build.a", "out", std::string(64, 'b')}};
    CHECK(differing(changed) == "artifacts");
    changed = question();
    changed.spec.image.emplace().name = "debian@sha256:1";
    CHECK(differing(changed) == "image");
    CHECK(differing(question(), {{{"TOKEN", "1"}}, ""}) == "secrets");
    CHECK(differing(question(), {{}, "another /usr"}) == "host");
    changed = question();
    changed.spec.executor = model::ExecutorKind::rootfs;
    CHECK(differences(inputs_of(changed, {{}, "a"}), inputs_of(changed, {{}, "b"})).empty());
    changed = question();
    changed.source.tree.clear();
    CHECK(inputs_of(changed, {}).digest.empty());
}

TEST_CASE("what comes of the inputs, and why") {
    const auto inputs = inputs_of(question(), {});
    store::KnownResults results;
    CHECK(decide_reuse(inputs, question(), results, false).decision.find("no success") != std::string::npos);
    results.latest = known();
    results.latest->inputs = inputs_of(question(), {{{"TOKEN", "1"}}, ""});
    CHECK(decide_reuse(inputs, question(), results, false).decision == "not reused: secrets differs from run-7, job-70");
    results.same = known();
    CHECK(decide_reuse(inputs, question(), results, true).from == JobId("job-70"));
    CHECK(decide_reuse(inputs, question(), results, true).decision == "reused from run-7, job-70: same inputs " + inputs.digest);
    CHECK(decide_reuse(inputs, question(), results, false).from.empty());
    auto forced = question();
    forced.may_reuse = false;
    CHECK(decide_reuse(inputs, forced, results, true).from.empty());
    CHECK(decide_reuse({}, question(), results, true).from.empty());
}

TEST_CASE("a pull request's results are its own") {
    model::Event event;
    CHECK(result_scope(event).empty());
    event.pull_request = 4;
    CHECK(result_scope(event) == "pull request 4");
    event = {};
    event.type = model::TriggerType::pull_request;
    CHECK_FALSE(result_scope(event).empty());
}

TEST_CASE("a job asks once for its inputs, gets a known result without a place, and what needs it goes on") {
    World world;
    world.accept(plan());
    REQUIRE(world.accepted.questions.size() == 1);
    CHECK(world.accepted.starts.empty());
    CHECK(world.state("s.a") == JobState::queued);
    const model::JobInputs inputs{"sha256:1", {{"tree", "t1"}}, "reused from run-7, job-70: same inputs sha256:1", JobId("job-70")};
    const auto actions = world.handle(InputsKnown{world.id("s.a"), 1, inputs, known()});
    CHECK(world.state("s.a") == JobState::success);
    CHECK(world.message("s.a") == inputs.decision);
    REQUIRE(actions.changes.artifacts.size() == 1);
    CHECK(actions.changes.artifacts[0].job == world.id("s.a"));
    CHECK(actions.changes.results.empty());
    REQUIRE(actions.questions.size() == 1);
    CHECK(actions.questions[0].spec.needed.size() == 1);
    CHECK(actions.questions[0].spec.contexts["needs"]["a"]["outputs"]["version"] == Value("7"));
    // The same answer again, and one for an attempt that is over, change nothing.
    CHECK(world.handle(InputsKnown{world.id("s.a"), 1, inputs, known()}).changes.empty());
    // The other one is not known: it runs, and its success is noted.
    world.handle(InputsKnown{world.id("s.b"), 1, {"sha256:2", {}, "not reused: no success with reuse is known yet", {}}, {}});
    CHECK(world.take_started() == std::vector<std::string>{"s.b"});
    const auto ended = world.end("s.b");
    REQUIRE(ended.changes.results.size() == 1);
    CHECK(ended.changes.results[0].digest == "sha256:2");
    CHECK(world.run_state() == RunState::success);
}

TEST_CASE("a failure is not noted; a job that is cancelled while it asks stays cancelled") {
    World world;
    world.accept(plan());
    world.handle(InputsKnown{world.id("s.a"), 1, {"sha256:1", {}, "not reused: …", {}}, {}});
    CHECK(world.fail("s.a").changes.results.empty());
    world.accept(plan());
    world.handle(RunCancelled{world.run, {}});
    CHECK(world.state("s.a") == JobState::cancelled);
    CHECK(world.handle(InputsKnown{world.id("s.a"), 1, {"sha256:1", {}, "", JobId("job-70")}, known()}).changes.empty());
}
