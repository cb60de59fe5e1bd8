#include "common/pipeline/parse.hpp"
#include "daemon/planner/planner.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace cicd;
using model::Decision;

namespace {

struct Scene {
    planner::PlanRequest request;
    std::map<std::string, std::string> files;

    Scene() {
        request.source.branch = "main";
        request.source.commit = std::string(40, 'a');
        request.read_file = [this](const std::string& path) -> Result<std::string> {
            const auto found = files.find(path);
            if (found == files.end()) return not_found("SOURCE_003", "there is no file " + path);
            return found->second;
        };
    }
    Result<model::Plan> plan(const std::string& yaml) {
        const auto parsed = pipeline::parse_pipeline(yaml, ".cicd.yaml");
        for (const auto& problem : parsed.problems) MESSAGE(problem.message);
        REQUIRE(parsed.ok());
        return planner::make_plan(parsed.value, request);
    }
    model::Plan good(const std::string& yaml) {
        auto made = plan(yaml);
        if (!made) {
            for (const auto& problem : made.error().problems) MESSAGE(problem.message);
            FAIL(made.error().message);
        }
        return *made;
    }
    std::vector<Diagnostic> bad(const std::string& yaml) {
        const auto made = plan(yaml);
        REQUIRE(made.has_error());
        CHECK(made.error().code == "PIPELINE_006");
        return made.error().problems;
    }
};

const model::PlannedJob& job(const model::Plan& plan, const std::string& key) {
    for (const auto& each : plan.jobs)
        if (each.key == key) return each;
    FAIL("no job " << key);
    return plan.jobs.front();
}

std::vector<std::string> keys(const model::Plan& plan) {
    std::vector<std::string> all;
    for (const auto& each : plan.jobs) all.push_back(each.key);
    return all;
}

}  // namespace

TEST_CASE("Stages follow each other; reasons say what a job waits for") {
    Scene scene;
    const auto plan = scene.good("name: p\nstages:\n  - {name: build, commands: [make]}\n  - {name: test, commands: [make test]}\n");
    CHECK(keys(plan) == std::vector<std::string>{"build.build", "test.test"});
    CHECK(job(plan, "build.build").reason.text == "runs at once");
    CHECK(job(plan, "test.test").reason.text == "needs build; runs when it succeeded");
    REQUIRE(plan.stages[1].needs.size() == 1);
    CHECK(plan.stages[1].needs[0].stage == "build");
    CHECK(plan.trigger.text == "started by hand");
}

TEST_CASE("Parameters get their types; each problem is told") {
    Scene scene;
    const std::string yaml =
        "name: p\nparameters:\n  n: {type: number, default: 1}\n  b: {type: boolean, default: false}\n"
        "  s: {type: string, default: x, values: [x, y]}\n  l: {type: array, default: []}\n"
        "stages:\n  - {name: a, condition: '!params.b', commands: [make]}\n";
    scene.request.params = {{"n", "3.5"}, {"b", "true"}, {"l", "[1, two]"}};
    const auto plan = scene.good(yaml);
    CHECK(plan.params["n"] == Value(3.5));
    CHECK(plan.params["l"].as_array().size() == 2);
    CHECK(job(plan, "a.a").reason.decision == Decision::skip);
    CHECK(plan.stages[0].reason.text == "condition '!params.b' is false: params.b = true");
    scene.request.params = {{"n", "many"}, {"b", "yes"}, {"s", "z"}, {"nn", "1"}};
    CHECK(scene.bad(yaml).size() == 4);
}

TEST_CASE("Matrix: product, exclude, include, as GitHub does it") {
    Scene scene;
    const auto plan = scene.good(
        "name: p\nstages:\n  - name: t\n    jobs:\n      u:\n        matrix:\n          fruit: [apple, pear]\n"
        "          animal: [cat, dog]\n          include:\n            - {color: green}\n            - {color: pink, animal: cat}\n"
        "            - {fruit: apple, shape: circle}\n            - {fruit: banana}\n            - {fruit: banana, animal: cat}\n"
        "        steps: [{run: make}]\n");
    REQUIRE(plan.jobs.size() == 6);
    CHECK(plan.jobs[0].matrix == Value(Object{{"fruit", "apple"}, {"animal", "cat"}, {"color", "pink"}, {"shape", "circle"}}));
    CHECK(plan.jobs[1].matrix == Value(Object{{"fruit", "apple"}, {"animal", "dog"}, {"color", "green"}, {"shape", "circle"}}));
    CHECK(plan.jobs[2].matrix == Value(Object{{"fruit", "pear"}, {"animal", "cat"}, {"color", "pink"}}));
    CHECK(plan.jobs[3].matrix == Value(Object{{"fruit", "pear"}, {"animal", "dog"}, {"color", "green"}}));
    CHECK(plan.jobs[4].matrix == Value(Object{{"fruit", "banana"}}));
    CHECK(plan.jobs[5].matrix == Value(Object{{"fruit", "banana"}, {"animal", "cat"}}));
    CHECK(plan.jobs[5].key == "t.u (banana, cat)");
    CHECK(plan.jobs[5].matrix_total == 6);
}

