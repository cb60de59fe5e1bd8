#include "daemon/scheduler/explain.hpp"
#include "tests/unit/daemon/scheduler/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

/// For each kind of cause: it is named, its facts are true, and when it is taken away the decision is another one.

using namespace cicd;
using namespace cicd::scheduler;
using namespace cicd::scheduler::testing;
using contract::CauseKind;

using model::EndReason;
using model::JobState;
using Keys = std::vector<std::string>;

namespace {

contract::JobExplanation why(World& world, const std::string& key) {
    const auto told = world.core.explain(world.id(key), world.now);
    REQUIRE(told.has_value());
    REQUIRE(told->jobs.size() == 1);
    return told->jobs[0];
}

contract::Cause cause(const contract::JobExplanation& told, CauseKind kind) {
    const auto found = std::find_if(told.causes.begin(), told.causes.end(), [&](const auto& each) { return each.kind == kind; });
    if (found == told.causes.end()) FAIL("no such cause: " << to_text(kind));
    return *found;
}

model::Plan jobs(std::vector<std::string> names) {
    model::Plan plan;
    plan.stages = {stage("s")};
    for (const auto& name : names) plan.jobs.push_back(job("s", name));
    return plan;
}

}  // namespace

TEST_CASE("a need that has not ended: it ends, and the job starts") {
    World world;
    auto plan = jobs({"a", "b"});
    plan.jobs[1].job.needs = {{"s", "a", {}}};
    world.accept(plan);
    const auto told = why(world, "s.b");
    CHECK((told.verdict == contract::Verdict::waits));
    REQUIRE(told.causes.size() == 1);
    CHECK(told.causes[0].text == "needs job s.a, which is scheduled: s.a (job-1) is scheduled");
    CHECK(told.causes[0].facts["need"] == Value("s.a"));
    CHECK(told.causes[0].facts["jobs"].as_array().at(0)["id"] == Value("job-1"));
    world.end("s.a");
    CHECK(world.take_started() == Keys{"s.a", "s.b"});
    CHECK((why(world, "s.b").verdict == contract::Verdict::runs));
}

TEST_CASE("slots, cores, memory and GPUs: what is short and by how much; freed, the job starts") {
    World world({2, 4, 8ULL << 30, 1});
    auto plan = jobs({"big", "more"});
    plan.jobs[0].job.resources.memory = 7ULL << 30;
    plan.jobs[1].job.resources.memory = 5ULL << 29;
    SUBCASE("memory") {
        world.accept(plan);
        const auto& told = cause(why(world, "s.more"), CauseKind::capacity);
        CHECK(told.text == "waits for 2.5 GiB of memory: 1.0 GiB of 8.0 GiB are free; held by s.big (job-1) of run-1");
        CHECK(told.facts["resource"] == Value("memory"));
        CHECK(told.facts["holders"].as_array().at(0) == Value("job-1"));
        CHECK(told.remedy == "cicdctl job cancel job-1");
    }
    SUBCASE("cpu") {
        for (auto& each : plan.jobs) each.job.resources = {}, each.job.resources.cpu = 3;
        world.accept(plan);
        CHECK(cause(why(world, "s.more"), CauseKind::capacity).facts["free"] == Value(1));
    }
    SUBCASE("gpu") {
        for (auto& each : plan.jobs) each.job.resources = {}, each.job.resources.gpu = 1;
        world.accept(plan);
        CHECK(cause(why(world, "s.more"), CauseKind::capacity).text ==
              "waits for 1 GPUs: 0 of 1 are free; held by s.big (job-1) of run-1");
    }
    SUBCASE("slots") {
        for (auto& each : plan.jobs) each.job.resources = {};
        world.handle(CapacityChanged{{1, 4, 8ULL << 30, 1}});
        world.accept(plan);
        CHECK(cause(why(world, "s.more"), CauseKind::capacity).text ==
              "waits for a slot: 1 of 1 are taken by s.big (job-1) of run-1");
    }
    CHECK(why(world, "s.more").causes.size() == 1);
    world.end("s.big");
    CHECK(world.started.back() == "s.more");
}

TEST_CASE("somebody goes first: with its own priority raised, the job goes first") {
    World world({1, 1, 0});
    auto plan = jobs({"runs"});
    world.accept(plan);
    world.accept(jobs({"first"}));
    world.accept(jobs({"second"}));
    const auto told = why(world, "s.second");
    const auto& turn = cause(told, CauseKind::turn);
    CHECK(turn.facts["ahead"] == Value(1));
    CHECK(turn.facts["rule"] == Value("order"));
    CHECK(turn.facts["first"]["job"] == Value(world.id("s.first").str()));
    CHECK(turn.remedy == "cicdctl job reschedule " + world.id("s.second").str() + " --priority high");
    contract::Reschedule change;
    change.priority = model::Priority::high;
    world.handle(JobRescheduled{world.id("s.second"), change, "me"});
    const auto& other = cause(why(world, "s.first"), CauseKind::turn);
    CHECK(other.facts["rule"] == Value("priority"));
    world.end("s.runs");
    CHECK(world.take_started() == Keys{"s.runs", "s.second"});
}

