#include "tests/unit/daemon/scheduler/world.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::scheduler;
using namespace cicd::scheduler::testing;
using model::EndReason;
using model::JobState;
using model::Plan;
using model::RunState;
using model::StageState;
using Keys = std::vector<std::string>;

namespace {

Plan chain() {
    Plan plan;
    plan.stages = {stage("build"), stage("test", {{"build", "", {}}}), stage("ship", {{"test", "", {}}})};
    plan.jobs = {job("build", "build"), job("test", "unit"), job("test", "lint"), job("ship", "ship")};
    return plan;
}

}  // namespace

TEST_CASE("a job starts as soon as its own needs are met, whatever else runs") {
    World world;
    Plan plan;
    plan.stages = {stage("s")};
    plan.jobs = {job("s", "a"), job("s", "b"), job("s", "c", {{"s", "a", {}}})};
    world.accept(plan);
    CHECK(world.take_started() == Keys{"s.a", "s.b"});
    world.end("s.a");
    CHECK(world.take_started() == Keys{"s.c"});
    world.end("s.c");
    CHECK(world.run_state() == RunState::running);
    world.end("s.b");
    CHECK(world.run_state() == RunState::success);
    CHECK(world.stage_state("s") == StageState::success);
}

TEST_CASE("stages follow each other; what follows a failure is skipped and says why") {
    World world;
    world.accept(chain());
    CHECK(world.take_started() == Keys{"build.build"});
    world.end("build.build");
    CHECK(world.take_started() == Keys{"test.unit", "test.lint"});
    world.fail("test.unit");
    CHECK(world.state("test.lint") == JobState::scheduled);
    world.end("test.lint");
    CHECK(world.state("ship.ship") == JobState::skipped);
    CHECK(world.message("ship.ship") == "stage test failed");
    CHECK(world.stage_state("test") == StageState::failed);
    CHECK(world.stage_state("ship") == StageState::skipped);
    CHECK(world.run_state() == RunState::failed);
    CHECK(world.final_runs.at(world.run).message == "stage test failed");
}

TEST_CASE("conditions: words, expressions, status functions") {
    World world;
    auto plan = chain();
    plan.stages.pop_back();
    plan.jobs.pop_back();
    plan.params = Object{{"go", Value(false)}};
    plan.jobs[2].job.condition = "on_failure";
    for (const auto* name : {"always", "failure", "params", "both"})
        plan.stages.push_back(stage(name, {{"build", "", {}}}));
    for (const auto* name : {"always", "failure", "params", "both"}) plan.jobs.push_back(job(name, "j"));
    plan.jobs[3].job.condition = "always";
    plan.stages[3].condition = "${{ failure() }}";
    plan.jobs[5].job.condition = "params.go";
    plan.jobs[6].job.condition = "always() && params.go == false";
    SUBCASE("after a failure") {
        world.accept(plan);
        world.take_started();
        world.fail("build.build");
        CHECK(world.take_started() == Keys{"test.lint", "always.j", "failure.j", "both.j"});
        CHECK(world.message("params.j") == "stage build failed");
        CHECK(world.message("test.unit") == "stage build failed");
    }
    SUBCASE("after a success") {
        world.accept(plan);
        world.take_started();
        world.end("build.build");
        CHECK(world.take_started() == Keys{"test.unit", "always.j", "both.j"});
        CHECK(world.message("params.j") == "condition 'params.go' is false: params.go = false");
        CHECK(world.state("test.lint") == JobState::skipped);
        CHECK(world.stage_state("failure") == StageState::skipped);
    }
}

TEST_CASE("failure() sees a failure further up; a skipped need skips") {
    World world;
    auto plan = chain();
    plan.stages.push_back(stage("report", {{"ship", "", {}}}));
    plan.jobs.push_back(job("report", "mail"));
    plan.jobs.back().job.condition = "failure()";
    plan.stages.push_back(stage("last", {{"ship", "", {}}}));
    plan.jobs.push_back(job("last", "last"));
    world.accept(plan);
    world.fail("build.build");
    CHECK(world.state("ship.ship") == JobState::skipped);
    CHECK(world.take_started().back() == "report.mail");
    CHECK(world.message("last.last") == "stage ship was skipped");
}

