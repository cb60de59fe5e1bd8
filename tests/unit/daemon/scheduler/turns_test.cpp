#include "tests/unit/daemon/scheduler/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

/// Fair shares, concurrency groups, rescheduling, and what of them a restart must not forget.

using namespace cicd;
using namespace cicd::scheduler;
using namespace cicd::scheduler::testing;
using model::EndReason;
using model::JobState;
using model::Plan;
using model::RunState;
using Keys = std::vector<std::string>;

namespace {

Plan wide(const std::string& pipeline, const std::string& prefix, int count) {
    Plan plan;
    plan.pipeline = pipeline;
    plan.stages = {stage("s")};
    for (int i = 0; i < count; ++i) plan.jobs.push_back(job("s", prefix + std::to_string(i)));
    return plan;
}

Plan grouped(const std::string& name, const std::string& group, bool cancel = false) {
    Plan plan;
    plan.stages = {stage("s"), stage("clean", {{"s", "", {}}})};
    plan.jobs = {job("s", name), job("clean", name)};
    plan.stages[1].condition = "always";
    plan.concurrency = model::Concurrency{group, {cancel, {}}};
    return plan;
}

/// Another core that goes on with the active runs of the first.
Actions go_on(World& from, World& to, const std::vector<std::pair<RunId, Plan>>& plans) {
    RunsResumed all;
    for (const auto& [id, plan] : plans) {
        const auto* run = from.core.run(id);
        if (!run) continue;
        RunAccepted each;
        each.resumed = true;
        each.content.run = *run;
        each.content.plan = plan;
        each.content.plan.pipeline = run->pipeline;
        if (each.content.plan.params.is_null()) each.content.plan.params = Object{};
        for (const auto& stop : from.stops)
            if (stop.run == id) each.stops.push_back(stop);
        all.runs.push_back(std::move(each));
    }
    to.inherit(from);
    return to.handle(std::move(all));
}

}  // namespace

TEST_CASE("a thousand jobs of one pipeline do not keep another's single job waiting") {
    World world({4, 4, 0});
    world.accept(wide("big", "b", 1000));
    CHECK(world.take_started().size() == 4);
    world.accept(wide("small", "one", 1));
    CHECK(world.take_started().empty());
    world.end("s.b0");
    CHECK(world.take_started() == Keys{"s.one0"});
}

TEST_CASE("pipelines share places evenly, and users within a pipeline") {
    World world({6, 6, 0});
    world.user = "ann";
    world.accept(wide("p", "a", 20));
    world.user = "bob";
    world.accept(wide("p", "b", 20));
    world.accept(wide("q", "q", 20));
    auto running = world.take_started();
    for (int round = 0; round < 30; ++round) {
        world.end(running.front());
        running.erase(running.begin());
        for (const auto& key : world.take_started()) running.push_back(key);
    }
    const auto count = [&](char prefix) {
        return std::count_if(running.begin(), running.end(), [&](const auto& key) { return key[2] == prefix; });
    };
    CHECK(count('q') == 3);
    CHECK(count('a') + count('b') == 3);
    CHECK(std::abs(count('a') - count('b')) == 1);
}

TEST_CASE("whose turn has come but does not fit is not overtaken by an endless stream of small ones") {
    World world({4, 4, 0});
    auto plan = wide("p", "small", 3);
    for (auto& each : plan.jobs) each.job.resources.cpu = 1;
    world.accept(plan);
    plan = wide("big", "big", 1);
    plan.jobs[0].job.resources.cpu = 4;
    world.accept(plan);
    for (int i = 0; i < 20; ++i) {  // each of another pipeline, with fewer places than anybody
        auto stream = wide("stream" + std::to_string(i), "x" + std::to_string(i) + "-", 1);
        stream.jobs[0].job.resources.cpu = 1;
        world.accept(stream);
    }
    for (const auto* key : {"s.small0", "s.small1", "s.small2"}) world.end(key);
    CHECK(world.take_started() == Keys{"s.small0", "s.small1", "s.small2", "s.big0"});
    CHECK(world.core.queue().size() == 20);
}