TEST_CASE("a lock: who holds it since when, how many are ahead; released, the next goes on") {
    World world;
    auto plan = jobs({"a"});
    plan.concurrency = model::Concurrency{"prod", {}};
    world.accept(plan);
    plan.jobs[0] = job("s", "b");
    world.accept(plan);
    plan.jobs[0] = job("s", "c");
    world.accept(plan);
    const auto told = why(world, "s.c");
    const auto& lock = cause(told, CauseKind::lock);
    CHECK(lock.text.starts_with("concurrency group 'prod' is held by run-1 since "));
    CHECK(lock.text.ends_with("; 1 is ahead"));
    CHECK(lock.facts["position"] == Value(2));
    CHECK(lock.remedy == "cicdctl cancel run-1");
    CHECK((world.core.explain(world.run, world.now)->verdict == contract::Verdict::waits));
    world.handle(RunCancelled{RunId("run-2"), {""}});
    world.end("s.a");
    CHECK(world.take_started() == Keys{"s.a", "s.c"});
}

TEST_CASE("maxParallel, a retry's wait, another time, a paused daemon") {
    World world;
    SUBCASE("limit") {
        model::Plan plan;
        plan.stages = {stage("s")};
        auto base = job("s", "m");
        base.job.max_parallel = 1;
        add_matrix(plan, base, 2);
        world.accept(plan);
        const auto told = why(world, "s.m (1)");
        const auto& limit = cause(told, CauseKind::limit);
        CHECK(limit.facts["limit"] == Value(1));
        CHECK(limit.facts["active"] == Value(1));
        world.end("s.m (0)");
        CHECK(world.started.back() == "s.m (1)");
    }
    SUBCASE("backoff") {
        auto plan = jobs({"a"});
        plan.jobs[0].job.retry = model::Retry{1, {}, {}, Milliseconds{60'000}};
        world.accept(plan);
        world.fail("s.a");
        const auto told = why(world, "s.a");
        const auto& wait = cause(told, CauseKind::backoff);
        CHECK(wait.facts["attempt"] == Value(2));
        CHECK(wait.facts["endReason"] == Value("exit"));
        CHECK(wait.facts["until"] == Value(format_time(world.now + Milliseconds{60'000})));
        contract::Reschedule now;
        now.not_before = world.now;
        world.handle(JobRescheduled{world.id("s.a"), now, "me"});
        CHECK(world.take_started() == Keys{"s.a", "s.a"});
        const auto again = why(world, "s.a");
        CHECK((again.verdict == contract::Verdict::rerun));
        CHECK(cause(again, CauseKind::retry).facts["endReason"] == Value("exit"));
    }
    SUBCASE("time") {
        auto plan = jobs({"a", "b"});
        plan.jobs[1].job.needs = {{"s", "a", {}}};
        world.accept(plan);
        contract::Reschedule later;
        later.not_before = world.now + Milliseconds{5000};
        world.handle(JobRescheduled{world.id("s.b"), later, "me"});
        world.end("s.a");
        CHECK(cause(why(world, "s.b"), CauseKind::time).facts["until"] == Value(format_time(*later.not_before)));
        REQUIRE(world.timers.size() == 1);
        world.now = *later.not_before;
        world.handle(TimerFired{world.timers[0]});
        CHECK(world.started.back() == "s.b");
    }
    SUBCASE("daemon") {
        world.handle(PauseChanged{"only 12 MiB are free"});
        world.accept(jobs({"a"}));
        const auto told = why(world, "s.a");
        CHECK((told.verdict == contract::Verdict::blocked));
        CHECK(cause(told, CauseKind::daemon).facts["reason"] == Value("only 12 MiB are free"));
        CHECK(world.started.empty());
        world.handle(PauseChanged{});
        CHECK(world.started == Keys{"s.a"});
    }
}

TEST_CASE("skipped: by a condition, a parameter, a selection, an event, a need; otherwise it runs") {
    auto plan = jobs({"a"});
    plan.stages.push_back(stage("t", {{"s", "", {}}}));
    plan.jobs.push_back(job("t", "b"));
    plan.jobs.push_back(job("t", "keep"));
    plan.jobs.back().job.condition = "always";
    auto& skipped = plan.jobs[1];
    auto other = plan;
    CauseKind kind = CauseKind::need;
    auto end = JobState::success;
    Value expected;
    std::string fact = "values";
    SUBCASE("condition at run time") {
        skipped.job.condition = "git.branch == 'main'";
        plan.source.branch = other.source.branch = "feature/x";
        other.source.branch = "main";
        other.jobs[1].job.condition = skipped.job.condition;
        kind = CauseKind::condition;
        expected = Object{{"git.branch", "feature/x"}};
    }
    SUBCASE("parameter decided by the plan") {
        skipped.job.condition = "!params.quick";
        plan.params = Object{{"quick", true}};
        skipped.reason = {model::Decision::skip, "condition '!params.quick' is false: params.quick = true"};
        other.params = Object{{"quick", false}};
        other.jobs[1].job.condition = skipped.job.condition;
        kind = CauseKind::parameters;
        expected = Object{{"params.quick", true}};
    }
    SUBCASE("selection") {
        skipped.reason = {model::Decision::skip, "not selected (--job a)"};
        kind = CauseKind::selection;
        fact = "selected";
        expected = false;
    }
    SUBCASE("trigger") {
        skipped.reason = {model::Decision::skip, "the event does not start the pipeline: branch x"};
        kind = CauseKind::trigger;
        fact = "event";
        expected = "manual";
    }
    SUBCASE("need") {
        end = JobState::failed;
        fact = "state";
        expected = "failed";
    }
    World world;
    world.accept(plan);
    world.end("s.a", end);
    CHECK((world.state("t.b") == JobState::skipped));
    const auto told = why(world, "t.b");
    CHECK((told.verdict == contract::Verdict::skipped));
    CHECK((told.causes.at(0).kind == kind));
    CHECK(told.causes[0].facts[fact] == expected);
    CHECK_FALSE(told.causes[0].text.empty());

    // The same from what is stored, after the run's end.
    auto run = *world.core.run(world.run);
    run.state = model::RunState::failed;
    for (auto& each : run.jobs)
        if (!model::is_final(each.state)) each.state = JobState::success;
    if (plan.params.is_null()) plan.params = Object{};
    const auto stored = explain_over(run, plan, {}, world.id("t.b"));
    REQUIRE(stored.jobs.size() == 1);
    CHECK((stored.jobs[0].causes.at(0).kind == kind));
    CHECK(stored.jobs[0].causes[0].facts[fact] == expected);

    World flipped;
    flipped.accept(other);
    flipped.end("s.a");
    CHECK(flipped.started == Keys{"s.a", "t.b", "t.keep"});
}

TEST_CASE("of a stage that failed, the job that failed is named, not one that was ended because of it") {
    auto plan = jobs({"ended", "wrong"});
    plan.stages.push_back(stage("t", {{"s", "", {}}}));
    plan.jobs.push_back(job("t", "b"));
    plan.jobs.push_back(job("t", "keep"));
    plan.jobs.back().job.condition = "always";
    World world;
    world.accept(plan);
    world.handle(JobCancelled{world.id("s.ended"), {"not needed"}});
    world.end("s.ended", JobState::cancelled);
    world.fail("s.wrong");
    const auto text = cause(why(world, "t.b"), CauseKind::need).text;
    CHECK(text.starts_with("needs stage s, which failed (s.wrong"));
}

TEST_CASE("ended: how, or who ended it") {
    World world;
    auto plan = jobs({"a", "keep"});
    plan.jobs[0].job.retry = model::Retry{1, {EndReason::lost}, {}, {}};
    world.accept(plan);
    SUBCASE("outcome, after a retry") {
        world.end("s.a", JobState::failed, EndReason::lost);
        world.fail("s.a");
        const auto told = why(world, "s.a");
        CHECK((told.verdict == contract::Verdict::ended));
        CHECK(cause(told, CauseKind::outcome).facts["exitCode"] == Value(1));
        CHECK(cause(told, CauseKind::retry).facts["endReason"] == Value("lost"));
        CHECK(cause(told, CauseKind::retry).text == "ran again: attempt 2 of 2, because the one before ended with lost");
    }
    SUBCASE("stopped") {
        world.handle(JobCancelled{world.id("s.a"), {"not needed"}});
        CHECK(cause(why(world, "s.a"), CauseKind::stop).text == "is being ended: cancelled: not needed");
        world.end("s.a", JobState::cancelled, EndReason::cancelled);
        const auto told = why(world, "s.a");
        CHECK(cause(told, CauseKind::stop).facts["reason"] == Value("cancelled"));
        CHECK(cause(told, CauseKind::stop).facts["by"] == Value("cancelled: not needed"));
    }
}
