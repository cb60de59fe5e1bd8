#include "common/pipeline/convert.hpp"
#include "daemon/planner/planner.hpp"

#include <doctest/doctest.h>

#include <set>

// A Bitbucket file holds several pipelines. Imported, each is one of ours; by any event that one starts which Bitbucket starts.

using namespace cicd;

namespace {

const std::string text = R"(
pipelines:
  default:
    - step: {name: usual, script: [x]}
  branches:
    'feature/*': [{step: {name: feature, script: [x]}}]
    main: [{step: {name: main, script: [x]}}, {step: {name: deploy, trigger: manual, script: [x]}}, {step: {name: after deploy, script: [x]}}]
    '{release,hotfix}/**': [{step: {name: release, script: [x]}}]
    'feature/**': [{step: {name: deep feature, script: [x]}}]
    feature/special: [{step: {name: special, script: [x]}}]
    c++: [{step: {name: plus, script: [x]}}]
  tags:
    'v*': [{step: {name: version, script: [x]}}]
    nightly: [{step: {name: nightly, script: [x]}}]
  pull-requests:
    'feature/*': [{step: {name: feature's request, script: [x]}}]
    'hotfix/one': [{step: {name: one request, script: [x]}}]
    '**': [{step: {name: request, script: [x]}}]
  custom:
    by hand: [{variables: [{name: WHERE, default: here, allowed-values: [here, there]}]}, {step: {name: custom, script: [x]}}]
)";

struct Occasion {
    const char* event;
    std::string branch, tag;
    model::Texts params = {};
};
const std::vector<Occasion> occasions{
    {"push", "main", ""},          {"push", "main", "", {{"run_deploy", "true"}}},
    {"push", "develop", ""},       {"push", "feature/x", ""},
    {"push", "feature/x/y", ""},   {"push", "feature/special", ""},
    {"push", "release/1.0", ""},   {"push", "hotfix/a/b", ""},
    {"push", "c++", ""},           {"push", "ccc", ""},
    {"push", "", "v1.2"},          {"push", "", "nightly"},
    {"push", "", "other"},         {"pull_request", "feature/x", ""},
    {"pull_request", "hotfix/one", ""}, {"pull_request", "a/b", ""},
};

pipeline::FrontOptions options_for(const Occasion& occasion) {
    pipeline::FrontOptions options;
    options.event = occasion.event;
    options.facts.event.branch = occasion.branch;
    options.facts.event.tag = occasion.tag;
    return options;
}

std::set<std::string> jobs_of(const model::Pipeline& pipeline, const Occasion& occasion) {
    planner::PlanRequest request;
    request.event.type = pipeline::event_type(model::Dialect::bitbucket, occasion.event);
    request.source.branch = request.event.branch = occasion.branch;
    request.source.tag = request.event.tag = occasion.tag;
    request.source.commit = std::string(40, 'a');
    request.event.base_branch = request.event.type == model::TriggerType::pull_request ? "main" : "";
    request.may_copy_system = true;
    for (const auto& parameter : pipeline.parameters)
        for (const auto& [name, value] : occasion.params)
            if (parameter.name == name) request.params.emplace_back(name, value);
    std::set<std::string> jobs;
    const auto plan = planner::make_plan(pipeline, request);
    if (!plan) return {plan.error().message};
    for (const auto& job : plan->jobs)
        if (job.reason.decision != model::Decision::skip) jobs.insert(job.job.name);
    return jobs;
}

std::string listed(const std::set<std::string>& names) {
    std::string all;
    for (const auto& name : names) all += name + ", ";
    return all;
}

}  // namespace

TEST_CASE("the pipelines of a Bitbucket file, imported, start by the events that start them there") {
    const auto parts = pipeline::parts_of(model::Dialect::bitbucket, text, "bitbucket-pipelines.yml");
    CHECK(parts == model::Strings{"default", "branches-feature", "branches-main", "branches-release-hotfix", "branches-feature-2", "branches-feature-special",
                                  "branches-c", "tags-v", "tags-nightly", "pull-requests-feature", "pull-requests-hotfix-one", "pull-requests-any", "by-hand"});
    std::vector<model::Pipeline> imported;
    for (const auto& part : parts) {
        pipeline::FrontOptions options;
        options.event = "push";
        options.part = part;
        options.facts.every_run = true;
        const auto front = pipeline::read_front(model::Dialect::bitbucket, text, "bitbucket-pipelines.yml", options);
        REQUIRE(front.parsed.ok());
        const auto made = pipeline::convert(front, "bitbucket-pipelines.yml");
        auto parsed = pipeline::parse_pipeline(made.yaml, part + ".yaml");
        INFO(made.yaml);
        REQUIRE(parsed.problems.empty());
        CHECK(parsed.value.name == part);
        imported.push_back(std::move(parsed.value));
    }
    for (const auto& occasion : occasions) {
        const auto about = std::string(occasion.event) + " " + occasion.branch + occasion.tag;
        CAPTURE(about);
        const auto own = pipeline::read_front(model::Dialect::bitbucket, text, "bitbucket-pipelines.yml", options_for(occasion));
        std::set<std::string> theirs, ours;
        if (own.parsed.ok())
            for (const auto& stage : own.parsed.value.stages)
                for (const auto& job : stage.jobs)
                    if (job.unavailable.empty() || !occasion.params.empty()) theirs.insert(job.name);
        for (const auto& pipeline : imported)
            for (const auto& job : jobs_of(pipeline, occasion)) ours.insert(job);
        CHECK(listed(ours) == listed(theirs));
    }
    CHECK(imported.back().triggers.at(0).type == model::TriggerType::manual);
    CHECK(imported.back().parameters.at(0).values.size() == 2);
}
