#include "common/pipeline/front.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace cicd;

namespace {

struct Given {
    std::string event, branch = "main", tag;
    std::map<std::string, std::string> files;
    model::Texts variables;
    model::Strings jobs;
    std::optional<model::Strings> changed;
};

pipeline::Front read(const std::string& text, const Given& given = {}) {
    pipeline::FrontOptions options;
    options.event = given.event;
    options.read_file = [&](const std::string& path) -> Result<std::string> {
        const auto found = given.files.find(path);
        if (found == given.files.end()) return not_found("PIPELINE_001", "no file " + path);
        return found->second;
    };
    options.list = [&](const std::string& folder) -> Result<model::Strings> {
        model::Strings names;
        for (const auto& [path, ignored] : given.files) {
            if (!folder.empty() && !path.starts_with(folder + "/")) continue;
            const auto rest = path.substr(folder.empty() ? 0 : folder.size() + 1);
            const auto name = rest.substr(0, rest.find('/'));
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
        return names;
    };
    options.facts.event.branch = given.branch;
    options.facts.event.tag = given.tag;
    options.facts.source.commit = std::string(40, 'a');
    options.facts.source.remote = "https://gitlab.com/group/sub/thing.git";
    options.facts.variables = given.variables;
    options.facts.jobs = given.jobs;
    options.facts.changed_paths = [&] { return given.changed; };
    return pipeline::read_front(model::Dialect::gitlab, text, ".gitlab-ci.yml", options);
}

std::string problems_of(const pipeline::Front& front) {
    std::string text;
    for (const auto& problem : front.parsed.problems) text += std::to_string(problem.line) + ": " + problem.message + "\n";
    return text;
}

const model::Job& job(const pipeline::Front& front, const std::string& name) {
    for (const auto& stage : front.parsed.value.stages)
        for (const auto& each : stage.jobs)
            if (each.name == name) return each;
    FAIL("no job " << name << "\n" << problems_of(front));
    std::abort();
}

std::string env(const model::Job& job, const std::string& name) {
    for (const auto& [key, value] : job.env)
        if (key == name) return value;
    return "(not set)";
}

bool runs(const std::string& rules, const Given& given = {}) {
    const auto front = read("a:\n  script: x\n" + rules, given);
    INFO(problems_of(front));
    CHECK(front.parsed.ok());
    return job(front, "a").unavailable.empty();
}

}  // namespace

TEST_CASE("gitlab: nothing outside of the repository is included") {
    pipeline::FrontOptions options;
    std::vector<std::string> asked;
    options.read_file = [&](const std::string& path) -> Result<std::string> {
        asked.push_back(path);
        return std::string("b: {script: [b]}");
    };
    for (const char* path : {"../x.yml", "/a/../../x.yml", "a/..", "./../x.yml"})
        CHECK_FALSE(pipeline::read_front(model::Dialect::gitlab, "include: '" + std::string(path) + "'\na: {script: [a]}\n", ".gitlab-ci.yml", options).parsed.ok());
    CHECK(asked.empty());
    CHECK(pipeline::read_front(model::Dialect::gitlab, "include: 'a..b/x.yml'\na: {script: [a]}\n", ".gitlab-ci.yml", options).parsed.ok());
}

TEST_CASE("gitlab: stages follow each other, .pre first and .post last") {
    const auto front = read("stages: [two, one]\na: {stage: one, script: x}\nb: {stage: two, script: y}\nz: {stage: .post, script: z}\np: {stage: .pre, script: p}\n");
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    std::string order;
    for (const auto& stage : front.parsed.value.stages) order += stage.name + " ";
    CHECK(order == "pre two one post ");
    CHECK(front.parsed.value.stages[0].needs->empty());
    CHECK(front.parsed.value.stages[2].needs->front().stage == "two");
}

TEST_CASE("gitlab: before_script and script are one shell, after_script is another that always runs") {
    const auto front = read("default: {before_script: [export A=1]}\na: {script: [echo $A, [nested]], after_script: [bye]}\n");
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    const auto& steps = job(front, "a").steps;
    REQUIRE(steps.size() == 2);
    CHECK(steps[0].run == "export A=1\necho $A\nnested\n");
    CHECK(steps[1].condition == "always");
    CHECK(steps[1].continue_on_error.value);
}

TEST_CASE("gitlab: extends merges maps and replaces lists; references take parts") {
    const auto front = read(".base: {script: [one], variables: {A: base, B: base}, stage: build}\n.more: {variables: {B: more}}\n"
                            "a:\n  extends: [.base, .more]\n  variables: {C: own}\n  script: [!reference [.base, script], two]\n");
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    const auto& a = job(front, "a");
    CHECK(a.steps[0].run == "one\ntwo\n");
    CHECK(env(a, "A") == "base");
    CHECK(env(a, "B") == "more");
    CHECK(env(a, "C") == "own");
    CHECK(front.parsed.value.stages[0].name == "build");
}

TEST_CASE("gitlab: circles of templates and references are told") {
    CHECK(problems_of(read("a: {extends: b, script: x}\nb: {extends: a}\n")).find("circle") != std::string::npos);
    CHECK(problems_of(read(".a: {x: !reference [.a, x]}\nb: {script: [!reference [.a, x]]}\n")).find("leads to itself") != std::string::npos);
    CHECK(problems_of(read("a: {script: x, needs: [b]}\nb: {script: x, needs: [a]}\n")).find("circle") != std::string::npos);
    CHECK(problems_of(read("include: x.yml\na: {script: x}\n", {.files = {{"x.yml", "include: x.yml\n"}}})).find("circle") != std::string::npos);
}

TEST_CASE("gitlab: variables are expanded, and those of a job count more than those of the file") {
    const auto front = read("variables: {A: file, B: $A-$CI_COMMIT_BRANCH, C: '${NOBODY}x$$A', D: 3.10, E: {value: $A, expand: false}}\n"
                            "a: {variables: {A: job}, script: x}\n");
    const auto& a = job(front, "a");
    CHECK(env(a, "B") == "job-main");
    CHECK(env(a, "C") == "x$A");
    CHECK(env(a, "D") == "3.1");
    CHECK(env(a, "E") == "$A");
    CHECK(env(job(read("a: {variables: {A: job}, script: x}\n", {.variables = {{"A", "given"}}}), "a"), "A") == "given");
    CHECK(env(job(read("a: {variables: {A: $A}, script: x}\n"), "a"), "A") == "");
}

TEST_CASE("gitlab: texts that look like our expressions stay texts") {
    const auto front = read("a: {variables: {A: '${{ x }}'}, script: ['echo ${{ secrets.X }}']}\n");
    CHECK(job(front, "a").steps[0].run == "echo ${{ '${{' }} secrets.X }}\n");
}

TEST_CASE("gitlab: rules decide with a reason") {
    CHECK(runs("  rules: [{if: $CI_COMMIT_BRANCH == \"main\"}]\n"));
    CHECK_FALSE(runs("  rules: [{if: $CI_COMMIT_BRANCH == \"main\"}]\n", {.branch = "x"}));
    CHECK(runs("  rules: [{if: '$CI_COMMIT_TAG =~ /^v\\d+/i'}]\n", {.branch = "", .tag = "V12"}));
    CHECK_FALSE(runs("  rules: [{if: '$CI_COMMIT_TAG =~ /^v/'}]\n"));
    CHECK(runs("  rules: [{if: '$CI_COMMIT_TAG == null && ($NO || $CI) && $CI_COMMIT_BRANCH !~ /^rel/'}]\n"));
    CHECK(runs("  rules: [{if: $NO, when: never}, {when: on_success}]\n"));
    CHECK_FALSE(runs("  rules: [{when: never}]\n"));
    CHECK(runs("  rules: [{changes: ['src/**/*.c']}]\n", {.changed = model::Strings{"src/a/b.c"}}));
    CHECK_FALSE(runs("  rules: [{changes: ['src/**/*.c']}]\n", {.changed = model::Strings{"README"}}));
    CHECK(runs("  rules: [{exists: [\"d/*.txt\"]}]\n", {.files = {{"d/a.txt", ""}}}));
    CHECK_FALSE(runs("  rules: [{exists: [Dockerfile]}]\n"));
    const auto front = read("a: {script: x, rules: [{if: $CI_COMMIT_BRANCH == \"main\"}]}\n", {.branch = "x"});
    CHECK(job(front, "a").unavailable.find("$CI_COMMIT_BRANCH == \"main\" is false: CI_COMMIT_BRANCH = \"x\"") != std::string::npos);
    CHECK_FALSE(read("a: {script: x, rules: [{if: $A ==}]}\n").parsed.ok());
    CHECK_FALSE(read("a: {script: x, rules: [{if: $CI =~ /(/}]}\n").parsed.ok());
}

TEST_CASE("gitlab: a pattern that would take forever is refused") {
    CHECK_FALSE(read("a: {script: x, variables: {A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!}, rules: [{if: '$A =~ /^(a+)+$/'}]}\n").parsed.ok());
}

TEST_CASE("gitlab: only and except") {
    CHECK(runs("  only: [main, /^rel-.*$/]\n"));
    CHECK_FALSE(runs("  only: [tags]\n"));
    CHECK(runs("  only: [/^rel-.*$/]\n", {.branch = "rel-1"}));
    CHECK_FALSE(runs("  except: [branches]\n"));
    CHECK_FALSE(runs("", {.event = "merge_request_event"}));
    CHECK(runs("  only: {refs: [merge_requests], variables: [$CI]}\n", {.event = "pull_request"}));
}

TEST_CASE("gitlab: jobs that wait for a hand run when they are asked for") {
    const std::string text = "a b: {script: x, when: manual}\n";
    CHECK_FALSE(job(read(text), "a b").unavailable.empty());
    CHECK(job(read(text), "a b").allow_failure.value);
    CHECK(job(read(text, {.jobs = {"test.a b"}}), "a b").unavailable.empty());
}

TEST_CASE("gitlab: needs") {
    const auto front = read("stages: [build, test]\n'b:1': {stage: build, script: x}\na: {script: x, needs: ['b:1', {job: gone, optional: true}]}\nc: {script: x, needs: []}\nd: {script: x}\n");
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    REQUIRE(job(front, "a").needs.size() == 1);
    CHECK(job(front, "a").needs[0].stage == "build");
    CHECK(job(front, "a").needs[0].job == "b-1");
    CHECK(job(front, "b-1").title == "b:1");
    CHECK(job(front, "c").needs.empty());
    REQUIRE(job(front, "d").needs.size() == 1);
    CHECK(job(front, "d").needs[0].job.empty());
    CHECK(problems_of(read("a: {script: x, needs: [ghost]}\n")).find("there is no such job") != std::string::npos);
}

TEST_CASE("gitlab: parallel makes a matrix, and rules see its values") {
    const auto& job_of = job;
    CHECK(job_of(read("a: {script: x, parallel: 3}\n"), "a").matrix->include.size() == 3);
    const auto front = read("a:\n  script: x\n  variables: {W: '$A!'}\n  parallel: {matrix: [{A: [1, 2], B: [x, y]}, {A: 3}]}\n  rules: [{if: '$A != \"2\"'}]\n");
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    CHECK(job_of(front, "a").matrix->include.size() == 3);
    CHECK(env(job_of(front, "a"), "W") == "${{ matrix.A }}!");
    CHECK(env(job_of(front, "a"), "CI_NODE_INDEX") == "${{ fromJSON('[1,2,3]')[strategy.job-index] }}");
    CHECK_FALSE(job_of(front, "a not run").unavailable.empty());
}

TEST_CASE("gitlab: artifacts, caches and variables for later jobs") {
    const auto front = read("stages: [build, test]\nb:\n  stage: build\n  script: x\n  artifacts: {paths: [$CI_PROJECT_DIR/out/], expire_in: 1 week 2 days, reports: {dotenv: b.env, junit: r.xml}}\n"
                            "  cache: {key: {files: [lock], prefix: p}, paths: [.m2, /abs], policy: pull}\nt: {script: x}\n");
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    const auto& b = job(front, "b");
    REQUIRE(b.artifacts.size() == 3);
    CHECK(b.artifacts[0].paths == model::Strings{"out/"});
    CHECK(b.artifacts[0].retention == Milliseconds(9LL * 86'400'000));
    REQUIRE(b.cache.size() == 1);
    CHECK(b.cache[0].restore_keys == model::Strings{"p-${{ hashFiles('lock') }}@"});
    CHECK(b.cache[0].paths == model::Strings{".m2"});
    CHECK(front.report.count(pipeline::Carried::unsupported) == 1);
    CHECK(env(job(front, "t"), "CICD_DOTENV_1") == "${{ needs['build.b'].outputs.dotenv }}");
    CHECK(b.outputs.size() == 1);
}

TEST_CASE("gitlab: files are included, with inputs, rules and patterns") {
    const auto front = read("include:\n  - {local: /ci/*.yml, inputs: {name: x, how: [one, two]}}\n  - {local: no.yml, rules: [{if: $NO}]}\nx: {variables: {V: 1}}\n",
                            {.files = {{"ci/a.yml", "spec:\n  inputs:\n    name:\n    how: {default: [z], type: array}\n---\n\"$[[ inputs.name ]]\":\n  script: $[[ inputs.how ]]\n"}}});
    REQUIRE_MESSAGE(front.parsed.ok(), problems_of(front));
    CHECK(job(front, "x").steps[0].run == "one\ntwo\n");
    CHECK(env(job(front, "x"), "V") == "1");
}

TEST_CASE("gitlab: what is not fetched is told, and a copy in the repository is used") {
    const std::string text = "include: {project: group/tools, file: /a.yml, ref: v1}\nx: {extends: .tool}\n";
    const auto without = read(text);
    REQUIRE_MESSAGE(without.parsed.ok(), problems_of(without));
    CHECK(without.report.count(pipeline::Carried::manual) >= 2);
    const auto front = read(text, {.files = {{".cicd/includes/group/tools/a.yml", ".tool: {script: [hammer]}\n"}}});
    CHECK(job(front, "x").steps[0].run == "hammer\n");
}

TEST_CASE("gitlab: workflow rules") {
    const std::string text = "workflow: {rules: [{if: $CI_COMMIT_TAG}, {if: $CI_COMMIT_BRANCH == \"main\", variables: {W: on}}]}\na: {script: x}\n";
    CHECK(env(job(read(text), "a"), "W") == "on");
    CHECK_FALSE(job(read(text, {.branch = "x"}), "a").unavailable.empty());
}

TEST_CASE("gitlab: what GitLab refuses is an error with a place") {
    CHECK(problems_of(read("a: {script: x, sript: y}\n")).find("1: unknown key 'sript'") != std::string::npos);
    CHECK(problems_of(read("a: {script: x, stage: no}\n")).find("not among 'stages'") != std::string::npos);
    CHECK_FALSE(read("a: {extends: .no, script: x}\n").parsed.ok());
    CHECK_FALSE(read("a: {script: [!reference [.no, script]]}\n").parsed.ok());
    CHECK_FALSE(read("a: {stage: test}\n").parsed.ok());
    CHECK_FALSE(read("- a\n").parsed.ok());
    CHECK_FALSE(read("").parsed.ok());
    CHECK_FALSE(read("a: {script: x, timeout: soon}\n").parsed.ok());
    CHECK_FALSE(read("a: {script: x}\n", {.event = "party"}).parsed.ok());
}

TEST_CASE("a child pipeline is part of the one that starts it") {
    const std::string parent = "stages: [a, b]\ncall:\n  stage: a\n  variables: {GIVEN: x}\n  trigger: {include: ci/child.yml, strategy: depend}\n"
                               "after: {stage: b, script: [x]}\n";
    const auto front = read(parent, {.files = {{"ci/child.yml", "stages: [b, c]\none: {stage: b, script: [x]}\ntwo: {stage: c, needs: [one], script: [x]}\n"
                                                                "three: {stage: c, rules: [{if: '$GIVEN == \"x\" && $CI_PIPELINE_SOURCE == \"parent_pipeline\"'}], script: [x]}\n"}}});
    INFO(problems_of(front));
    CHECK(front.parsed.ok());
    std::vector<std::string> names;
    for (const auto& stage : front.parsed.value.stages) names.push_back(stage.name);
    CHECK(names == std::vector<std::string>{"a", "call b", "call c", "b"});
    CHECK(job(front, "three").unavailable.empty());
    CHECK(std::any_of(job(front, "two").needs.begin(), job(front, "two").needs.end(), [](const auto& need) { return need.stage == "call b" && need.job == "one"; }));
    const auto& stages = front.parsed.value.stages;
    CHECK(*stages[1].needs == std::vector<model::Need>{{"a", "call", {}}});
    for (const char* child : {"call b", "call c"})
        CHECK(std::any_of(stages[3].needs->begin(), stages[3].needs->end(), [&](const auto& need) { return need.stage == child; }));
    CHECK_FALSE(job(front, "one").allow_failure.value);

    const auto loose = read("call: {trigger: {include: [{local: /ci/a.yml}, ci/b.yml]}}\n", {.files = {{"ci/a.yml", "one: {script: [x]}\n"}, {"ci/b.yml", "two: {script: [x]}\n"}}});
    INFO(problems_of(loose));
    CHECK(loose.parsed.ok());
    CHECK(job(loose, "one").allow_failure.value);
    CHECK(job(loose, "two").allow_failure.value);

    CHECK(problems_of(read("call: {trigger: {include: none.yml}}\n")).find("job 'call' starts a child pipeline: no file none.yml") != std::string::npos);
    CHECK(problems_of(read("call: {trigger: {include: me.yml}}\n", {.files = {{"me.yml", "call: {trigger: {include: me.yml}}\n"}}})).find("more than 2 deep") != std::string::npos);
    for (const char* elsewhere : {"{include: [{artifact: a.yml, job: b}]}", "{include: [{project: p, file: f}]}", "{include: ../out.yml}", "group/project"}) {
        INFO(elsewhere);
        CHECK_FALSE(job(read(std::string("call: {trigger: ") + elsewhere + "}\n"), "call").unavailable.empty());
    }
}