TEST_CASE("allowFailure: the run goes on, the stage is partial") {
    World world;
    auto plan = chain();
    plan.jobs[1].job.allow_failure.expression = "${{ params.soft }}";
    plan.params = Object{{"soft", Value(true)}};
    world.accept(plan);
    world.end("build.build");
    world.fail("test.unit");
    world.end("test.lint");
    CHECK(world.stage_state("test") == StageState::partial);
    CHECK(world.state("ship.ship") == JobState::scheduled);
    world.end("ship.ship");
    CHECK(world.run_state() == RunState::success);
}

TEST_CASE("failFast cancels the siblings, and only those") {
    World world;
    Plan plan;
    plan.stages = {stage("s")};
    auto base = job("s", "m");
    base.job.max_parallel = 2;
    add_matrix(plan, base, 4);
    plan.jobs.push_back(job("s", "other"));
    SUBCASE("on") {
        world.accept(plan);
        CHECK(world.take_started() == Keys{"s.m (0)", "s.m (1)", "s.other"});
        world.fail("s.m (0)");
        CHECK(world.stopped == Keys{"s.m (1)"});
        CHECK(world.state("s.m (2)") == JobState::cancelled);
        world.end("s.m (1)", JobState::cancelled, EndReason::cancelled);
        world.end("s.other");
        CHECK(world.jobs.at("s.m (1)").end_reason == EndReason::cancelled);
        CHECK(world.run_state() == RunState::failed);
    }
    SUBCASE("of the stage") {
        plan.stages[0].fail_fast = true;
        plan.stages.push_back(stage("after", {{"s", "", {}}}));
        plan.jobs.push_back(job("after", "last"));
        world.accept(plan);
        world.take_started();
        SUBCASE("a failure") {
            world.fail("s.other");
            CHECK(world.stopped == Keys{"s.m (0)", "s.m (1)"});
            CHECK(world.state("s.m (3)") == JobState::cancelled);
            for (const auto* key : {"s.m (0)", "s.m (1)"}) world.end(key, JobState::cancelled, EndReason::cancelled);
            CHECK(world.state("after.last") == JobState::skipped);
        }
        SUBCASE("a failure that is allowed") {
            world.jobs.clear();
            World other;
            for (auto& planned : plan.jobs) planned.job.allow_failure.value = planned.job.name == "other";
            other.accept(plan);
            other.take_started();
            other.fail("s.other");
            CHECK(other.stopped.empty());
            return;
        }
        CHECK(world.run_state() == RunState::failed);
    }
    SUBCASE("off: maxParallel is kept") {
        for (auto& planned : plan.jobs) planned.job.fail_fast.value = false;
        world.accept(plan);
        world.take_started();
        world.fail("s.m (0)");
        CHECK(world.take_started() == Keys{"s.m (2)"});
        world.end("s.m (1)");
        CHECK(world.take_started() == Keys{"s.m (3)"});
        for (const auto* key : {"s.m (2)", "s.m (3)", "s.other"}) world.end(key);
        CHECK(world.run_state() == RunState::failed);
    }
}

TEST_CASE("parallel: false runs one after another and stops at a failure") {
    World world;
    Plan plan;
    plan.stages = {stage("s")};
    plan.stages[0].parallel = false;
    plan.jobs = {job("s", "a"), job("s", "b"), job("s", "c")};
    plan.jobs[0].reason = {model::Decision::skip, "not selected"};
    world.accept(plan);
    CHECK(world.take_started() == Keys{"s.b"});
    world.fail("s.b");
    CHECK(world.message("s.c") == "job s.b failed");
    CHECK(world.run_state() == RunState::failed);
}

