#include "cli/render/diagnostics.hpp"
#include "cli/render/log_lines.hpp"
#include "cli/render/plan_graph.hpp"
#include "cli/render/summary.hpp"
#include "cli/render/table.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using cicd::test::contains;
using namespace cicd::cli::render;

namespace {

Timestamp at(int seconds) {
    return Timestamp(Milliseconds(1'700'000'000'000 + seconds * 1000));
}

model::JobRun job(const std::string& stage, const std::string& name, model::JobState state, const std::string& id) {
    model::JobRun made;
    made.id = JobId(id);
    made.key = stage + "." + name;
    made.stage = stage;
    made.name = name;
    made.state = state;
    return made;
}

model::Run two_jobs() {
    model::Run run;
    run.id = RunId("run-3");
    run.pipeline = "demo";
    run.state = model::RunState::running;
    run.created_time = at(0);
    run.start_time = at(0);
    run.stages = {{.name = "build"}, {.name = "test"}};
    run.jobs = {job("build", "build", model::JobState::created, "job-1"),
                job("test", "unit (3.9)", model::JobState::created, "job-2")};
    return run;
}

model::RunEvent change(const std::string& type, const std::string& job, const std::string& state, int seconds) {
    model::RunEvent event;
    event.type = type;
    event.job = JobId(job);
    event.state = state;
    event.time = at(seconds);
    event.attempt = 1;
    return event;
}

contract::LogEntry line(const std::string& job, const std::string& text, bool partial = false) {
    contract::LogEntry entry;
    entry.job = JobId(job);
    entry.text = text;
    entry.partial = partial;
    return entry;
}

}  // namespace

TEST_CASE("columns are counted as a terminal shows them") {
    CHECK(columns("abc") == 3);
    CHECK(columns("äöü") == 3);
    CHECK(columns("日本") == 4);
    CHECK(columns("e\u0301") == 1);
    CHECK(columns("\x1b[31mred\x1b[0m") == 3);
    CHECK(columns("🚀") == 2);
    CHECK(columns("\xff\xfe") == 2);
}

TEST_CASE("texts are cut to a width without breaking characters or colours") {
    CHECK(fit("abcdef", 6) == "abcdef");
    CHECK(fit("abcdefg", 6) == "abcde…");
    CHECK(fit("日本語", 4) == "日…");
    CHECK(columns(fit("\x1b[31mabcdefgh\x1b[0m", 4)) == 4);
    CHECK(fit("\x1b[31mabcdefgh\x1b[0m", 4).ends_with("\x1b[0m"));
    CHECK(fit("abc", 0).empty());
}

TEST_CASE("a line of a log is what a terminal would be left with") {
    CHECK(as_one_line("10%\r50%\r100%") == "100%");
    CHECK(as_one_line("dos\r") == "dos");
    CHECK(as_one_line("a\x1b[2Kb\x1b[1Ac") == "abc");
    CHECK(as_one_line("\x1b[32mok") == "\x1b[32mok\x1b[0m");
    CHECK(without_escapes("\x1b[32mok\x1b[0m \x1b]0;title\ax") == "ok x");
}

TEST_CASE("a table aligns its columns and gives way where the terminal is narrow") {
    Table table({{.title = "ID"},
                 {.title = "NAME", .gives_way = true},
                 {.title = "AGE", .right = true},
                 {.title = "MORE", .only_wide = true}});
    table.add({{"run-1"}, {"a long name of a pipeline"}, {"5m"}, {"x"}});
    table.add({{"run-10"}, {"日本"}, {"12m"}, {"y"}});
    CHECK(table.text({}) ==
          "ID      NAME                       AGE\n"
          "run-1   a long name of a pipeline   5m\n"
          "run-10  日本                       12m\n");
    CHECK(table.text({.headers = false, .width = 24}) ==
          "run-1   a long nam…   5m\n"
          "run-10  日本         12m\n");
    CHECK(contains(table.text({.wide = true}), "MORE"));
}

TEST_CASE("colours only where they are wanted") {
    CHECK(Paint{true}(Tone::red, "x") == "\x1b[31mx\x1b[0m");
    CHECK(Paint{false}(Tone::red, "x") == "x");
}