TEST_CASE("A matrix from results is expanded when they are there") {
    Scene scene;
    const auto plan = scene.good(
        "name: p\nstages:\n  - {name: list, commands: [make]}\n  - name: t\n    jobs:\n      u:\n"
        "        matrix: {v: \"${{ fromJSON(needs.list.outputs.vs) }}\"}\n        steps: [{run: make}]\n");
    const auto& later = job(plan, "t.u");
    CHECK(later.expand_later);
    CHECK(later.reason.decision == Decision::later);
    const Object outputs{{"vs", "[1, 2]"}};
    const Object contexts{{"needs", Value(Object{{"list", Value(Object{{"outputs", Value(outputs)}})}})}};
    const auto jobs = planner::expand_matrix(later, contexts);
    REQUIRE(jobs.has_value());
    REQUIRE(jobs->size() == 2);
    CHECK((*jobs)[1].key == "t.u (2)");
}

TEST_CASE("Conditions: what is known decides now, the rest later") {
    Scene scene;
    const auto plan = scene.good(
        "name: p\nstages:\n  - {name: a, commands: [make]}\n"
        "  - {name: b, condition: \"git.branch == 'main'\", commands: [make]}\n"
        "  - {name: c, condition: \"failure() && git.branch == 'other'\", commands: [make]}\n"
        "  - {name: d, needs: [b], condition: needs.a.result == 'success', commands: [make]}\n"
        "  - {name: e, needs: [b], condition: on_failure, commands: [make]}\n"
        "  - {name: f, needs: [c], commands: [make]}\n  - {name: g, needs: [c], condition: always, commands: [make]}\n");
    CHECK(plan.stages[1].reason.decision == Decision::run);
    CHECK(plan.stages[1].reason.text == "condition 'git.branch == 'main'' is true: git.branch = 'main'; needs a");
    CHECK(plan.stages[2].reason.decision == Decision::skip);
    CHECK(plan.stages[3].reason.decision == Decision::later);
    CHECK(plan.stages[4].reason.decision == Decision::later);
    CHECK(plan.stages[5].reason.decision == Decision::run);  // c did not want to run: that holds nobody up
    CHECK(plan.stages[6].reason.decision == Decision::run);
}

TEST_CASE("A selection takes what it needs along") {
    Scene scene;
    const std::string yaml =
        "name: p\nstages:\n  - {name: a, commands: [make]}\n  - {name: b, commands: [make]}\n  - {name: c, commands: [make]}\n";
    scene.request.stages = {"b"};
    const auto plan = scene.good(yaml);
    CHECK(job(plan, "a.a").reason.decision == Decision::run);
    CHECK(job(plan, "b.b").reason.decision == Decision::run);
    CHECK(job(plan, "c.c").reason.text == "not selected (--stage b)");
    scene.request.stages = {"d"};
    CHECK(scene.bad(yaml)[0].suggestion == "stages: a, b, c");
}

TEST_CASE("Triggers: branches, tags and paths decide, and the reason names them") {
    Scene scene;
    const std::string yaml =
        "name: p\ntriggers:\n  - {type: push, branches: [main, 'release/**'], paths: ['src/**', '!src/doc/**']}\n"
        "stages:\n  - {name: a, commands: [make]}\n";
    scene.request.event.type = model::TriggerType::push;
    scene.request.event.branch = "release/1/2";
    scene.request.event.changed_paths = {{"src/a.c"}};
    CHECK(scene.good(yaml).trigger.decision == Decision::run);
    scene.request.event.changed_paths = {{"src/doc/a", "x"}};
    auto plan = scene.good(yaml);
    CHECK(plan.trigger.decision == Decision::skip);
    CHECK(plan.trigger.text.find("none of 2 changed paths matches") != std::string::npos);
    CHECK(plan.jobs[0].reason.decision == Decision::skip);
    scene.request.event.branch = "topic";
    CHECK(scene.good(yaml).trigger.text.find("branch 'topic' does not match branches [main, release/**]") != std::string::npos);
    scene.request.event = {};
    scene.request.event.type = model::TriggerType::push;
    scene.request.event.tag = "v1";
    CHECK(scene.good(yaml).trigger.decision == Decision::skip);
    scene.request.event.type = model::TriggerType::pull_request;
    CHECK(scene.good(yaml).trigger.text == "the pipeline has no trigger for pull_request events");
}

