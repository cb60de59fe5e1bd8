#include "cli/render/live_tree.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::cli::render;

namespace {

Timestamp at(int seconds) {
    return Timestamp(Milliseconds(1'700'000'000'000 + seconds * 1000));
}

using model::JobState;
using model::StageState;

/// A run under way, made piece by piece.
struct Scene {
    Scene() {
        run.id = RunId("run-3");
        run.pipeline = "demo";
        run.state = model::RunState::running;
        run.start_time = at(0);
    }
    void stage(const std::string& name, StageState state) {
        model::StageRun made{.name = name, .state = state, .start_time = {}, .end_time = {}, .message = {}};
        if (state != StageState::pending) made.start_time = at(0);
        if (is_final(state)) made.end_time = at(4);
        run.stages.push_back(made);
    }
    model::JobRun& job(const std::string& name, JobState state) {
        model::JobRun made;
        made.id = JobId("job-" + std::to_string(run.jobs.size() + 1));
        made.stage = run.stages.back().name;
        made.key = made.stage + "." + name;
        made.name = name;
        made.state = state;
        if (state == JobState::running || is_final(state)) made.start_time = at(1);
        if (is_final(state)) made.end_time = at(3);
        run.jobs.push_back(made);
        return run.jobs.back();
    }
    [[nodiscard]] std::vector<std::string> drawn(std::size_t width, std::size_t height, Expectations expected = {}) const {
        RunProgress progress(run);
        progress.expect(std::move(expected));
        return live_tree(progress, at(10), {.paint = {}, .width = width, .height = height});
    }
    model::Run run;
};

bool any(const std::vector<std::string>& lines, const std::string& part) {
    for (const auto& line : lines)
        if (line.find(part) != std::string::npos) return true;
    return false;
}

}  // namespace

TEST_CASE("a stage that has ended is one line; what runs is shown job by job") {
    Scene scene;
    scene.stage("build", StageState::success);
    for (int i = 0; i < 3; ++i) scene.job("part " + std::to_string(i), JobState::success);
    scene.stage("test", StageState::running);
    scene.job("unit", JobState::running);
    scene.job("lint", JobState::failed).exit_code = 2;
    scene.stage("deploy", StageState::pending);
    scene.job("deploy", JobState::created);
    const auto lines = scene.drawn(80, 20);
    REQUIRE(lines.size() == 6);
    CHECK(lines[0].find("run-3 demo  running  10s  4 of 6 jobs done") == 0);
    CHECK(lines[1].find("✓ build") != std::string::npos);
    CHECK(lines[1].find("3 jobs") != std::string::npos);
    CHECK(lines[2].find("1 of 2 done, 1 running, 1 failed") != std::string::npos);
    CHECK(lines[3].find("unit") != std::string::npos);
    CHECK(lines[4].find("✗ lint") != std::string::npos);
    CHECK(lines[5].find("○ deploy") != std::string::npos);
}

TEST_CASE("a stage with one job is one line with what the job does") {
    Scene scene;
    scene.stage("build", StageState::running);
    auto& job = scene.job("build", JobState::running);
    job.steps = {{.index = 0, .name = "configure", .state = model::StepState::success},
                 {.index = 1, .name = "make -j4\nmore", .state = model::StepState::running}};
    job.attempt = 2;
    const auto lines = scene.drawn(80, 20);
    REQUIRE(lines.size() == 2);
    CHECK(lines[1].find("build") != std::string::npos);
    CHECK(lines[1].find("attempt 2, step 2: make -j4") != std::string::npos);
    CHECK(lines[1].find("more") == std::string::npos);
}

