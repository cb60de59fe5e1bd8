#include "common/pipeline/parse.hpp"

#include <doctest/doctest.h>

using namespace cicd;

namespace {

model::Pipeline parsed(const std::string& text) {
    auto result = pipeline::parse_pipeline(text, "test.yaml");
    for (const auto& p : result.problems) FAIL_CHECK(p.line, ":", p.column, " ", p.message);
    REQUIRE(result.ok());
    return result.value;
}

model::Stage only_stage(const std::string& body) { return parsed("name: x\nstages:\n  - " + body + "\n").stages.at(0); }

}  // namespace

TEST_CASE("commands on a stage are one job with one step each") {
    const auto stage = only_stage("{name: build, commands: [a, b]}");
    REQUIRE(stage.jobs.size() == 1);
    CHECK(stage.jobs[0].name == "build");
    REQUIRE(stage.jobs[0].steps.size() == 2);
    CHECK(stage.jobs[0].steps[1].run == "b");
}

TEST_CASE("commands with parallel: true are one job each") {
    const auto stage = only_stage("{name: build, parallel: true, commands: [a, b]}");
    REQUIRE(stage.jobs.size() == 2);
    CHECK(stage.jobs[0].name == "build-1");
    CHECK(stage.jobs[1].name == "build-2");
    CHECK(stage.jobs[1].steps.at(0).run == "b");
}

TEST_CASE("uses on a stage is one job with one step") {
    const auto stage = only_stage("{name: scan, uses: security/sast, with: {failOn: high}}");
    REQUIRE(stage.jobs.size() == 1);
    CHECK(stage.jobs[0].steps.at(0).uses == "security/sast");
    CHECK(stage.jobs[0].steps.at(0).with.at(0).second == Value("high"));
}

TEST_CASE("jobs take what they do not say from their stage, and stages from the defaults") {
    const auto pipeline = parsed(R"(
name: x
defaults: {image: base, timeout: 30m, retry: 1, resources: {cpu: 1, memory: 1Gi}, failOnSilence: true, env: {A: low, B: low}}
env: {A: pipeline}
stages:
  - name: s
    timeout: 5m
    image: stage
    failFast: false
    resources: {cpu: 2}
    env: {C: stage}
    jobs:
      a: {steps: [x]}
      b: {steps: [x], image: own, retry: {max: 3, on: [lost]}, timeout: 1m, failOnSilence: false, resources: {pids: 9}}
)");
    const auto& stage = pipeline.stages.at(0);
    const auto& a = stage.jobs.at(0);
    const auto& b = stage.jobs.at(1);
    CHECK(stage.timeout == std::chrono::minutes(5));
    CHECK(a.timeout == std::chrono::minutes(30));
    CHECK(a.image->name == "stage");
    CHECK(a.retry->max == 1);
    CHECK(a.fail_on_silence);
    CHECK_FALSE(a.fail_fast.value);
    CHECK(a.resources.cpu == 2);
    CHECK(a.resources.memory == 1024u * 1024 * 1024);
    CHECK(a.env.empty());
    CHECK(b.image->name == "own");
    CHECK(b.timeout == std::chrono::minutes(1));
    CHECK(b.retry->on == std::vector{model::EndReason::lost});
    CHECK_FALSE(b.fail_on_silence);
    CHECK(b.resources.cpu == 2);
    CHECK(b.resources.pids == 9);
    // Below the pipeline's own variables, which every stage and job can still replace.
    CHECK(pipeline.env == model::Texts{{"A", "pipeline"}, {"B", "low"}});
    CHECK(stage.env == model::Texts{{"C", "stage"}});
}

TEST_CASE("a need names a job of its own stage first, then a stage, then stage.job") {
    const auto pipeline = parsed(R"(
name: x
stages:
  - {name: build, commands: [x]}
  - name: test
    dependencies: build
    jobs:
      build: {steps: [x]}
      one: {needs: build, steps: [x]}
      two: {needs: {stage: build}, steps: [x]}
      three: {needs: [build.build, test.one, test.one], steps: [x]}
  - {name: free, needs: [], commands: [x]}
  - {name: last, commands: [x]}
)");
    const auto& test = pipeline.stages.at(1);
    CHECK(test.needs == std::vector{model::Need{"build", "", {}}});
    CHECK(test.jobs.at(1).needs == std::vector{model::Need{"test", "build", {}}});
    CHECK(test.jobs.at(2).needs == std::vector{model::Need{"build", "", {}}});
    CHECK(test.jobs.at(3).needs == std::vector{model::Need{"build", "build", {}}, model::Need{"test", "one", {}}});
    CHECK(pipeline.stages.at(2).needs->empty());
    CHECK_FALSE(pipeline.stages.at(3).needs);
}

TEST_CASE("a need of a whole stage survives the export where a job has the stage's name") {
    const auto pipeline = parsed("name: x\nstages:\n  - {name: build, commands: [x]}\n  - {name: test, jobs: {build: {steps: [x]}, "
                                 "two: {needs: {stage: build}, steps: [x]}}}\n");
    CHECK(parsed(pipeline::export_yaml(pipeline)) == pipeline);
}

TEST_CASE("steps keep their types and marks") {
    const auto stage = only_stage("{name: a, steps: [make, {run: true, continueOnError: '${{ env.X }}', timeout: 1m30s}]}");
    const auto& steps = stage.jobs.at(0).steps;
    CHECK(steps.at(0).run == "make");
    CHECK(steps.at(1).run == "true");
    CHECK(steps.at(1).continue_on_error.expression == "${{ env.X }}");
    CHECK(steps.at(1).timeout == std::chrono::seconds(90));
    CHECK(steps.at(1).mark.line == 3);
    CHECK(steps.at(1).mark.pointer == "/stages/0/steps/1");
}

TEST_CASE("a component is read with its inputs, and its references are checked") {
    const std::string text = "name: greet\ninputs: {who: {default: world}}\noutputs: {line: '${{ steps.s.outputs.line }}'}\n"
                             "steps:\n  - {id: s, run: 'echo ${{ inputs.who }} ${{ inputs.whom }}'}\n";
    const auto result = pipeline::parse_component(text, "greet.yaml");
    CHECK(result.value.inputs.at(0).default_value == Value("world"));
    REQUIRE(result.problems.size() == 1);
    CHECK(result.problems[0].line == 5);
    CHECK(result.problems[0].suggestion == "did you mean 'who'?");
}

TEST_CASE("a version written as a number in a matrix is warned about") {
    const auto result = pipeline::parse_pipeline("name: x\nstages: [{name: a, matrix: {v: [3.9, 3.10]}, commands: [x]}]", "x");
    CHECK(result.ok());
    REQUIRE(result.problems.size() == 1);
    CHECK(result.problems[0].severity == Severity::warning);
    CHECK(result.problems[0].message == "3.10 is the number 3.1");
}

TEST_CASE("JSON's problems have pointers") {
    const auto definition = pipeline::parse_yaml("{name: x, stages: [{name: a, comands: [x]}]}", "x").value;
    const auto result = pipeline::parse_pipeline(definition, "body");
    REQUIRE(result.problems.size() == 2);
    CHECK(result.problems[0].pointer.starts_with("/stages/0"));
    CHECK(pipeline::as_error(result.problems).code == "PIPELINE_006");
    CHECK(pipeline::as_error(result.problems).message.find("and 1 more") != std::string::npos);
}
