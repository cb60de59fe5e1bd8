#include "common/pipeline/front.hpp"
#include "daemon/planner/planner.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

using namespace cicd;

namespace fs = std::filesystem;

namespace {

struct Sum {
    int files = 0, planned = 0, constructs = 0, unsupported = 0, approximated = 0, manual = 0;
    double slowest = 0;
};

/// What the engine does not do yet is not the front end's matter; it is what the planner's own tests are about.
bool lacks_only(const Error& error) {
    return !error.problems.empty() && std::all_of(error.problems.begin(), error.problems.end(), [](const Diagnostic& problem) {
        return problem.message.starts_with("not available yet: ");
    });
}

void look_at(const fs::path& path, model::Dialect dialect, Sum& sum) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto name = path.filename().string();
    INFO(name);
    const auto begin = std::chrono::steady_clock::now();
    pipeline::FrontOptions options;
    options.facts.event.branch = "main";
    options.facts.source.branch = "main";
    options.facts.source.commit = std::string(40, 'a');
    const auto front = pipeline::read_front(dialect, text, name, options);
    ++sum.files;
    for (const auto& problem : front.parsed.problems)
        if (problem.severity == Severity::error) FAIL_CHECK(name << ":" << problem.line << ": " << problem.message);
    sum.constructs += front.report.constructs;
    sum.unsupported += front.report.count(pipeline::Carried::unsupported);
    sum.approximated += front.report.count(pipeline::Carried::approximated);
    sum.manual += front.report.count(pipeline::Carried::manual);
    for (const auto& finding : front.report.findings) {
        CHECK(finding.line > 0);
        CHECK_FALSE(finding.reason.empty());
    }
    planner::PlanRequest request;
    request.source = options.facts.source;
    request.event = options.facts.event;
    request.event.name = front.event;
    request.event.type = pipeline::event_type(dialect, front.event);
    const auto plan = planner::make_plan(front.parsed.value, request);
    sum.slowest = std::max(sum.slowest, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    if (plan || lacks_only(plan.error())) {
        ++sum.planned;
        return;
    }
    for (const auto& problem : plan.error().problems) MESSAGE(name, ":", problem.line, ": ", problem.message);
}

/// Real files lie outside of this repository; the variable names another folder.
void look_at_all(const char* variable, const char* usual, model::Dialect dialect, const std::vector<std::string>& except = {}) {
    const char* given = std::getenv(variable);
    const auto folder = given ? fs::path(given) : fs::path(CICD_SOURCE_DIR) / "../shared/corpus/pipelines" / usual;
    if (!fs::is_directory(folder)) {
        MESSAGE("skipped: there is no folder ", folder.string());
        return;
    }
    Sum sum;
    for (const auto& entry : fs::directory_iterator(folder))
        if (std::none_of(except.begin(), except.end(), [&](const std::string& part) { return entry.path().filename().string().find(part) != std::string::npos; }))
            look_at(entry.path(), dialect, sum);
    std::cout << usual << ": " << sum.files << " files, " << sum.planned << " planned; " << sum.constructs << " constructs: " << sum.unsupported
              << " unsupported, " << sum.approximated << " approximated, " << sum.manual << " need something; the slowest took " << sum.slowest
              << " ms\n";
    CHECK(sum.unsupported * 50 <= sum.constructs);
    CHECK(sum.planned == sum.files);
}

}  // namespace

// What is left out is no pipeline: settings of other programs, and a template in which Python's braces are not filled yet.
TEST_CASE("real GitLab files are read and planned") {
    look_at_all("CICD_PIPELINES_GITLAB", "gitlab", model::Dialect::gitlab, {"fail-on-breach.template.yml", "merge.release.yml", "build-base-venvs.yml"});
}

// settings.yaml of one of them is not a pipeline: it holds the project's settings.
TEST_CASE("GitLab's templates are read and planned") {
    look_at_all("CICD_PIPELINES_GITLAB_TEMPLATES", "gitlab-templates", model::Dialect::gitlab, {"settings.yaml"});
}

TEST_CASE("real Bitbucket files are read and planned") { look_at_all("CICD_PIPELINES_BITBUCKET", "bitbucket", model::Dialect::bitbucket); }
