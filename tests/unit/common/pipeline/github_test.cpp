#include "common/pipeline/front.hpp"
#include "common/pipeline/github/actions.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace cicd;
using pipeline::Carried;
using pipeline::Front;

namespace {

Front read(const std::string& text, const std::string& event = "", std::map<std::string, std::string> files = {}) {
    return pipeline::read_front(model::Dialect::github, text, ".github/workflows/ci.yml",
                                {event, [files](const std::string& path) -> Result<std::string> {
                                     const auto found = files.find(path);
                                     if (found == files.end()) return not_found("SOURCE_003", "there is no file " + path);
                                     return found->second;
                                 }});
}

Front good(const std::string& text, const std::string& event = "", std::map<std::string, std::string> files = {}) {
    auto front = read(text, event, std::move(files));
    for (const auto& problem : front.parsed.problems)
        if (problem.severity == Severity::error) FAIL_CHECK(problem.line << ": " << problem.message);
    return front;
}

std::string first_error(const std::string& text, std::map<std::string, std::string> files = {}) {
    for (const auto& problem : read(text, "", std::move(files)).parsed.problems)
        if (problem.severity == Severity::error) return std::to_string(problem.line) + ": " + problem.message;
    return "";
}

model::Job only_job(const Front& front) {
    REQUIRE(front.parsed.value.stages.size() == 1);
    REQUIRE(front.parsed.value.stages[0].jobs.size() == 1);
    return front.parsed.value.stages[0].jobs[0];
}

const std::string head = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n";

}  // namespace

TEST_CASE("events are one name, a list or a map with filters") {
    const auto one = good("on: push\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n");
    REQUIRE(one.parsed.value.triggers.size() == 1);
    CHECK(one.parsed.value.triggers[0].id == "push");
    CHECK(one.event == "push");
    const auto list = good("'on': [pull_request, workflow_dispatch]\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n");
    CHECK(list.parsed.value.triggers[0].type == model::TriggerType::pull_request);
    CHECK(list.event == "pull_request");
    const auto map = good("on:\n  push: {branches: [main, 'r/**'], paths-ignore: docs/**}\n  schedule: [{cron: '0 2 * * *'}]\n  issues:\n"
                          "    types: [opened]\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n");
    REQUIRE(map.parsed.value.triggers.size() == 3);
    CHECK(map.parsed.value.triggers[0].branches == model::Strings{"main", "r/**"});
    CHECK(map.parsed.value.triggers[0].paths_ignore == model::Strings{"docs/**"});
    CHECK(map.parsed.value.triggers[1].cron == "0 2 * * *");
    CHECK(map.parsed.value.triggers[2].type == model::TriggerType::webhook);
    CHECK(first_error("on: pushed\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n").starts_with("1: 'pushed' is no event"));
}

TEST_CASE("scalars become texts as GitHub makes them") {
    const auto env = only_job(good(head + "    env: {A: 3.10, B: true, C: , D: 0o17, E: 12345678901234567890, a-b: x}\n"
                                           "    steps: [{run: 'true'}]\n")).env;
    const model::Texts wanted{{"A", "3.1"}, {"B", "true"}, {"C", ""}, {"D", "15"}, {"E", "12345678901234567890"}, {"a-b", "x"}};
    CHECK(env == wanted);
}