TEST_CASE("Components are put in place, with inputs, outputs and ids of their own") {
    Scene scene;
    scene.files[".cicd/components/x.yaml"] =
        "name: x\ninputs:\n  who: {type: string, required: true}\n  n: {type: number, default: 2}\n"
        "outputs: {said: '${{ steps.say.outputs.text }}'}\n"
        "steps:\n  - {id: say, run: 'echo ${{ inputs.who }} ${{ inputs.n }}'}\n";
    const auto plan = scene.good(
        "name: p\nstages:\n  - name: a\n    steps:\n      - {id: hi, uses: ./.cicd/components/x.yaml, with: {who: 'it''s ${{ git.branch }}'}}\n"
        "      - run: echo ${{ steps.hi.outputs.said }}\n");
    const auto& steps = plan.jobs[0].job.steps;
    REQUIRE(steps.size() == 2);
    CHECK(steps[0].id == "hi__say");
    CHECK(steps[0].run.find("format('it''s {0}', ") != std::string::npos);
    CHECK(steps[0].run.find("${{ 2 }}") != std::string::npos);
    CHECK(steps[1].run.find("steps.hi__say.outputs.text") != std::string::npos);

    const auto problems = scene.bad(
        "name: p\nstages:\n  - name: a\n    steps: [{uses: ./.cicd/components/x.yaml, with: {whom: y, n: many}}]\n");
    CHECK(problems.size() == 3);
    scene.files["loop.yaml"] = "name: l\nsteps: [{uses: ./loop.yaml}]\n";
    CHECK(scene.bad("name: p\nstages:\n  - {name: a, steps: [{uses: ./loop.yaml}]}\n")[0].message.find("circle") != std::string::npos);
}

TEST_CASE("Secrets: a missing one fails the plan, naming stage and secret") {
    Scene scene;
    int asked = 0;
    scene.request.secrets = [&]() -> Result<std::vector<model::KnownSecret>> {
        ++asked;
        return std::vector<model::KnownSecret>{{"TOKEN", ""}, {"DEPLOY_KEY", "production"}};
    };
    scene.good("name: p\nstages:\n  - {name: a, commands: ['echo secrets.NOT_READ ${{ git.branch }}']}\n");
    CHECK(asked == 0);
    const std::string yaml = "name: p\nstages:\n  - name: a\n    jobs:\n      j:\n        env: {T: '${{ secrets.token }}'}\n"
                             "        steps: [{run: 'echo ${{ secrets[''TOKEN''] }}'}]\n      k: {steps: [{run: 'echo ${{ toJSON(Secrets) }}'}]}\n";
    const auto plan = scene.good(yaml);
    CHECK(asked == 1);
    CHECK(planner::secrets_of({}, {}, job(plan, "a.j").job) == model::Strings{"token"});
    CHECK(planner::secrets_of({{"X", "${{ secrets.FIRST }}"}}, {}, job(plan, "a.k").job) == model::Strings{"FIRST", "*"});
    const auto missing = scene.bad("name: p\nenv: {X: '${{ secrets.NONE }}'}\nstages:\n  - {name: b, commands: ['echo ${{ secrets.TOKN }}']}\n"
                                   "  - {name: c, commands: ['echo ${{ secrets.DEPLOY_KEY }}']}\n");
    REQUIRE(missing.size() == 3);
    CHECK(missing[0].message == "missing secret 'NONE'");
    CHECK(missing[1].message == "missing secret 'TOKN' in stage 'b'");
    CHECK(missing[1].suggestion == "did you mean 'TOKEN'?");
    CHECK(missing[2].message == "missing secret 'DEPLOY_KEY' in stage 'c'");
    CHECK(missing[2].suggestion == "set it: cicdctl secret set DEPLOY_KEY");
    scene.request.secrets = nullptr;
    REQUIRE(scene.good(yaml).notices.size() == 1);
    CHECK(scene.good(yaml).notices[0] == "secrets are not checked: only the daemon knows which there are");
}

