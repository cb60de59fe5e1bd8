#include "common/pipeline/convert.hpp"
#include "daemon/planner/planner.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

// What `import` makes of a GitLab file starts the same jobs by the same events as the file itself.

using namespace cicd;

namespace fs = std::filesystem;

namespace {

struct Occasion {
    const char* name;
    std::string event, branch, tag;
    model::Texts variables = {};
    std::string message = "a change";
};
const std::vector<Occasion> occasions{
    {"a push to main", "push", "main", ""},
    {"a push to a branch", "push", "feature-1", ""},
    {"a push to a release branch", "push", "release/2", ""},
    {"a tag", "push", "", "v1.2"},
    {"another tag", "push", "", "nightly"},
    {"a merge request", "merge_request_event", "feature-1", ""},
    {"somebody's hand", "web", "main", ""},
    {"a schedule", "schedule", "main", ""},
    {"a push with a variable", "push", "main", "", {{"NIGHTLY", "true"}}},
    {"a push with a word in its message", "push", "main", "", {}, "all of it [skip-lint]"},
};

constexpr const char* child = R"(
stages: [one, two]
always: {stage: one, script: x}
main: {stage: two, script: x, rules: [{if: $CI_COMMIT_BRANCH == "main"}]}
of a parent: {stage: two, script: x, rules: [{if: $CI_PIPELINE_SOURCE == "parent_pipeline"}]}
of a push: {stage: two, script: x, rules: [{if: $CI_PIPELINE_SOURCE == "push"}]}
nightly: {stage: two, script: x, rules: [{if: $NIGHTLY == "true"}]}
handed: {stage: two, script: x, rules: [{if: $GIVEN == "yes"}]}
)";

Result<std::string> read_child(const std::string&) { return std::string(child); }
bool reads_child(const std::string& text) { return test::contains(text, "child.yml"); }

pipeline::FrontOptions options_for(const Occasion& occasion, bool every_run) {
    pipeline::FrontOptions options;
    options.event = occasion.event;
    options.facts.every_run = every_run;
    options.facts.event.branch = occasion.branch;
    options.facts.event.tag = occasion.tag;
    options.facts.source.message = occasion.message;
    options.facts.source.commit = std::string(40, 'a');
    options.facts.source.remote = "https://gitlab.com/group/thing.git";
    if (!every_run) options.facts.variables = occasion.variables;
    return options;
}

planner::PlanRequest request_for(const Occasion& occasion, const pipeline::FrontOptions& options) {
    planner::PlanRequest request;
    request.source = options.facts.source;
    request.event.type = pipeline::event_type(model::Dialect::gitlab, occasion.event);
    request.event.branch = occasion.branch;
    request.event.tag = occasion.tag;
    request.event.base_branch = occasion.event == "merge_request_event" ? "main" : "";
    request.event.pull_request = occasion.event == "merge_request_event" ? 1 : 0;
    request.may_copy_system = true;
    return request;
}

using Jobs = std::set<std::string>;

Result<Jobs> jobs_of(const model::Pipeline& pipeline, const planner::PlanRequest& request) {
    CICD_TRY(const auto plan, planner::make_plan(pipeline, request));
    Jobs jobs;
    for (const auto& job : plan.jobs)
        if (job.reason.decision != model::Decision::skip) jobs.insert(job.base);
    return jobs;
}

std::string difference(const Result<Jobs>& of, const Result<Jobs>& from) {
    if (!of) return "(not planned: " + of.error().message + ")";
    std::string text;
    for (const auto& job : *of)
        if (!from || !from->contains(job)) text += job + ", ";
    return text.empty() ? "nothing, " : text;
}

/// Schedules have to be given a time: that is told, and left to whoever imports.
model::Pipeline with_schedule(model::Pipeline pipeline) {
    pipeline.triggers.push_back({.type = model::TriggerType::schedule, .cron = "0 1 * * *"});
    return pipeline;
}

struct Compared {
    int same = 0, other = 0;
};

Compared compare(const std::string& text, const std::string& file) {
    const Occasion any{"", "push", "main", ""};
    auto every = options_for(any, true);
    if (reads_child(text)) every.read_file = read_child;
    const auto front = pipeline::read_front(model::Dialect::gitlab, text, file, every);
    Compared compared;
    for (const auto& problem : front.parsed.problems)
        if (problem.severity == Severity::error) MESSAGE(file, ":", problem.line, ": ", problem.message);
    if (!front.parsed.ok() || front.parsed.value.stages.empty()) return compared;
    const auto made = pipeline::convert(front, file);
    const auto imported = pipeline::parse_pipeline(made.yaml, "imported.yaml");
    for (const auto& problem : imported.problems) FAIL_CHECK(file << ": " << problem.message << "\n" << made.yaml);
    for (const auto& occasion : occasions) {
        auto options = options_for(occasion, false);
        if (reads_child(text)) options.read_file = read_child;
        const auto own = pipeline::read_front(model::Dialect::gitlab, text, file, options);
        if (!own.parsed.ok()) continue;
        auto request = request_for(occasion, options);
        auto theirs_request = request;
        theirs_request.event.name = own.event;
        const auto theirs = jobs_of(own.parsed.value, theirs_request);
        if (!theirs) continue;
        for (const auto& [name, value] : occasion.variables)
            for (const auto& parameter : imported.value.parameters)
                if (parameter.name == name) request.params.emplace_back(name, value);
        const auto ours = jobs_of(with_schedule(imported.value), request);
        const bool same = ours && *ours == *theirs;
        compared.same += same;
        compared.other += !same;
        if (!same) MESSAGE(file, ", ", std::string(occasion.name), ": only GitLab's file starts ", difference(theirs, ours), "only the imported one ", difference(ours, theirs));
    }
    return compared;
}

