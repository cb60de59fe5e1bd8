#include "cli/render/explanation.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using cicd::test::contains;
using namespace cicd::cli::render;
using contract::CauseKind;
using contract::Verdict;

namespace {

contract::JobExplanation job(const std::string& id, const std::string& key, Verdict verdict, const std::string& state,
                             const std::string& text, const std::string& remedy = {}) {
    contract::JobExplanation made;
    made.job = JobId(id);
    made.key = key;
    made.state = state;
    made.verdict = verdict;
    if (!text.empty()) made.causes = {{CauseKind::need, text, Object{}, remedy}};
    return made;
}

contract::Explanation example() {
    contract::Explanation made;
    made.run = RunId("run-3");
    made.state = "running";
    made.verdict = Verdict::runs;
    made.jobs = {job("job-1", "build.build", Verdict::ended, "success", ""),
                 job("job-2", "test.a", Verdict::waits, "queued", "it needs build", "cicdctl cancel job-1"),
                 job("job-3", "test.b", Verdict::waits, "queued", "it needs build", "cicdctl cancel job-1"),
                 job("job-4", "deploy.x", Verdict::skipped, "skipped", "condition 'false' is false")};
    return made;
}

}  // namespace

TEST_CASE("an explanation groups what has the same cause, and leaves out what explains itself") {
    const auto text = explanation(example(), {});
    CHECK(text ==
          "● run-3 runs\n"
          "\n○ test.a, test.b wait\n  it needs build\n  → cicdctl cancel job-1\n"
          "\n– deploy.x (job-4) was skipped\n  condition 'false' is false\n"
          "\n1 job of which there is nothing to tell (-a shows them)\n");
    CHECK(contains(explanation(example(), {.all = true}), "✓ build.build (job-1) succeeded"));
}

TEST_CASE("a job that succeeded is told of where its inputs were compared") {
    auto one = example();
    one.jobs[0].causes = {{CauseKind::reuse, "reused from run-1, job-1: same inputs", Object{}, ""}};
    CHECK(contains(explanation(one, {}), "✓ build.build (job-1) succeeded\n  reused from run-1, job-1: same inputs\n"));
}

TEST_CASE("one job alone is told without its run") {
    auto one = example();
    one.jobs = {one.jobs[3]};
    CHECK(explanation(one, {.all = true}) == "– deploy.x (job-4) was skipped\n  condition 'false' is false\n");
}

TEST_CASE("long causes are broken between words") {
    auto one = example();
    one.jobs = {job("job-9", "a.b", Verdict::waits, "queued", "one two three four five six seven eight nine ten eleven twelve")};
    CHECK(explanation(one, {.width = 40, .all = true}) ==
          "○ a.b (job-9) waits\n  one two three four five six seven\n  eight nine ten eleven twelve\n");
}
