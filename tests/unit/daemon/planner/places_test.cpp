#include "common/pipeline/parse.hpp"
#include "daemon/planner/planner.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using cicd::test::contains;

// Services and writable systems: what a plan says of them.
namespace {

struct Planned {
    std::string problems, notices;
    std::optional<model::Plan> plan;
};

Planned plan_of(const std::string& job, const planner::PlanRequest& request = {}) {
    const auto parsed = pipeline::parse_pipeline("name: p\nstages:\n  - name: s\n    commands: [make]\n" + job, ".cicd.yaml");
    REQUIRE(parsed.ok());
    Planned planned;
    const auto plan = planner::make_plan(parsed.value, request);
    if (!plan) {
        for (const auto& problem : plan.error().problems) planned.problems += problem.message + "; " + problem.suggestion + "\n";
        return planned;
    }
    for (const auto& notice : plan->notices) planned.notices += notice + "\n";
    planned.plan = *plan;
    return planned;
}

}  // namespace

TEST_CASE("images of services are pinned as a job's own is, and secrets in their settings count") {
    planner::PlanRequest request;
    request.pin_image = [](const model::Image& image, model::ExecutorKind) -> Result<std::string> { return image.name + "@sha256:x"; };
    request.secrets = [] { return std::vector<model::KnownSecret>{}; };
    const auto planned = plan_of("    services: {db: {image: postgres, env: {P: x}}, tool: {command: run it}}\n", request);
    REQUIRE(planned.plan);
    CHECK(planned.plan->jobs[0].job.services[0].image == "postgres@sha256:x");
    CHECK(planned.plan->jobs[0].job.services[1].image.empty());
    CHECK(contains(plan_of("    services: {db: {image: postgres, env: {P: '${{ secrets.PW }}'}}}\n", request).problems, "missing secret 'PW'"));
}

TEST_CASE("services share one network: other ports, and jobs without a place, are refused; a missing way out is told") {
    CHECK(contains(plan_of("    services: {db: {command: x, ports: ['127.0.0.1:8080:80/tcp']}}\n").problems, "reach it at localhost:80"));
    CHECK(plan_of("    services: {db: {command: x, ports: [80, '81:81']}}\n").plan);
    planner::PlanRequest request;
    request.allow_host_executor = true;
    CHECK(contains(plan_of("    executor: host\n    services: {db: {command: x}}\n", request).problems, "no network of its own"));
    request.way_out_weakness = "slirp4netns is not installed";
    CHECK(contains(plan_of("    services: {db: {command: x}}\n", request).notices, "slirp4netns is not installed"));
    CHECK(plan_of("    network: none\n    services: {db: {command: x}}\n", request).notices.empty());
    CHECK(plan_of("", request).notices.empty());
}

TEST_CASE("a copy of this machine's system is for a daemon of root, an image for everybody") {
    planner::PlanRequest request;
    CHECK(contains(plan_of("    system: writable\n", request).problems, "cicdctl image build"));
    CHECK(!contains(plan_of("    system: writable\n    image: debian\n", request).notices, "only one user"));
    request.users_weakness = [] { return std::string("somebody has none: do this"); };
    CHECK(contains(plan_of("    system: writable\n    image: debian\n", request).notices, "somebody has none: do this"));
    CHECK(contains(plan_of("    system: writable\n    image: debian\n    services: {db: {image: x}}\n", request).notices, "beside services"));
    request.may_copy_system = true;
    CHECK(plan_of("    system: writable\n", request).plan);
    CHECK(plan_of("    system: writable\n    image: debian\n", request).notices.empty());
    CHECK(contains(plan_of("    system: writable\n    image: {name: debian, user: app}\n", request).problems, "sudo -u app"));
    request.allow_host_executor = true;
    CHECK(contains(plan_of("    system: writable\n    executor: host\n", request).problems, "none of its own"));
}

TEST_CASE("options that only an engine gives choose one, and are refused where another executor is asked for") {
    const std::string image = "    image: {name: box, options: {volumes: ['a:/a']}}\n";
    CHECK(plan_of(image).plan->jobs[0].job.executor == model::ExecutorKind::container);
    CHECK(plan_of("    image: {name: box, options: {sharedMemory: 1Mi}}\n").plan->jobs[0].job.executor == model::ExecutorKind::rootfs);
    CHECK(plan_of("    image: box\n    services: {db: {image: pg, options: {ulimits: [nofile=9]}}}\n").plan->jobs[0].job.executor == model::ExecutorKind::container);
    CHECK(contains(plan_of(image + "    executor: rootfs\n").problems, "that only an engine gives"));
}