TEST_CASE("the queue tells the order in which places are given out") {
    World world({1, 1, 0});
    world.accept(wide("p", "a", 3));
    world.accept(wide("q", "b", 2));
    auto urgent = wide("p", "u", 1);
    urgent.priority = model::Priority::critical;
    world.accept(urgent);
    Keys told;
    for (const auto& each : world.core.queue()) told.push_back(each.key);
    CHECK(told.front() == "s.u0");
    world.take_started();
    world.end("s.a0");
    CHECK(world.take_started() == Keys{"s.u0"});
    CHECK(world.core.queue().size() == 4);
}

TEST_CASE("a run waits for its group and goes on when the holder has ended, also after a restart") {
    World world;
    const auto first = grouped("a", "prod"), second = grouped("b", "prod"), third = grouped("c", "other");
    const auto a = world.accept(first);
    const auto b = world.accept(second);
    world.accept(third);
    CHECK(world.take_started() == Keys{"s.a", "s.c"});
    CHECK((world.final_runs.at(b).state == RunState::queued));
    SUBCASE("the same daemon") {
        world.end("s.a");
        world.end("clean.a");
        CHECK(world.started.back() == "s.b");
    }
    SUBCASE("another daemon") {
        World next;
        const auto actions = go_on(world, next, {{b, second}, {a, first}});
        REQUIRE(actions.adoptions.size() == 1);
        CHECK(actions.starts.empty());
        next.end("s.a");
        CHECK(next.take_started() == Keys{"clean.a"});
        next.end("clean.a");
        CHECK(next.take_started() == Keys{"s.b"});
    }
    SUBCASE("the one that waits is cancelled: nothing of it runs") {
        world.handle(RunCancelled{b, {""}});
        CHECK((world.final_runs.at(b).state == RunState::cancelled));
        CHECK((world.state("clean.b") == JobState::cancelled));
        CHECK(world.take_started().empty());
    }
}

TEST_CASE("cancelInProgress: the newest takes the place of those before it, which are superseded") {
    World world;
    const auto a = world.accept(grouped("a", "prod", true));
    const auto b = world.accept(grouped("b", "prod"));
    const auto c = world.accept(grouped("c", "prod", true));
    CHECK(world.stopped == Keys{"s.a"});
    CHECK((world.final_runs.at(b).state == RunState::cancelled));
    CHECK((world.jobs.at("s.b").end_reason == EndReason::superseded));
    CHECK(world.final_runs.at(b).message == "superseded by run-3 (group prod)");
    world.end("s.a", JobState::cancelled, EndReason::cancelled);
    CHECK((world.jobs.at("s.a").end_reason == EndReason::superseded));
    world.end("clean.a");
    CHECK((world.final_runs.at(a).state == RunState::cancelled));
    CHECK(world.take_started() == Keys{"s.a", "clean.a", "s.c"});
    CHECK((world.final_runs.at(c).state == RunState::running));
}

TEST_CASE("a group of jobs: one at a time across runs; equal names in other projects are other groups") {
    World world;
    auto plan = wide("p", "d", 2);
    for (auto& each : plan.jobs) each.job.concurrency = model::Concurrency{"deploy-${{ git.branch }}", {}};
    plan.source.branch = "main";
    world.accept(plan);
    CHECK(world.take_started() == Keys{"s.d0"});
    auto other = wide("p", "x", 1);
    other.jobs[0].job.concurrency = model::Concurrency{"deploy-main", {}};
    world.accept(other);
    CHECK(world.take_started().empty());
    other = wide("q", "y", 1);
    other.jobs[0].job.concurrency = model::Concurrency{"deploy-main", {}};
    world.accept(other);
    CHECK(world.take_started() == Keys{"s.y0"});
    SUBCASE("in order") {
        world.end("s.d0");
        CHECK(world.take_started() == Keys{"s.d1"});
        world.end("s.d1");
        CHECK(world.take_started() == Keys{"s.x0"});
    }
    SUBCASE("cancelInProgress") {
        other = wide("p", "z", 1);
        other.jobs[0].job.concurrency = model::Concurrency{"deploy-main", {true, {}}};
        world.accept(other);
        CHECK(world.stopped == Keys{"s.d0"});
        CHECK((world.jobs.at("s.d1").end_reason == EndReason::superseded));
        CHECK((world.jobs.at("s.x0").end_reason == EndReason::superseded));
        world.end("s.d0", JobState::cancelled, EndReason::cancelled);
        CHECK(world.take_started() == Keys{"s.z0"});
    }
}