TEST_CASE("retry: again at once or after a doubling wait, for the reasons named") {
    World world;
    Plan plan;
    plan.stages = {stage("s")};
    plan.jobs = {job("s", "a")};
    plan.jobs[0].job.retry = model::Retry{2, {EndReason::exit}, {}, Milliseconds{10'000}};
    world.accept(plan);
    SUBCASE("attempts") {
        world.take_started();
        world.fail("s.a");
        CHECK(world.state("s.a") == JobState::queued);
        CHECK(world.take_started().empty());
        REQUIRE(world.timers.size() == 1);
        CHECK(world.timers[0].at == world.now + Milliseconds{10'000});
        world.handle(TimerFired{world.timers[0]});
        CHECK(world.take_started() == Keys{"s.a"});
        CHECK(world.jobs.at("s.a").attempt == 2);
        world.fail("s.a");
        CHECK(world.timers[1].at == world.now + Milliseconds{20'000});
        world.handle(TimerFired{world.timers[1]});
        world.fail("s.a");
        CHECK(world.run_state() == RunState::failed);
    }
    SUBCASE("another exit code than those named") {
        plan.jobs[0].job.retry->exit_codes = {75};
        World other;
        other.accept(plan);
        other.fail("s.a");
        CHECK(other.run_state() == RunState::failed);
    }
    SUBCASE("one of the exit codes named") {
        plan.jobs[0].job.retry->exit_codes = {75, 1};
        World other;
        other.accept(plan);
        other.fail("s.a");
        CHECK(other.state("s.a") == JobState::queued);
    }
    SUBCASE("another reason") {
        world.end("s.a", JobState::failed, EndReason::oom);
        CHECK(world.run_state() == RunState::failed);
    }
    SUBCASE("cancelled while it waits") {
        world.fail("s.a");
        world.handle(RunCancelled{world.run, {"enough"}});
        CHECK(world.run_state() == RunState::cancelled);
        CHECK(world.final_runs.at(world.run).message == "cancelled: enough");
    }
}

TEST_CASE("cancelling: what runs is stopped, what waits is cancelled, always() still runs, twice ends that too") {
    World world;
    auto plan = chain();
    plan.stages.push_back(stage("clean", {{"ship", "", {}}}));
    plan.stages.back().condition = "always";
    plan.jobs.push_back(job("clean", "up"));
    world.accept(plan);
    world.take_started();
    world.handle(RunCancelled{world.run, {""}});
    CHECK(world.stopped == Keys{"build.build"});
    CHECK(world.state("ship.ship") == JobState::cancelled);
    CHECK(world.run_state() == RunState::running);
    world.end("build.build", JobState::cancelled, EndReason::cancelled);
    CHECK(world.take_started() == Keys{"clean.up"});
    SUBCASE("once") {
        world.end("clean.up");
    }
    SUBCASE("twice") {
        world.handle(RunCancelled{world.run, {""}});
        CHECK(world.stopped.back() == "clean.up");
        world.end("clean.up", JobState::cancelled, EndReason::cancelled);
    }
    CHECK(world.run_state() == RunState::cancelled);
}

TEST_CASE("timeouts of pipeline and stage end what runs and fail the run") {
    World world;
    auto plan = chain();
    plan.timeout = Milliseconds{60'000};
    plan.stages[0].timeout = Milliseconds{30'000};
    world.accept(plan);
    REQUIRE(world.timers.size() == 2);
    const bool pipeline = world.timers[0].kind == Timer::Kind::run_timeout;
    REQUIRE(pipeline);
    SUBCASE("pipeline") {
        world.handle(TimerFired{world.timers[0]});
        CHECK(world.state("ship.ship") == JobState::cancelled);
    }
    SUBCASE("stage") {
        world.handle(TimerFired{world.timers[1]});
    }
    CHECK(world.stopped == Keys{"build.build"});
    world.end("build.build", JobState::cancelled, EndReason::timeout);
    CHECK(world.state("build.build") == JobState::failed);
    CHECK(world.jobs.at("build.build").end_reason == EndReason::timeout);
    CHECK(world.stage_state("build") == StageState::failed);
    CHECK(world.run_state() == RunState::failed);
}

TEST_CASE("capacity: cores, memory, slots; nobody starves, nobody idles for another") {
    World world({3, 2, 1000});
    Plan plan;
    plan.stages = {stage("s")};
    plan.jobs = {job("s", "half"), job("s", "whole"), job("s", "small"), job("s", "plain"), job("s", "huge")};
    plan.jobs[0].job.resources.cpu = 1;
    plan.jobs[1].job.resources.cpu = 2;
    plan.jobs[2].job.resources.cpu = 1;
    plan.jobs[4].job.resources.memory = 2000;
    world.accept(plan);
    CHECK(world.take_started() == Keys{"s.half", "s.plain"});
    CHECK(world.state("s.huge") == JobState::failed);
    CHECK(world.jobs.at("s.huge").end_reason == EndReason::infra);
    CHECK(world.message("s.huge") == "asks for 2000 of memory, but there is 1000 here; lower resources.memory");
    world.end("s.half");
    CHECK(world.take_started() == Keys{"s.whole"});
    world.end("s.whole");
    CHECK(world.take_started() == Keys{"s.small"});
}

TEST_CASE("priority goes first, then the earlier run") {
    World world({1, 1, 0});
    Plan plan;
    plan.stages = {stage("s")};
    plan.jobs = {job("s", "first")};
    world.accept(plan);
    const auto first = world.run;
    plan.jobs = {job("s", "second")};
    world.accept(plan);
    plan.jobs = {job("s", "urgent")};
    plan.priority = model::Priority::critical;
    world.accept(plan);
    world.end("s.first");
    world.end("s.urgent");
    CHECK(world.take_started() == Keys{"s.first", "s.urgent", "s.second"});
    CHECK(world.final_runs.at(first).state == RunState::success);
}

TEST_CASE("jobs see the results and outputs of what they need") {
    World world;
    auto plan = chain();
    plan.jobs[1].job.needs = {{"build", "build", {}}};
    plan.jobs[1].job.condition = "needs.build.outputs.version == '3'";
    world.accept(plan);
    world.end("build.build", JobState::success, EndReason::exit, Object{{"version", Value("3")}});
    const auto& needs = world.specs.at("test.unit").contexts["needs"];
    CHECK(needs["build"]["result"] == Value("success"));
    CHECK(needs["build"]["jobs"]["build"]["outputs"]["version"] == Value("3"));
    CHECK(needs["build.build"]["outputs"]["version"] == Value("3"));
}

TEST_CASE("a matrix from outputs is expanded when its needs have ended") {
    World world;
    auto plan = chain();
    plan.stages.pop_back();
    plan.jobs = {job("build", "list"), job("test", "unit")};
    plan.jobs[1].expand_later = true;
    plan.jobs[1].job.matrix = model::Matrix{.axes = {{"v", {}, "${{ fromJSON(needs.build.outputs.list) }}"}}};
    world.accept(plan);
    world.end("build.list", JobState::success, EndReason::exit, Object{{"list", Value("[1,2,3]")}});
    CHECK(world.started == Keys{"build.list", "test.unit (1)", "test.unit (2)", "test.unit (3)"});
    for (const auto* key : {"test.unit (1)", "test.unit (2)", "test.unit (3)"}) world.end(key);
    CHECK(world.run_state() == RunState::success);
}

TEST_CASE("after a restart, running jobs are adopted, queued ones wait, the rest follows") {
    World before({1, 1, 0});
    auto plan = chain();
    before.accept(plan);
    before.end("build.build");
    World after({1, 1, 0});
    RunAccepted event;
    event.resumed = true;
    event.content.run = *before.core.run(before.run);
    event.content.plan = plan;
    event.content.plan.params = Object{};
    event.last_seq = 50;
    after.run = before.run;
    for (const auto& [key, record] : before.jobs) after.jobs[key] = record;
    const auto actions = after.core.handle(event, after.now);
    REQUIRE(actions.adoptions.size() == 1);
    CHECK(actions.adoptions[0].spec.key == "test.unit");
    CHECK(actions.starts.empty());
    model::JobExit exit;
    const auto next = after.core.handle(JobEnded{before.id("test.unit"), 1, exit}, after.now);
    REQUIRE(next.starts.size() == 1);
    CHECK(next.starts[0].spec.key == "test.lint");
    CHECK(next.changes.events.front().seq > 50);
}

namespace {

/// The run of a chain where test.unit failed, as it is when all is over.
model::Run failed_chain(World& world) {
    world.fail("test.unit");
    auto over = *world.core.run(world.run);
    for (auto& record : over.jobs)
        if (record.key == "test.lint")
            record.state = JobState::success;
        else if (record.key == "ship.ship")
            record.state = JobState::skipped;
    over.state = RunState::failed;
    return over;
}

}  // namespace

TEST_CASE("retry takes over what succeeded; a restart is one job and what it had kept from running") {
    World world;
    auto plan = chain();
    world.accept(plan);
    world.end("build.build", JobState::success, EndReason::exit, Object{{"v", Value("1")}});
    const auto over = failed_chain(world);
    int ids = 100;
    const Birth birth{RunId("run-9"), [&] { return JobId("job-" + std::to_string(++ids)); }, "me", world.now};
    const auto next = retry_run({over, plan, ""}, {}, birth);
    REQUIRE(next.has_value());
    CHECK(next->run.jobs[0].state == JobState::success);
    CHECK(next->run.jobs[0].message == "taken over from run-1");
    CHECK(next->run.jobs[0].outputs["v"] == Value("1"));
    CHECK(next->run.jobs[1].state == JobState::created);
    CHECK(next->run.number == 9);
    World again;
    again.run = next->run.id;
    again.handle(RunAccepted{*next});
    CHECK(again.take_started() == Keys{"test.unit"});
    CHECK(again.stage_state("build") == StageState::success);
    again.end("test.unit");
    again.end("ship.ship");
    CHECK(again.run_state() == RunState::success);
    const auto restarted = restart_job({over, plan, ""}, world.id("test.unit"), birth);
    REQUIRE(restarted.has_value());
    CHECK(restarted->run.jobs[3].state == JobState::created);
    const auto early = retry_run({*world.core.run(world.run), plan, ""}, {}, birth);
    CHECK_FALSE(early.has_value());
}

TEST_CASE("retry from a stage, or of jobs: the rest keeps its results") {
    World world;
    auto plan = chain();
    world.accept(plan);
    world.end("build.build");
    const auto over = failed_chain(world);
    int ids = 100;
    const Birth birth{RunId("run-9"), [&] { return JobId("job-" + std::to_string(++ids)); }, "me", world.now};
    const auto states = [&](const contract::RetryRun& what) {
        std::vector<JobState> found;
        const auto next = retry_run({over, plan, ""}, what, birth);
        REQUIRE(next.has_value());
        for (const auto& record : next->run.jobs) found.push_back(record.state);
        return found;
    };
    using enum JobState;
    CHECK((states({.from_stage = "test"}) == std::vector{success, created, created, created}));
    CHECK((states({.from_stage = "ship"}) == std::vector{success, failed, success, created}));
    CHECK((states({.jobs = {"test.unit"}}) == std::vector{success, created, success, created}));
    CHECK((states({.jobs = {over.jobs[2].id.str()}}) == std::vector{success, failed, created, created}));
    const auto wrong = retry_run({over, plan, ""}, {.from_stage = "tests"}, birth);
    REQUIRE_FALSE(wrong.has_value());
    CHECK(wrong.error().code == "PIPELINE_007");
    const auto unknown = retry_run({over, plan, ""}, {.jobs = {"test.units"}}, birth);
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().code == "JOB_001");
}
