#include "common/pipeline/front.hpp"

#include <doctest/doctest.h>

#include <tuple>

using namespace cicd;

namespace {

pipeline::Front read(const std::string& text, const std::string& branch = "main", const std::string& event = "",
                     std::optional<model::Strings> changed = std::nullopt) {
    pipeline::FrontOptions options;
    options.event = event;
    options.facts.event.branch = branch;
    options.facts.changed_paths = [=] { return changed; };
    return pipeline::read_front(model::Dialect::bitbucket, text, "bitbucket-pipelines.yml", options);
}

std::string problems_of(const pipeline::Front& front) {
    std::string text;
    for (const auto& problem : front.parsed.problems) text += std::to_string(problem.line) + ": " + problem.message + "\n";
    return text;
}

const std::string sections =
    "pipelines:\n  default: [{step: {name: D, script: [d]}}]\n  branches: {'feature/*': [{step: {name: F, script: [f]}}]}\n"
    "  pull-requests: {'**': [{step: {name: P, script: [p]}}]}\n  custom: {deep: [{variables: [{name: V, default: x}]}, {step: {name: C, script: [c]}}]}\n";

}  // namespace

TEST_CASE("bitbucket: the section is chosen by branch, pull request and name") {
    const auto first = [](const pipeline::Front& front) {
        REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
        return front.parsed.value.stages.at(0).jobs.at(0).name;
    };
    CHECK(first(read(sections)) == "D");
    CHECK(first(read(sections, "feature/x")) == "F");
    CHECK(first(read(sections, "x", "pull_request")) == "P");
    const auto custom = read(sections, "x", "custom:deep");
    CHECK(first(custom) == "C");
    CHECK(custom.parsed.value.parameters.at(0).name == "V");
    CHECK_FALSE(read(sections, "x", "custom:none").parsed.ok());
}

TEST_CASE("bitbucket: steps follow each other; what waits for a hand holds up the rest") {
    const auto front = read("pipelines:\n  default:\n    - step: {name: A, script: [a], max-time: 5}\n    - step: {name: B, script: [b], trigger: manual}\n"
                            "    - parallel: [{step: {name: C, script: [c]}}, {step: {name: D, script: [d]}}]\n");
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    const auto& stages = front.parsed.value.stages;
    REQUIRE(stages.size() == 3);
    CHECK(stages[0].jobs[0].timeout == Milliseconds(300'000));
    CHECK(stages[1].jobs[0].unavailable.find("waits for a hand") != std::string::npos);
    CHECK(stages[2].jobs[1].unavailable.find("comes after 'B'") != std::string::npos);
    CHECK(stages[1].needs->at(0).stage == stages[0].name);
}

TEST_CASE("bitbucket: caches and conditions") {
    const auto front = read("definitions: {caches: {own: {path: deps, key: {files: [lock]}}}}\npipelines:\n  default:\n    - step:\n        script: [a]\n"
                            "        caches: [own, node]\n        condition: {changesets: {includePaths: ['src/**']}}\n", "main", "", model::Strings{"README"});
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    const auto& job = front.parsed.value.stages[0].jobs[0];
    REQUIRE(job.cache.size() == 2);
    CHECK(job.cache[0].key == "own-${{ hashFiles('lock') }}");
    CHECK(job.cache[1].paths == model::Strings{"node_modules"});
    CHECK(job.unavailable.find("none of 1 changed paths") != std::string::npos);
}

TEST_CASE("bitbucket: a pipe in a script is a job of its own, from the pipe's image, between the shell's") {
    const auto front = read("pipelines:\n  default:\n    - step:\n        name: Go\n        image: own\n        script: [a, b, {pipe: atlassian/x:1.2, variables: {TO: '\"$HOME\" `x`', ALL: [p, q]}}, c]\n"
                            "        after-script: [z]\n        artifacts: [out/**]\n    - step: {name: Only, script: [{pipe: 'docker://some/image:3'}]}\n");
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    const auto& stages = front.parsed.value.stages;
    REQUIRE(stages.size() == 2);
    REQUIRE(stages[0].jobs.size() == 3);
    const auto& [first, pipe, last] = std::tie(stages[0].jobs[0], stages[0].jobs[1], stages[0].jobs[2]);
    CHECK(first.image->name == "own");
    CHECK(first.steps.at(0).run == "a\nb\n");
    CHECK(pipe.image->name == "bitbucketpipelines/x:1.2");
    CHECK(pipe.steps.at(0).run.starts_with("export TO=\"\\\"$HOME\\\" \\`x\\`\"\nexport ALL_0=\"p\"\nexport ALL_1=\"q\"\nexport ALL_COUNT=2\n"));
    CHECK(pipe.needs.at(0).job == first.name);
    CHECK(last.needs.at(0).job == pipe.name);
    CHECK(last.image->name == "own");
    CHECK(first.artifacts.at(0).paths == model::Strings{"**"});
    CHECK(last.artifacts.at(0).paths == model::Strings{"out/**"});
    CHECK(first.steps.size() == 1);
    CHECK(last.steps.at(1).name == "after-script");
    REQUIRE(stages[1].jobs.size() == 1);
    CHECK(stages[1].jobs[0].image->name == "some/image:3");
    CHECK(front.report.count(pipeline::Carried::approximated) == 2);
    CHECK(front.report.count(pipeline::Carried::unsupported) == 0);
}

TEST_CASE("bitbucket: what Bitbucket refuses is an error") {
    CHECK_FALSE(read("image: x\n").parsed.ok());
    CHECK_FALSE(read("pipelines: {default: [{step: {name: x}}]}\n").parsed.ok());
    CHECK_FALSE(read("pipelines: {default: [{stp: {script: [x]}}]}\n").parsed.ok());
    CHECK_FALSE(read("pipelines: {default: [{step: {script: [x], caches: [nothing]}}]}\n").parsed.ok());
}