const std::pair<const char*, const char*> cases[] = {
    {"rules: the first that applies counts", R"(
stages: [build, test, deploy]
build: {stage: build, script: make}
lint:
  rules:
    - if: $CI_COMMIT_MESSAGE =~ /skip-lint/
      when: never
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      allow_failure: true
    - if: $CI_COMMIT_TAG
      when: never
    - when: on_success
  script: lint
release:
  stage: deploy
  rules: [{if: $CI_COMMIT_TAG =~ /^v/}, {if: '$CI_COMMIT_BRANCH =~ /^(release|hotfix)\/.+/'}]
  script: release
pages:
  stage: deploy
  rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE != "schedule"}]
  script: pages
nightly:
  rules: [{if: $NIGHTLY == "true" || $CI_PIPELINE_SOURCE == "schedule"}]
  script: nightly
by hand: {stage: deploy, when: manual, script: x}
not a version: {rules: [{if: '$CI_COMMIT_TAG =~ /^v[0-9]+\.[0-9]+(\.[0-9]+)?$/', when: never}, {when: on_success}], script: x}
never: {rules: [{when: never}], script: x}
not a tag: {rules: [{if: $CI_COMMIT_TAG == null}], script: x}
)"},
    {"workflow:rules", R"(
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS
      when: never
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      variables: {PLACE: production}
    - if: $CI_COMMIT_TAG =~ /^v/
variables: {PLACE: staging}
a: {script: x}
b: {script: x, rules: [{if: $CI_MERGE_REQUEST_IID}]}
c: {script: x, rules: [{if: $PLACE == "production"}]}
d: {script: x, rules: [{if: '$CI_PIPELINE_SOURCE =~ /^(push|web)$/'}]}
)"},
    {"only and except", R"(
a: {script: x, only: [main, tags]}
b: {script: x, except: [main]}
c: {script: x, only: [/^feature-.*$/, merge_requests]}
d: {script: x, only: {refs: [branches], variables: [$NIGHTLY]}}
e: {script: x, only: [schedules, web]}
f: {script: x, except: [tags, schedules]}
)"},
    {"a child pipeline", R"(
stages: [build, children, last]
build: {stage: build, script: x}
call: {stage: children, variables: {GIVEN: "yes"}, trigger: {include: child.yml, strategy: depend}, rules: [{if: $CI_COMMIT_TAG, when: never}, {when: on_success}]}
last: {stage: last, script: x}
)"},
    {"needs of jobs that are not always there", R"(
stages: [one, two, three]
a: {stage: one, script: x, rules: [{if: $CI_COMMIT_TAG}]}
b: {stage: two, script: x, needs: [{job: a, optional: true}]}
c: {stage: three, script: x, needs: [b]}
d: {stage: three, script: x, rules: [{if: $CI_COMMIT_TAG}], needs: [a, b]}
e: {stage: two, script: x, rules: [{if: $CI_COMMIT_BRANCH, when: always}]}
)"},
    {"variables of the file and of jobs", R"(
variables: {FAST: "no", KIND: {value: small, description: "how large", options: [small, large]}, NIGHTLY: ""}
a: {script: x, rules: [{if: $FAST == "yes"}]}
b: {script: x, variables: {FAST: "yes"}, rules: [{if: $FAST == "yes"}]}
c: {script: x, rules: [{if: $KIND == "large"}, {if: $NIGHTLY}]}
d: {script: x, parallel: {matrix: [{SIZE: [small, large]}]}, rules: [{if: $SIZE == "large"}]}
e: {script: x, rules: [{if: $CI_PROJECT_PATH == "group/thing"}]}
f: {script: x, rules: [{if: '($CI_COMMIT_BRANCH == "main" || $CI_COMMIT_TAG) && $NIGHTLY != "true"', when: never}, {when: always}]}
)"},
};

}  // namespace

TEST_CASE("an imported GitLab file starts the same jobs as the file itself") {
    for (const auto& [name, text] : cases) {
        const std::string about = name;
        CAPTURE(about);
        const auto compared = compare(text, ".gitlab-ci.yml");
        CHECK(compared.other == 0);
        CHECK(compared.same == static_cast<int>(occasions.size()));
    }
}

TEST_CASE("real GitLab files, imported, start the same jobs as they do") {
    Compared all;
    for (const char* name : {"gitlab", "gitlab-templates"}) {
        const auto folder = fs::path(CICD_SOURCE_DIR) / "../shared/corpus/pipelines" / name;
        if (!fs::is_directory(folder)) {
            MESSAGE("skipped: there is no folder ", folder.string());
            continue;
        }
        for (const auto& entry : fs::directory_iterator(folder)) {
            std::ifstream file(entry.path());
            const std::string text{std::istreambuf_iterator<char>(file), {}};
            const auto compared = compare(text, entry.path().filename().string());
            all.same += compared.same;
            all.other += compared.other;
        }
    }
    MESSAGE(all.same, " occasions start the same jobs, ", all.other, " do not");
    CHECK(all.other <= 1);  // a pattern that only GitLab knows
}