TEST_CASE("a job's settings are carried") {
    const auto job = only_job(good(head + "    name: Job ${{ matrix.v }}\n    timeout-minutes: 1.5\n    continue-on-error: ${{ matrix.v == 1 }}\n"
                                           "    if: ${{ github.ref_name == 'main' }}\n    defaults: {run: {shell: sh, working-directory: sub}}\n"
                                           "    strategy: {fail-fast: false, max-parallel: 2, matrix: {v: [1, 2]}}\n"
                                           "    container: {image: 'debian:12', env: {C: d}}\n    concurrency: deploy\n"
                                           "    steps: [{uses: actions/checkout@v4}, {run: make, timeout-minutes: 2, continue-on-error: true}]\n"));
    CHECK(job.title == "Job ${{ matrix.v }}");
    CHECK(job.timeout == Milliseconds(90'000));
    CHECK(job.allow_failure.expression == "${{ matrix.v == 1 }}");
    CHECK(job.condition == "github.ref_name == 'main'");
    CHECK(job.shell == "sh");
    CHECK(job.working_directory == "sub");
    CHECK_FALSE(job.fail_fast.value);
    CHECK(job.max_parallel == 2);
    CHECK(job.image->name == "debian:12");
    CHECK(job.env == model::Texts{{"C", "d"}});
    CHECK(job.concurrency->group == "deploy");
    CHECK_FALSE(job.empty_workspace);
    CHECK(job.steps[1].timeout == Milliseconds(120'000));
}

TEST_CASE("a job without a checkout begins with an empty workspace") {
    CHECK(only_job(good(head + "    steps: [{run: ls}]\n")).empty_workspace);
}

TEST_CASE("what is wrong is told at its place") {
    CHECK(first_error(head + "    steps: [{run: x}]\n    step: x\n").starts_with("6: unknown key 'step' in a job"));
    CHECK(first_error(head + "    steps: [{run: x, uses: a/b@v1}]\n").find("either 'run' or 'uses'") != std::string::npos);
    CHECK(first_error(head + "    needs: b\n    steps: [{run: x}]\n").find("needs 'b', but there is no such job") != std::string::npos);
    CHECK(first_error(head + "    steps: [{run: '${{ nothing.x }}'}]\n").find("nothing") != std::string::npos);
    CHECK(first_error("on: push\njobs:\n  a: {needs: b, runs-on: x, steps: [{run: x}]}\n  b: {needs: a, runs-on: x, steps: [{run: x}]}\n")
              .find("a → b → a") != std::string::npos);
}

TEST_CASE("text around an expression makes a condition true, and that is told") {
    const auto front = good(head + "    if: ${{ false }} && ${{ false }}\n    steps: [{run: x}]\n");
    CHECK(only_job(front).condition == "format('{0} && {1}', false, false)");
    CHECK(std::any_of(front.parsed.problems.begin(), front.parsed.problems.end(),
                      [](const auto& problem) { return problem.severity == Severity::warning; }));
}

TEST_CASE("a called workflow is a stage with its inputs in place") {
    const auto front = good("on: push\njobs:\n  prepare: {runs-on: x, steps: [{run: x}]}\n"
                            "  call: {needs: prepare, if: always(), uses: ./w.yml, with: {word: '${{ needs.prepare.outputs.w }}'}, secrets: {KEY: '${{ secrets.OTHER }}'}}\n"
                            "  last: {needs: call, runs-on: x, steps: [{run: x}]}\n",
                            "", {{"w.yml", "on: {workflow_call: {inputs: {word: {type: string}, n: {type: number, default: 2}},"
                                           " outputs: {o: {value: '${{ jobs.inner.outputs.o }}'}}}}\n"
                                           "jobs: {inner: {runs-on: x, outputs: {o: '1'}, steps: [{run: 'echo ${{ inputs.word }} ${{ inputs.n }} ${{ secrets.KEY }} ${{ secrets.NONE }}'}]}}\n"}});
    const auto& stages = front.parsed.value.stages;
    REQUIRE(stages.size() == 2);
    CHECK(stages[0].name == "jobs");
    CHECK(stages[1].name == "call");
    CHECK(*stages[1].needs == std::vector<model::Need>{{"jobs", "prepare", {}}});
    CHECK(stages[1].condition == "always()");
    CHECK(stages[1].outputs == model::Texts{{"o", "${{ jobs.inner.outputs.o }}"}});
    CHECK(stages[1].jobs[0].steps[0].run == "echo ${{ (needs.prepare.outputs.w) }} ${{ 2 }} ${{ (secrets.OTHER) }} ${{ null }}");
    CHECK(stages[1].jobs[0].title == "call / inner");
    CHECK(stages[0].jobs[1].needs == std::vector<model::Need>{{"call", "", {}}});
    CHECK(first_error("on: push\njobs: {a: {uses: ./none.yml}}\n").find("there is no file none.yml") != std::string::npos);
    CHECK(first_error("on: push\njobs: {a: {uses: ./w.yml}}\n", {{"w.yml", "on: workflow_call\njobs: {b: {uses: ./w.yml}}\n"}})
              .find("in a circle") != std::string::npos);
}

TEST_CASE("inputs are those of the event, and have their defaults") {
    const std::string text = "on:\n  push:\n  workflow_dispatch: {inputs: {deep: {type: boolean}, kind: {type: choice, options: [a, b]}, must: {required: true}}}\n"
                             "jobs: {a: {runs-on: x, steps: [{run: x}]}}\n";
    CHECK(good(text).parsed.value.parameters.empty());
    const auto inputs = good(text, "workflow_dispatch").parsed.value.parameters;
    REQUIRE(inputs.size() == 3);
    CHECK(inputs[0].default_value == Value(false));
    CHECK(inputs[1].default_value == Value("a"));
    CHECK(inputs[2].required);
    CHECK_FALSE(inputs[2].default_value.has_value());
}

TEST_CASE("nothing is dropped in silence") {
    const auto front = good("run-name: x\non: push\njobs:\n  a:\n    runs-on: {group: big}\n    container: {image: i, options: --privileged}\n"
                            "    steps: [{uses: 'docker://alpine'}, {uses: some/action@v1}, {run: x, background: true}, {wait-all: }]\n");
    CHECK(front.report.count(Carried::approximated) == 2);
    CHECK(front.report.count(Carried::unsupported) == 1);
    CHECK(front.report.count(Carried::manual) == 2);
    CHECK(front.report.findings[0].line > 0);
    CHECK(front.report.carried() == front.report.constructs - 1);
}

TEST_CASE("steps in the background, and what waits for them") {
    const auto steps = only_job(good("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"
                                     "      - {id: s, run: serve, background: true}\n      - {wait: [s], continue-on-error: true}\n"
                                     "      - name: all\n        parallel: [{run: one}, {uses: ./x, if: always()}]\n"
                                     "      - parallel: [{run: two}]\n      - wait-all:\n      - cancel: s\n")).steps;
    using model::StepControl;
    REQUIRE(steps.size() == 9);
    CHECK(steps[0].background);
    CHECK(steps[1].control == StepControl::wait);
    CHECK(steps[1].targets == model::Strings{"s"});
    CHECK(steps[1].continue_on_error.value);
    CHECK(steps[2].background);
    CHECK(steps[2].parallel == 1);
    CHECK(steps[3].condition == "always()");
    CHECK(steps[4].name == "all");
    CHECK(steps[4].control == StepControl::wait);
    CHECK(steps[4].parallel == 1);
    CHECK(steps[5].parallel == 2);
    CHECK(steps[7].control == StepControl::wait_all);
    CHECK(steps[8].control == StepControl::cancel);
    const auto refused = [](const std::string& lines, const std::string& why) {
        const auto error = first_error("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n" + lines);
        INFO(error);
        CHECK(error.find(why) != std::string::npos);
    };
    refused("      - {id: s, run: x}\n      - wait: s\n", "no step in the background before this one has the id 's'");
    refused("      - wait: s\n      - {id: s, run: x, background: true}\n", "no step in the background");
    refused("      - {id: s, run: x, background: true}\n      - {cancel: s, if: always()}\n", "'if'");
    refused("      - {id: s, run: x, background: true}\n      - {cancel: s, wait-all: }\n", "exclude each other");
    refused("      - parallel: [{run: x, background: true}]\n", "stand outside of it");
    refused("      - parallel: [{parallel: [{run: x}]}]\n", "stand outside of it");
    refused("      - parallel: []\n", "at least one");
    refused("      - {run: x, background: maybe}\n", "background");
}

TEST_CASE("actions are found by their names") {
    using pipeline::github::ActionKind;
    using pipeline::github::find_action;
    CHECK(find_action("./x").kind == ActionKind::local);
    CHECK(find_action("Actions/Checkout@v4").kind == ActionKind::native);
    CHECK(find_action("docker://alpine:3").kind == ActionKind::container);
    const auto remote = find_action("owner/name/sub/path@main");
    CHECK(remote.kind == ActionKind::remote);
    CHECK(remote.name == "owner/name");
    CHECK(remote.path == "sub/path");
    CHECK(remote.ref == "main");
}

TEST_CASE("what an action in a container says is read") {
    const auto action = pipeline::read_action("name: x\nruns:\n  using: docker\n  image: Dockerfile\n  entrypoint: /run\n  pre-entrypoint: /before\n"
                                              "  post-entrypoint: /after\n  post-if: success()\n  args: ['${{ inputs.a }}', two words]\n  env: {A: '1'}\n", "action.yml");
    REQUIRE(action.ok());
    CHECK(action.value.how == model::ActionUsing::docker);
    CHECK(action.value.image == "Dockerfile");
    CHECK(action.value.entrypoint == "/run");
    CHECK(action.value.pre_entrypoint == "/before");
    CHECK(action.value.post_entrypoint == "/after");
    CHECK(action.value.post_if == "success()");
    CHECK(action.value.args == model::Strings{"${{ inputs.a }}", "two words"});
    CHECK(action.value.env == model::Texts{{"A", "1"}});
}

TEST_CASE("labels say where a job can run") {
    using pipeline::label_refusal;
    CHECK_FALSE(label_refusal(model::Dialect::github, {"ubuntu-latest"}));
    CHECK_FALSE(label_refusal(model::Dialect::github, {"self-hosted", "linux"}));
    CHECK(label_refusal(model::Dialect::github, {"windows-2022"}));
    CHECK(label_refusal(model::Dialect::github, {"macOS-latest"}));
}

TEST_CASE("a service is ready when its check of health says so; other options of an engine are told") {
    const auto front = good(head + "    services:\n      db:\n        image: postgres\n        options: >-\n"
                                   "          --health-cmd \"pg_isready -U 'app'\" --health-interval=20s --health-retries 6 --cap-add NET_ADMIN --cpus 2\n"
                                   "    steps: [{run: 'true'}]\n");
    const auto service = only_job(front).services.at(0);
    CHECK(service.ready == "pg_isready -U 'app'");
    CHECK(service.ready_timeout == Milliseconds(120'000));
    REQUIRE(front.report.count(Carried::unsupported) == 1);
    CHECK(front.report.findings.back().what == "services.options --cap-add");
    CHECK(service.options.cpu == 2);
    CHECK(only_job(good(head + "    services: {db: {image: x, options: \"--health-cmd 'open\"}}\n    steps: [{run: 'true'}]\n")).services.at(0).ready == "open");
}

TEST_CASE("what is asked for by hand is workflow_dispatch") {
    CHECK(good("on: {push: {}, workflow_dispatch: {}}\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n", "manual").event == "workflow_dispatch");
    CHECK(pipeline::is_known_before("github.ref") == true);
    CHECK(pipeline::is_known_before("github.run_id") == false);
    CHECK(pipeline::is_known_before("git.ref") == std::nullopt);
}

TEST_CASE("what a container and a service are given is carried, but for what would give them the machine") {
    const auto front = good("on: push\njobs:\n  a:\n    runs-on: x\n    container:\n      image: box\n      env: {A: b}\n      ports: [80, '8080:8080', '81:80']\n"
                            "      credentials: {username: me, password: '${{ secrets.PW }}'}\n      volumes: ['data:/data', '/srv/x:/x:ro', '/tmp/../etc:/y', '/only', '${{ vars.V }}:/z']\n"
                            "      options: --user 1000:1000 --cpus=1.5 -m 2g --gpus 1 --shm-size 64m -e \"C=d e\" -eX=1 --ulimit nofile=10:20 --hostname h --tmpfs /t:size=1m --add-host o:1.2.3.4 --init -it --label k=v --privileged --frob x --memory lots\n"
                            "    services:\n      db:\n        image: pg\n        credentials: {username: u, password: p}\n        volumes: ['data:/data']\n"
                            "        command: serve --as 'the one' ${{ matrix.a == 'b c' }}\n        entrypoint: /bin/entry -x\n"
                            "        options: --network-alias db2 --name db3 --workdir /srv --user 5 --memory 1gb --health-cmd true --health-start-period 2m --health-timeout 3s\n"
                            "    steps: [{run: x}]\n");
    const auto job = only_job(front);
    const auto& image = *job.image;
    CHECK(image.user == "1000:1000");
    CHECK(image.options.login == "me:${{ secrets.PW }}");
    CHECK(image.options.volumes == model::Strings{"data:/data", "/srv/x:/x:ro", "/only", "${{ vars.V }}:/z"});
    CHECK(image.options.shared_memory == 64 << 20);
    CHECK(image.options.ulimits == model::Strings{"nofile=10:20"});
    CHECK(image.options.tmpfs == model::Strings{"/t:size=1m"});
    CHECK(image.options.hosts == model::Strings{"o:1.2.3.4"});
    CHECK(image.options.labels == model::Texts{{"k", "v"}});
    CHECK(image.options.hostname == "h");
    CHECK(image.options.cpu == 1.5);
    CHECK(image.options.memory == std::uint64_t{2} << 30);
    CHECK(job.resources.gpu == 1);
    CHECK(job.env == model::Texts{{"A", "b"}, {"C", "d e"}, {"X", "1"}});
    const auto& service = job.services.at(0);
    CHECK(service.options.login == "u:p");
    CHECK(service.options.aliases == model::Strings{"db2", "db3"});
    CHECK(service.options.memory == std::uint64_t{1} << 30);
    CHECK(service.command == model::Strings{"serve", "--as", "the one", "${{ matrix.a == 'b c' }}"});
    CHECK(service.entrypoint == model::Strings{"/bin/entry", "-x"});
    CHECK(service.working_directory == "/srv");
    CHECK(service.user == "5");
    CHECK(service.ready_timeout == Milliseconds(210'000));
    model::Strings told;
    for (const auto& finding : front.report.findings)
        if (finding.kind == Carried::unsupported) told.push_back(finding.what);
    CHECK(told == model::Strings{"container.ports 81:80", "volume /tmp/../etc:/y", "container.options --privileged", "container.options --frob", "container.options --memory"});
}