TEST_CASE("Secrets are refused where the daemon evaluates: it has no values there") {
    Scene scene;
    scene.request.secrets = [] { return std::vector<model::KnownSecret>{{"T", ""}}; };
    const auto problems = scene.bad("name: p\nconcurrency: 'x-${{ secrets.T }}'\nstages:\n  - name: a\n    condition: secrets.T != ''\n    jobs:\n"
                                    "      j: {condition: \"secrets.T == 'x'\", concurrency: '${{ secrets.T }}', steps: [{run: x}]}\n"
                                    "      k: {steps: [{run: x, condition: \"secrets.T == 'x'\"}]}\n");
    CHECK(problems.size() == 4);
    for (const auto& problem : problems) CHECK(problem.message.find("secrets cannot be read in ") == 0);
}

TEST_CASE("What is kept lies in the workspace, or for caches in the job's home") {
    Scene scene;
    const auto problems = scene.bad(
        "name: p\nstages:\n  - name: a\n    commands: [make]\n    artifacts: [{name: x, paths: [../up]}, {name: y, paths: [out/**], exclude: [/etc]}]\n"
        "    cache: [{key: k, paths: [~/.cache/x, /var/cache]}]\n");
    REQUIRE(problems.size() == 3);
    CHECK(problems[0].message.find("../up") != std::string::npos);
    CHECK(problems[1].message.find("/etc") != std::string::npos);
    CHECK(problems[2].message.find("/var/cache") != std::string::npos);
    for (const auto& problem : problems) CHECK(problem.line > 4);
}

TEST_CASE("What is not available yet is refused where it stands") {
    Scene scene;
    scene.request.secrets = [] { return std::vector<model::KnownSecret>{}; };
    const auto problems = scene.bad(
        "name: p\nstages:\n  - {name: a, image: 'debian:12', executor: container, services: {db: {image: x}}, commands: [make]}\n"
        "  - {name: b, gate: {approvals: 1}, commands: [make]}\n"
        "  - {name: c, commands: ['echo ${{ secrets.TOKEN }}']}\n  - {name: d, executor: host, commands: [make]}\n");
    std::string all;
    for (const auto& problem : problems) {
        CHECK(problem.line > 2);
        all += problem.message + "\n";
    }
    CHECK(all.find("not available yet: gate") != std::string::npos);
    CHECK(all.find("missing secret 'TOKEN' in stage 'c'") != std::string::npos);
    CHECK(all.find("host executor") != std::string::npos);
    CHECK(problems.size() == 3);
}

TEST_CASE("An image is named by what is known, and pinned once for all jobs of the run") {
    Scene scene;
    int asked = 0;
    scene.request.vars = {{"TAG", "12"}};
    scene.request.pin_image = [&](const model::Image& image, model::ExecutorKind) -> Result<std::string> {
        ++asked;
        if (image.name == "missing") return not_found("IMAGE_001", "there is no image 'missing'");
        return image.name + "@sha256:x";
    };
    const auto plan = scene.good(
        "name: p\nstages:\n  - name: a\n    jobs:\n"
        "      one: {matrix: {os: [debian, alpine]}, image: '${{ matrix.os }}:${{ vars.TAG }}', steps: [make]}\n"
        "      two: {image: 'debian:12', steps: [make]}\n      never: {condition: 'false', image: missing, steps: [make]}\n"
        "      plain: {steps: [make]}\n");
    CHECK(plan.jobs[0].job.image->name == "debian:12@sha256:x");
    CHECK(plan.jobs[1].job.image->name == "alpine:12@sha256:x");
    CHECK(plan.jobs[2].job.image->name == "debian:12@sha256:x");
    CHECK(plan.jobs[2].job.executor == model::ExecutorKind::rootfs);
    CHECK(!plan.jobs[4].job.executor);
    CHECK(asked == 2);
    const auto problems = scene.bad("name: p\nstages:\n  - {name: a, image: missing, commands: [make]}\n");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].message == "there is no image 'missing'");
    CHECK(problems[0].line == 3);
    CHECK(scene.bad("name: p\nstages:\n  - {name: a, image: x, executor: sandbox, commands: [make]}\n").size() == 1);
    CHECK(scene.bad("name: p\nstages:\n  - {name: a, executor: rootfs, commands: [make]}\n").size() == 1);
}