TEST_CASE("a tree never exceeds its height nor its width, and keeps what runs and what failed") {
    for (const std::size_t jobs : {1, 12, 300}) {
        Scene scene;
        scene.stage("prepare", StageState::success);
        scene.job("prepare", JobState::success);
        scene.stage("matrix", StageState::running);
        for (std::size_t i = 0; i < jobs; ++i)
            scene.job("unit (a rather long name of a variant, " + std::to_string(i) + ", 日本語)",
                      i % 100 == 7   ? JobState::failed
                      : i % 100 == 8 ? JobState::running
                      : i < 150      ? JobState::success
                                     : JobState::queued);
        for (const std::size_t height : {3, 4, 8, 16, 50})
            for (const std::size_t width : {1, 20, 80, 120, 200}) {
                const auto lines = scene.drawn(width, height);
                CHECK(lines.size() <= height);
                for (const auto& line : lines) CHECK(columns(line) <= std::max<std::size_t>(width - 1, 1));
            }
        if (jobs == 300) {
            const auto lines = scene.drawn(120, 16);
            for (const auto* name : {" 7,", " 8,", " 107,", " 108,", " 207,", " 208,"}) CHECK(any(lines, name));
            CHECK(any(lines, "running, 3 failed"));
        }
    }
}

TEST_CASE("running jobs that find no room are counted") {
    Scene scene;
    scene.stage("matrix", StageState::running);
    for (int i = 0; i < 50; ++i) scene.job("unit " + std::to_string(i), JobState::running);
    const auto lines = scene.drawn(80, 12);
    REQUIRE(lines.size() == 12);
    CHECK(lines.back().find("… 41 more") != std::string::npos);
}

TEST_CASE("long chains fold into lines that count stages") {
    Scene scene;
    for (int i = 0; i < 40; ++i) scene.stage("s" + std::to_string(i), i < 20 ? StageState::success : i == 20 ? StageState::running : StageState::pending);
    const auto lines = scene.drawn(80, 12);
    REQUIRE(lines.size() == 4);
    CHECK(lines[1].find("20 stages") != std::string::npos);
    CHECK(lines[2].find("s20") != std::string::npos);
    CHECK(lines[3].find("19 stages") != std::string::npos);
}

TEST_CASE("what is expected stands beside what is") {
    Scene past;
    past.run.state = model::RunState::success;
    past.run.end_time = at(30);
    past.stage("build", StageState::success);
    past.job("build", JobState::success);
    auto other = past;
    other.run.end_time = at(90);
    auto third = past;
    third.run.end_time = at(60);
    third.run.stages[0].end_time = at(20);
    const auto expected = expectations_from({past.run, other.run, third.run});
    CHECK(expected.run == Milliseconds(60'000));
    CHECK(expected.stage("build") == Milliseconds(4'000));
    CHECK(expected.job("build.build") == Milliseconds(2'000));
    CHECK_FALSE(expected.stage("test").has_value());
    CHECK(expectations_from({}) == Expectations{});

    Scene now;
    now.stage("build", StageState::running);
    now.job("build", JobState::running);
    const auto lines = now.drawn(80, 10, expected);
    CHECK(any(lines, "10s of ~1m 00s"));
    CHECK(any(lines, "of ~4s"));
}

TEST_CASE("a terminal without UTF-8 gets ASCII") {
    Scene scene;
    scene.stage("build", StageState::running);
    scene.job("a name that is far too long for so narrow a terminal", JobState::running);
    RunProgress progress(scene.run);
    for (const auto& line : live_tree(progress, at(1), {.paint = {}, .width = 30, .height = 9, .utf8 = false, .hint = "a · b"})) {
        CHECK(columns(line) < 30);
        for (const char c : line) CHECK(static_cast<unsigned char>(c) < 0x80);
    }
}

TEST_CASE("a run that somebody cancels says so until it has ended") {
    Scene scene;
    scene.stage("build", StageState::running);
    RunProgress progress(scene.run);
    progress.set_cancelling();
    CHECK(live_tree(progress, at(1), {})[0].find("cancelling") != std::string::npos);
    auto ended = scene.run;
    ended.state = model::RunState::cancelled;
    progress.replace(ended);
    CHECK(live_tree(progress, at(1), {})[0].find("cancelling") == std::string::npos);
}
