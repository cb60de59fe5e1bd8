#include "common/pipeline/parse.hpp"
#include "daemon/planner/planner.hpp"

#include <doctest/doctest.h>

using namespace cicd;

TEST_CASE("a plan says once which declared limits this machine cannot hold exactly, and nothing where it can") {
    const auto parsed = pipeline::parse_pipeline(
        "name: p\nstages:\n  - name: s\n    resources: {memory: 1Gi, storage: 1Gi}\n    jobs:\n"
        "      a: {steps: [{run: a}]}\n      b: {steps: [{run: b}]}\n", ".cicd.yaml");
    REQUIRE(parsed.ok());
    planner::PlanRequest request;
    request.memory_weakness = request.cpu_weakness = "no writable cgroup";
    auto plan = planner::make_plan(parsed.value, request);
    REQUIRE(plan.has_value());
    REQUIRE(plan->notices.size() == 1);
    CHECK(plan->notices[0] ==
          "memory limit cannot be enforced exactly here: no writable cgroup; it holds for each process, not for the job");
    request.memory_weakness = request.cpu_weakness = "";
    plan = planner::make_plan(parsed.value, request);
    REQUIRE(plan.has_value());
    CHECK(plan->notices.empty());
}