TEST_CASE("Included files come first; a name in both is an error") {
    Scene scene;
    scene.files["common.yaml"] = "name: common\nstages:\n  - {name: first, commands: [make]}\n";
    CHECK(keys(scene.good("name: p\ninclude: [./common.yaml]\nstages:\n  - {name: second, commands: [make]}\n")) ==
          std::vector<std::string>{"first.first", "second.second"});
    CHECK(scene.bad("name: p\ninclude: [./common.yaml]\nstages:\n  - {name: first, commands: [make]}\n").size() == 1);
}

TEST_CASE("vars take the place of their names") {
    Scene scene;
    scene.request.vars = {{"REGION", "eu"}};
    const auto plan = scene.good("name: p\nstages:\n  - {name: a, commands: ['echo ${{ vars.REGION }} ${{ vars.NONE }}']}\n");
    CHECK(plan.jobs[0].job.steps[0].run == "echo ${{ 'eu' }} ${{ null }}");
}

TEST_CASE("concurrency: groups are named by the plan, as far as they are known") {
    Scene scene;
    scene.request.vars = {{"REGION", "eu"}};
    const auto plan = scene.good(R"(
name: p
parameters: {fast: {type: boolean, default: true}}
concurrency: {group: "ci-${{ git.branch }}-${{ vars.REGION }}", cancelInProgress: "${{ params.fast }}"}
stages:
  - name: s
    jobs:
      a: {matrix: {env: [dev, prod]}, concurrency: "deploy-${{ matrix.env }}", steps: [{run: x}]}
      b: {needs: [s.a], concurrency: {group: "x-${{ needs.a.outputs.y }}"}, steps: [{run: x}]}
)");
    REQUIRE(plan.concurrency.has_value());
    CHECK(plan.concurrency->group == "ci-main-eu");
    CHECK(plan.concurrency->cancel_in_progress == model::OrExpression<bool>{true, {}});
    CHECK(job(plan, "s.a (dev)").job.concurrency->group == "deploy-dev");
    CHECK(job(plan, "s.a (prod)").job.concurrency->group == "deploy-prod");
    CHECK(job(plan, "s.b").job.concurrency->group == "x-${{ needs.a.outputs.y }}");
    CHECK(scene.good("name: p\nconcurrency: \"r-${{ run.number }}\"\nstages: [{name: s, commands: [x]}]\n").concurrency->group ==
          "r-${{ run.number }}");
    const auto own = scene.bad("name: p\nconcurrency: g\nstages:\n  - {name: s, jobs: {a: {concurrency: g, steps: [{run: x}]}}}\n");
    CHECK(own.at(0).message == "job 's.a' would wait for its own run: the pipeline holds the concurrency group 'g'");
    CHECK(own[0].line == 4);
    const auto late = scene.bad("name: p\nconcurrency: \"${{ needs.a.result }}\"\nstages: [{name: s, commands: [x]}]\n");
    CHECK(late.at(0).suggestion == "a pipeline's group can read params, vars, git, run and plain env");
    CHECK_FALSE(scene.bad("name: p\nconcurrency: \"${{ git.tag }}\"\nstages: [{name: s, commands: [x]}]\n").empty());
}

TEST_CASE("--from: what is neither that stage nor after it counts as successful") {
    Scene scene;
    const std::string yaml = "name: p\nstages:\n  - {name: build, commands: [x]}\n  - {name: lint, needs: [], commands: [x]}\n"
                             "  - {name: test, needs: [build], commands: [x]}\n  - {name: ship, needs: [test, lint], commands: [x]}\n";
    scene.request.from_stage = "test";
    const auto plan = scene.good(yaml);
    CHECK(planner::counts_as_successful(job(plan, "build.build").reason));
    CHECK(planner::counts_as_successful(job(plan, "lint.lint").reason));
    CHECK((job(plan, "test.test").reason.decision == Decision::run));
    CHECK((job(plan, "ship.ship").reason.decision == Decision::run));
    REQUIRE(plan.notices.size() == 1);
    CHECK(plan.notices[0] == "not run (--from test): build, lint count as successful, with empty outputs");
    scene.request.from_stage = "tset";
    CHECK(scene.bad(yaml).at(0).suggestion == "did you mean 'test'?");
}
