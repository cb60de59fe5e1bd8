#include "common/pipeline/front.hpp"
#include "daemon/planner/planner.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

using namespace cicd;

namespace fs = std::filesystem;

// Real workflow files are read and planned. They lie outside of this repository; CICD_PIPELINES_GITHUB names another folder.
TEST_CASE("real workflows are read and planned") {
    const char* given = std::getenv("CICD_PIPELINES_GITHUB");
    const auto folder = given ? fs::path(given) : fs::path(CICD_SOURCE_DIR) / "../shared/corpus/pipelines/github";
    if (!fs::is_directory(folder)) {
        MESSAGE("skipped: there is no folder ", folder.string());
        return;
    }
    int files = 0, planned = 0, constructs = 0, unsupported = 0, approximated = 0, manual = 0;
    double slowest = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        std::ifstream file(entry.path());
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const auto name = entry.path().filename().string();
        INFO(name);
        const auto begin = std::clock();  // the processor's time: others may want it, too
        const auto front = pipeline::read_front(model::Dialect::github, text, name, {});
        ++files;
        for (const auto& problem : front.parsed.problems)
            if (problem.severity == Severity::error) FAIL_CHECK(name << ":" << problem.line << ": " << problem.message);
        constructs += front.report.constructs;
        unsupported += front.report.count(pipeline::Carried::unsupported);
        approximated += front.report.count(pipeline::Carried::approximated);
        manual += front.report.count(pipeline::Carried::manual);
        planner::PlanRequest request;
        request.source.branch = "main";
        request.source.commit = std::string(40, 'a');
        request.event.name = front.event;
        request.event.type = pipeline::event_type(model::Dialect::github, front.event);
        request.event.branch = "main";
        auto given_pipeline = front.parsed.value;
        for (auto& parameter : given_pipeline.parameters) parameter.required = false;
        const auto plan = planner::make_plan(given_pipeline, request);
        slowest = std::max(slowest, 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
        if (plan) {
            ++planned;
            continue;
        }
        for (const auto& problem : plan.error().problems)
            MESSAGE(name, ":", problem.line, ": ", problem.message);
    }
    std::cout << files << " workflows, " << planned << " planned; " << constructs << " constructs: " << unsupported << " unsupported, "
              << approximated << " approximated, " << manual << " need an action or a workflow; the slowest took " << slowest << " ms\n";
    CHECK(unsupported * 50 <= constructs);
    CHECK(planned == files);
}
