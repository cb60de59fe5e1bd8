#include "tests/unit/daemon/scheduler/world.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <set>

/// Random graphs, random events: whatever happens, runs end, once, after their jobs, within capacity.
/// (An illegal transition throws inside the core.)

using namespace cicd;
using namespace cicd::scheduler;
using namespace cicd::scheduler::testing;
using model::EndReason;
using model::JobState;

namespace {

class Chaos {
public:
    explicit Chaos(unsigned seed) : random_(seed), world_({pick(1, 4), static_cast<double>(pick(1, 4)), 1000}) {}

    void run() {
        for (int i = pick(1, 3); i > 0; --i) {
            const auto id = world_.accept(plan());
            known_.insert(id);
            watch(world_.accepted);
        }
        for (int step = 0; step < 20'000 && world_.core.counts().active_runs > 0; ++step) watch(act());
        CHECK(world_.core.counts().active_runs == 0);
        CHECK(world_.core.counts().queued_jobs == 0);
        CHECK(world_.core.counts().running_jobs == 0);
        CHECK(ended_ == known_);
        for (const auto& [id, record] : world_.final_runs) CHECK(model::is_final(record.state));
    }

private:
    int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
    bool chance(int percent) { return pick(1, 100) <= percent; }

    std::string condition() {
        static const std::vector<std::string> some{
            "always",       "on_failure",    "failure()",     "cancelled()",
            "!cancelled()", "params.x == 1", "matrix.i == 1", "success() || failure()",
            "oops("};
        return chance(70) ? "" : some[pick(0, static_cast<int>(some.size()) - 1)];
    }

    model::Plan plan() {
        model::Plan made;
        made.params = Object{{"x", Value(pick(0, 1))}};
        if (chance(20)) made.timeout = Milliseconds{pick(1, 5000)};
        made.priority = static_cast<model::Priority>(pick(0, 3));
        const int stages = pick(1, 5);
        for (int s = 0; s < stages; ++s) {
            auto next = stage("s" + std::to_string(s));
            for (int before = 0; before < s; ++before)
                if (chance(40)) next.needs.push_back({"s" + std::to_string(before), "", {}});
            next.condition = condition();
            next.parallel = chance(80);
            if (chance(10)) next.timeout = Milliseconds{pick(1, 5000)};
            made.stages.push_back(next);
            for (int j = pick(0, 4); j > 0; --j) add_job(made, next.name, j);
        }
        return made;
    }

    void add_job(model::Plan& made, const std::string& in, int number) {
        auto next = job(in, "r" + std::to_string(++jobs_) + "j" + std::to_string(number));
        for (const auto& other : made.jobs)
            if (chance(15)) next.job.needs.push_back({other.stage, other.base.substr(other.stage.size() + 1), {}});
        next.job.condition = condition();
        next.job.allow_failure.value = chance(20);
        next.job.fail_fast.value = chance(60);
        if (chance(30)) next.job.max_parallel = pick(1, 2);
        if (chance(30)) next.job.retry = model::Retry{pick(0, 2), {}, Milliseconds{chance(50) ? 0 : pick(1, 100)}};
        if (chance(30)) next.job.resources.cpu = pick(1, 5);
        if (chance(20)) next.job.resources.memory = pick(1, 1100);
        if (chance(30))
            add_matrix(made, next, pick(1, 5));
        else
            made.jobs.push_back(next);
    }

    Actions act() {
        world_.now += Milliseconds{pick(0, 20)};
        if (chance(1))
            return world_.handle(
                RunCancelled{*std::next(known_.begin(), pick(0, static_cast<int>(known_.size()) - 1)), "x"});
        if (chance(2) && !places_.empty()) return world_.handle(JobCancelled{any().first, "x"});
        if (chance(20) && !world_.timers.empty()) {
            const auto timer = world_.timers.front();
            world_.timers.erase(world_.timers.begin());
            world_.now = std::max(world_.now, timer.at);
            return world_.handle(TimerFired{timer});
        }
        if (chance(1)) {  // never less than before, or jobs fail that nothing here knows of
            auto more = world_.core.capacity();
            ++more.slots;
            return world_.handle(CapacityChanged{more});
        }
        if (places_.empty()) return {};
        const auto [id, place] = any();
        model::JournalEntry entry;
        entry.time = world_.now;
        if (chance(30)) {
            entry.type = model::JournalType::job_started;
            return world_.handle(JobProgressed{id, place.attempt, entry});
        }
        if (chance(20)) {
            entry.type = chance(50) ? model::JournalType::step_started : model::JournalType::step_ended;
            entry.state = chance(50) ? model::StepState::success : model::StepState::failed;
            entry.step = pick(-1, 3);
            if (entry.type == model::JournalType::step_started) entry.state = model::StepState::running;
            return world_.handle(JobProgressed{id, place.attempt, entry});
        }
        places_.erase(id);
        model::JobExit exit;
        exit.state = chance(60) ? JobState::success : chance(80) ? JobState::failed : JobState::cancelled;
        exit.end_reason = static_cast<EndReason>(pick(0, 8));
        auto actions = world_.handle(JobEnded{id, place.attempt, exit});
        if (chance(10)) watch(world_.handle(JobEnded{id, place.attempt, exit}));  // told twice
        return actions;
    }

    struct Place {
        int attempt;
        Demand demand;
    };
    std::pair<JobId, Place> any() { return *std::next(places_.begin(), pick(0, static_cast<int>(places_.size()) - 1)); }

    void watch(const Actions& actions) {
        for (const auto& start : actions.starts) {
            const auto demand = Demand{start.spec.limits.cpu.value_or(0), start.spec.limits.memory.value_or(0)};
            CHECK(places_.emplace(start.spec.job, Place{start.spec.attempt, demand}).second);
        }
        for (const auto& id : actions.ended) CHECK(ended_.insert(id).second);
        check_capacity();
        check_order(actions);
    }

    void check_capacity() {
        Demand used;
        for (const auto& [id, place] : places_) used.cpu += place.demand.cpu, used.memory += place.demand.memory;
        for (auto place = places_.begin(); place != places_.end();)
            place = world_.core.job(place->first) ? std::next(place) : places_.erase(place);
        CHECK(static_cast<int>(places_.size()) <= world_.core.capacity().slots);
        CHECK(used.cpu <= world_.core.capacity().cpu);
        CHECK(used.memory <= world_.core.capacity().memory);
    }

    static void check_order(const Actions& actions) {
        std::set<RunId> over;
        for (const auto& event : actions.changes.events) {
            CHECK_FALSE(over.contains(event.run));
            if (event.type == "run.state" && model::is_final(*from_text<model::RunState>(event.state)))
                over.insert(event.run);
        }
    }

    std::mt19937 random_;
    World world_;
    std::map<JobId, Place> places_;
    std::set<RunId> known_, ended_;
    int jobs_ = 0;
};

}  // namespace

TEST_CASE("whatever happens, runs end once, after their jobs, within capacity") {
    for (unsigned seed = 1; seed <= 400; ++seed) {
        CAPTURE(seed);
        REQUIRE_NOTHROW(Chaos(seed).run());
    }
}

TEST_CASE("an event costs what it changes: ten thousand jobs") {
    World world({10, 10, 1U << 30});
    model::Plan plan;
    plan.stages = {stage("wide"), stage("in", {{"wide", "", {}}}), stage("chain", {{"in", "", {}}})};
    for (int i = 0; i < 5000; ++i) plan.jobs.push_back(job("wide", "j" + std::to_string(i)));
    plan.jobs.push_back(job("in", "in"));
    for (int i = 0; i < 5000; ++i) {
        plan.jobs.push_back(job("chain", "c" + std::to_string(i)));
        if (i > 0) plan.jobs.back().job.needs.push_back({"chain", "c" + std::to_string(i - 1), {}});
    }
    const auto begin = std::chrono::steady_clock::now();
    world.accept(std::move(plan));
    std::size_t done = 0;
    while (done < world.started.size()) world.end(std::string(world.started[done++]));
    const auto spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    MESSAGE("10001 jobs in " << spent << " s, unoptimised builds included");
    CHECK(done == 10'001);
    CHECK(world.run_state() == model::RunState::success);
}