TEST_CASE("ages have one unit") {
    CHECK(age(Milliseconds(59'000)) == "59s");
    CHECK(age(Milliseconds(61'000)) == "1m");
    CHECK(age(Milliseconds(3'600'000)) == "1h");
    CHECK(age(Milliseconds(49LL * 3'600'000)) == "2d");
    CHECK(age(Milliseconds(-5)) == "0s");
}

TEST_CASE("a diagnostic shows its place, its line with a caret, and the suggestion") {
    const std::vector<Diagnostic> problems{
        {Severity::error, "a.yaml", 2, 3, "/x", "unknown key 'stagse'", "did you mean 'stages'?"}};
    const auto text = diagnostics(problems, [](const std::string&) { return "name: x\n  stagse: []\n"; }, {});
    CHECK(text == "a.yaml:2:3: error: unknown key 'stagse'\n      stagse: []\n      ^\n  did you mean 'stages'?\n");
    CHECK(diagnostics({{Severity::warning, "", 0, 0, "", "odd", ""}}, nullptr, {}) == "warning: odd\n");
    CHECK(contains(
        diagnostics({{Severity::error, "b", 9, 900, "", "far", ""}}, [](const std::string&) { return "short"; }, {}),
        "b:9:900"));
}

TEST_CASE("events move a run's parts, an attempt after a failed one starts anew, late jobs are added") {
    RunProgress progress(two_jobs());
    progress.apply(change("job.state", "job-1", "running", 1));
    auto step = change("step.state", "job-1", "running", 1);
    step.step = 0;
    step.name = "make";
    progress.apply(step);
    CHECK(progress.run().jobs[0].state == model::JobState::running);
    CHECK(progress.run().jobs[0].steps.at(0).name == "make");
    auto again = change("job.state", "job-1", "running", 5);
    again.attempt = 2;
    progress.apply(again);
    CHECK(progress.run().jobs[0].steps.empty());
    CHECK(progress.run().jobs[0].start_time == at(5));
    auto late = change("job.state", "job-9", "running", 6);
    late.job_key = "test.unit (3.11)";
    late.stage = "test";
    progress.apply(late);
    CHECK(progress.job_label(JobId("job-9"), "") == "test/unit (3.11)");
    progress.apply(change("job.state", "job-1", "nonsense", 7));
    progress.apply(change("run.state", "", "success", 8));
    CHECK(progress.run().state == model::RunState::success);
    CHECK(progress.run().end_time == at(8));
}

TEST_CASE("parts of lines of different jobs never mix") {
    RunProgress progress(two_jobs());
    LogLines lines({}, false);
    CHECK(lines.add(progress, line("job-1", "one ", true)).empty());
    CHECK(lines.add(progress, line("job-2", "other")) == "[test/unit (3.9)] other\n");
    CHECK(lines.add(progress, line("job-1", "line")) == "[build] one line\n");
    CHECK(lines.add(progress, line("job-2", "no newline", true)).empty());
    CHECK(lines.rest(progress) == "[test/unit (3.9)] no newline\n");
    CHECK(lines.rest(progress).empty());
    CHECK(lines.add(progress, line("job-1", "raw \x1b[2K\r\xff")) == "[build] raw \x1b[2K\r\xff\n");
}

TEST_CASE("lines of steps that run at the same time are told apart, and never mix") {
    RunProgress progress(two_jobs());
    LogLines lines({}, false);
    const auto step = [&](int index, const std::string& name, const std::string& state, int seconds) {
        auto event = change("step.state", "job-1", state, seconds);
        event.step = index;
        event.name = name;
        progress.apply(event);
    };
    const auto of = [](int index, const std::string& text, bool partial = false) {
        auto entry = line("job-1", text, partial);
        entry.step = index;
        return entry;
    };
    step(0, "make", "running", 1);
    CHECK(lines.add(progress, of(0, "alone")) == "[build] alone\n");
    step(0, "", "success", 2);
    step(1, "serve", "running", 2);
    CHECK(lines.add(progress, of(1, "alone")) == "[build] alone\n");
    step(2, "test", "running", 3);
    CHECK(lines.add(progress, of(1, "half ", true)).empty());
    CHECK(lines.add(progress, of(2, "beside")) == "[build: test] beside\n");
    CHECK(lines.add(progress, of(1, "a line")) == "[build: serve] half a line\n");
    CHECK(lines.add(progress, of(0, "before both")) == "[build] before both\n");
    step(2, "", "success", 4);
    step(9, "service:db", "running", 0);
    step(3, "last", "running", 5);
    CHECK(lines.add(progress, of(9, "of the service")) == "[build] of the service\n");
    step(1, "", "success", 5);
    CHECK(lines.add(progress, of(3, "alone again")) == "[build] alone again\n");
}

TEST_CASE("the summary names what failed, why, its last lines and what to type next") {
    RunProgress progress(two_jobs());
    auto run = two_jobs();
    run.state = model::RunState::failed;
    run.end_time = at(12);
    run.jobs[0].state = model::JobState::success;
    run.jobs[1].state = model::JobState::failed;
    run.jobs[1].exit_code = 7;
    run.jobs[1].end_reason = model::EndReason::exit;
    run.jobs[1].steps = {{.index = 0, .name = "setup", .state = model::StepState::success},
                         {.index = 1, .name = "pytest", .state = model::StepState::failed}};
    for (int i = 0; i < 30; ++i) {
        auto entry = line("job-2", "line " + std::to_string(i));
        entry.step = 1;
        progress.apply(entry);
    }
    progress.replace(run);
    const auto text = summary(progress, at(60), {});
    CHECK(contains(text, "✗ run-3 failed in 12"));
    CHECK(contains(text, "✗ test/unit (3.9): exit code 7 in step 2 'pytest'"));
    CHECK(contains(text, "line 29"));
    CHECK(contains(text, "line 15"));
    CHECK_FALSE(contains(text, "line 14"));
    CHECK(contains(text, "cicdctl logs job-2"));
    CHECK(contains(text, "cicdctl retry run-3"));
    model::Run empty;
    empty.state = model::RunState::success;
    CHECK(contains(summary(RunProgress(empty), at(60), {}), "No job ran."));
}

TEST_CASE("a plan is a tree with reasons, and a graph") {
    model::Plan plan;
    plan.pipeline = "demo \"x\"";
    plan.stages = {{.name = "build"}, {.name = "test", .needs = {{.stage = "build"}}}};
    model::PlannedJob build, unit;
    build.key = build.base = "build.build";
    build.name = build.stage = "build";
    unit.key = unit.base = "test.unit";
    unit.name = "unit";
    unit.stage = "test";
    unit.reason = {model::Decision::skip, "condition 'false' is false"};
    plan.jobs = {build, unit};
    const auto tree = plan_tree(plan, {});
    CHECK(contains(tree, "✓ build"));
    CHECK(contains(tree, "after build"));
    CHECK(contains(tree, "– unit"));
    CHECK(contains(tree, "condition 'false' is false"));
    CHECK(contains(plan_dot(plan), "job0 -> job1;"));
    CHECK(contains(plan_dot(plan), "digraph \"demo \\\"x\\\"\""));
    CHECK(contains(plan_mermaid(plan), "job0 --> job1"));
}