TEST_CASE("rescheduling tells who changed what, and changes who goes next") {
    World world({1, 1, 0});
    world.accept(wide("p", "a", 1));
    world.accept(wide("p", "b", 1));
    const auto last = world.accept(wide("p", "c", 1));
    world.take_started();
    contract::Reschedule change;
    change.priority = model::Priority::critical;
    world.handle(RunRescheduled{last, change, "sam"});
    CHECK(world.events.back().message == "rescheduled by sam: priority critical (was normal)");
    CHECK((world.final_runs.at(last).priority == model::Priority::critical));
    world.end("s.a0");
    CHECK(world.take_started() == Keys{"s.c0"});
    change = {};
    change.not_before = world.now + Milliseconds{1000};
    world.handle(JobRescheduled{world.id("s.b0"), change, "sam"});
    world.end("s.c0");
    CHECK(world.take_started().empty());
    CHECK(world.jobs.at("s.b0").not_before == change.not_before);
    world.now = *change.not_before;
    world.handle(TimerFired{world.timers.back()});
    CHECK(world.take_started() == Keys{"s.b0"});
}

TEST_CASE("after a restart a retry waits for the rest of its time, and a cancellation goes on") {
    World world;
    auto plan = wide("p", "a", 2);
    plan.jobs[0].job.retry = model::Retry{2, {}, {}, Milliseconds{10'000}};
    const auto run = world.accept(plan);
    world.fail("s.a0");
    const auto until = world.jobs.at("s.a0").not_before;
    REQUIRE(until.has_value());
    World next;
    next.now = world.now + Milliseconds{4000};
    SUBCASE("backoff") {
        const auto actions = go_on(world, next, {{run, plan}});
        REQUIRE(actions.timers.size() == 1);
        CHECK(actions.timers[0].at == *until);
        CHECK(next.take_started().empty());
        next.now = *until;
        next.handle(TimerFired{actions.timers[0]});
        CHECK(next.take_started() == Keys{"s.a0"});
    }
    SUBCASE("cancelled once") {
        world.handle(RunCancelled{run, {"enough"}});
        const auto actions = go_on(world, next, {{run, plan}});
        CHECK(next.stopped == Keys{"s.a1"});
        CHECK(actions.stops.at(0).message == "cancelled: enough");
        next.end("s.a1", JobState::cancelled, EndReason::cancelled);
        CHECK((next.final_runs.at(run).state == RunState::cancelled));
        CHECK(next.final_runs.at(run).message == "cancelled: enough");
    }
    SUBCASE("one job cancelled") {
        world.handle(JobCancelled{world.id("s.a1"), {"wrong"}});
        go_on(world, next, {{run, plan}});
        CHECK(next.stopped == Keys{"s.a1"});
    }
}

TEST_CASE("while it is paused nothing starts, what runs goes on, and then everything goes on") {
    World world;
    world.accept(wide("p", "a", 1));
    world.take_started();
    world.handle(PauseChanged{"disk"});
    world.accept(wide("p", "b", 1));
    world.end("s.a0");
    CHECK(world.take_started().empty());
    CHECK(world.core.pause_reason() == "disk");
    world.handle(PauseChanged{});
    CHECK(world.take_started() == Keys{"s.b0"});
}

TEST_CASE("--from: what comes before counts as successful, with empty outputs") {
    World world;
    Plan plan;
    plan.stages = {stage("build"), stage("test", {{"build", "", {}}})};
    plan.jobs = {job("build", "b"), job("test", "t", {{"build", "b", {}}})};
    plan.jobs[0].reason = {model::Decision::skip, "before --from test: counts as successful"};
    plan.stages[0].reason = plan.jobs[0].reason;
    world.accept(plan);
    CHECK(world.take_started() == Keys{"test.t"});
    CHECK(world.specs.at("test.t").contexts["needs"]["build"]["result"] == Value("success"));
    CHECK(world.message("build.b") == "before --from test: counts as successful");
    world.end("test.t");
    CHECK(world.run_state() == RunState::success);
}
