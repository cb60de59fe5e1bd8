#include "tests/unit/daemon/scheduler/chaos.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <string>

/// Random graphs, random events, restarts in between: whatever happens, runs end, once, after their jobs, within
/// capacity, in the order of their turns. CICD_PROPERTY_SEEDS=100000 runs more of them, CICD_PROPERTY_FIRST another seed.

using namespace cicd;
using namespace cicd::scheduler;
using namespace cicd::scheduler::testing;

namespace {

unsigned number(const char* name, unsigned otherwise) {
    const char* given = std::getenv(name);
    return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : otherwise;
}

}  // namespace

TEST_CASE("whatever happens: runs end once, after their jobs; places, groups and turns are kept; restarts lose nothing") {
    const unsigned first = number("CICD_PROPERTY_FIRST", 1), count = number("CICD_PROPERTY_SEEDS", 400);
    std::size_t events = 0, restarts = 0, starts = 0;
    for (unsigned seed = first; seed < first + count; ++seed) {
        CAPTURE(seed);
        Chaos chaos(seed);
        std::string broken;
        try {
            chaos.run();
        } catch (const std::exception& failure) {
            broken = failure.what();
        }
        if (!broken.empty()) FAIL("seed " << seed << ": " << broken);
        events += chaos.events, restarts += chaos.restarts, starts += chaos.starts;
    }
    MESSAGE(count << " sequences from seed " << first << ": " << events << " events, " << starts << " starts, " << restarts
                  << " restarts");
    CHECK(starts > 0);
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
