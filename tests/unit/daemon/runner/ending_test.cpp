#include "job_fixture.hpp"

using namespace cicd;
using namespace cicd::test;
using model::EndReason;
using model::ExecutorKind;
using model::JobState;
using model::StepState;

namespace {

std::uint64_t pending_signals(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("ShdPnd:")) return std::stoull(line.substr(7), nullptr, 16);
    return 0;
}

std::string unique_marker() {
    static int count = 0;
    return "cicdmark" + std::to_string(::getpid()) + "x" + std::to_string(++count);
}

/// A tree that does not want to go: ignores SIGTERM, escapes into sessions of its own, is orphaned.
std::string stubborn_tree(const std::string& marker) {
    const std::string loop = "trap \"\" TERM INT HUP; while :; do sleep 0.05; done";
    return "m=" + marker + "; trap '' TERM\nsetsid sh -c '" + loop + "' $m &\n(setsid sh -c '" + loop + "' $m & ) \nsh -c '" + loop +
           "' $m &\necho up\nwhile :; do sleep 0.05; done\n";
}

}  // namespace

TEST_CASE("cancelling kills the whole tree, whatever it does to stay") {
    for (const auto executor : {ExecutorKind::sandbox, ExecutorKind::host}) {
        const auto marker = unique_marker();
        TestJob job(stubborn_tree(marker));
        job.spec.executor = executor;
        job.spec.grace = Milliseconds(100);
        job.start();
        REQUIRE(eventually([&] { return job.log_holds("up") && processes_with_argument(marker).size() >= 3; }));
        job.cancel(EndReason::superseded, "a newer run started");
        const auto& exit = job.finish();
        CHECK(processes_with_argument(marker).empty());
        CHECK(exit.state == JobState::cancelled);
        CHECK(exit.end_reason == EndReason::superseded);
        CHECK(exit.message == "a newer run started");
        CHECK(exit.steps[0].state == StepState::cancelled);
        CHECK(job.log(model::LogStream::system) ==
              "a newer run started\nstill running after 100ms: everything is killed\n");
    }
}

TEST_CASE("after a cancel the steps that ask for it still run, others do not") {
    std::vector<model::Step> steps{run_step("echo up; sleep 1000"), run_step("echo no"), run_step("echo cleanup"),
                                   run_step("echo was cancelled: ${{ job.status }}"), run_step("echo no failure")};
    steps[2].condition = "always()";
    steps[3].condition = "cancelled()";
    steps[4].condition = "failure()";
    TestJob job(steps);
    job.start();
    REQUIRE(eventually([&] { return job.log_holds("up"); }));
    job.cancel();
    const auto& exit = job.finish();
    CHECK(exit.state == JobState::cancelled);
    CHECK(job.log() == "up\ncleanup\nwas cancelled: cancelled\n");
    CHECK(exit.steps[1].message == "the job was ended");
    CHECK(exit.steps[2].state == StepState::success);
}

TEST_CASE("a cancel that is sent again changes nothing; SIGINT ends everything at once") {
    const auto marker = unique_marker();
    std::vector<model::Step> steps{run_step(stubborn_tree(marker)), run_step("echo no")};
    steps[1].condition = "always()";
    TestJob job(steps);
    job.spec.grace = Milliseconds(3'600'000);
    job.start();
    REQUIRE(eventually([&] { return job.log_holds("up"); }));
    job.cancel();
    REQUIRE(eventually([&] { return !job.log(model::LogStream::system).empty(); }));
    ::kill(job.pid, SIGTERM);
    // It has been read, and nothing has come of it, when the signal is pending no longer and the loop waits again.
    REQUIRE(eventually([&] { return (pending_signals(job.pid) & (1u << (SIGTERM - 1))) == 0; }));
    CHECK(!processes_with_argument(marker).empty());
    ::kill(job.pid, SIGINT);
    CHECK(job.finish().state == JobState::cancelled);
    CHECK(job.exit.message == "enough");
    CHECK(job.log() == "up\n");
    CHECK(job.log(model::LogStream::system) == "enough\neverything is killed\n");
    CHECK(processes_with_argument(marker).empty());
}

TEST_CASE("a step's timeout ends the step, the job goes on to what wants to run") {
    std::vector<model::Step> steps{run_step("echo up; sleep 1000"), run_step("echo after")};
    steps[0].timeout = Milliseconds(200);
    steps[1].condition = "always()";
    TestJob job(steps);
    const auto& exit = job.run();
    CHECK(exit.state == JobState::failed);
    CHECK(exit.end_reason == EndReason::timeout);
    CHECK(exit.steps[0].message == "the step ran longer than 200ms");
    CHECK(exit.steps[0].end_reason == EndReason::timeout);
    CHECK(exit.steps[0].exit_code == 143);
    CHECK(job.log() == "up\nafter\n");
}

TEST_CASE("a step that ignores its timeout's SIGTERM is killed after the grace") {
    std::vector<model::Step> steps{run_step("trap '' TERM; while :; do sleep 0.02; done")};
    steps[0].timeout = Milliseconds(100);
    steps[0].continue_on_error.value = true;
    TestJob job(steps);
    job.spec.grace = Milliseconds(100);
    const auto& exit = job.run();
    CHECK(exit.state == JobState::success);
    CHECK(exit.steps[0].exit_code == 137);
    CHECK(exit.steps[0].end_reason == EndReason::timeout);
}

TEST_CASE("a job's timeout ends the job") {
    TestJob job({run_step("sleep 1000"), run_step("echo no")});
    job.spec.timeout = Milliseconds(200);
    const auto& exit = job.run();
    CHECK(exit.state == JobState::failed);
    CHECK(exit.end_reason == EndReason::timeout);
    CHECK(exit.message == "the job ran longer than 200ms");
    CHECK(exit.steps[0].state == StepState::failed);
    CHECK(exit.steps[1].state == StepState::skipped);
}

TEST_CASE("silence is noticed, and ends the step where that is asked for") {
    // It goes on when it has been told three times, and then is silent again.
    TestJob warned("while [ ! -e go ]; do sleep 0.02; done; echo half; while [ ! -e on ]; do sleep 0.02; done; echo done");
    warned.spec.silence_timeout = Milliseconds(100);
    warned.start();
    const auto told = [&](const std::string& text, std::size_t after = 0) {
        const auto log = warned.log(model::LogStream::system);
        return log.size() > after && log.find(text, after) != std::string::npos;
    };
    REQUIRE(eventually([&] { return told("no output for 300ms; still running\n"); }));
    CHECK(told("no output for 100ms; still running\n"));
    std::ofstream(warned.paths.workspace() / "go") << "";
    REQUIRE(eventually([&] { return warned.log_holds("half"); }));
    const auto before = warned.log(model::LogStream::system).size();
    CHECK(eventually([&] { return told("no output for 100ms; still running\n", before > 36 ? before - 36 : 0); }));
    std::ofstream(warned.paths.workspace() / "on") << "";
    CHECK(warned.finish().state == JobState::success);

    TestJob ended("echo up; sleep 1000");
    ended.spec.silence_timeout = Milliseconds(100);
    ended.spec.fail_on_silence = true;
    CHECK(ended.run().end_reason == EndReason::timeout);
    CHECK(ended.exit.message.find("no output for 100ms") != std::string::npos);
}

TEST_CASE("a killed runner takes everything with it and leaves no exit") {
    for (const auto executor : {ExecutorKind::sandbox, ExecutorKind::host}) {
        const auto marker = unique_marker();
        TestJob job(stubborn_tree(marker));
        job.spec.executor = executor;
        job.start();
        REQUIRE(eventually([&] { return job.log_holds("up") && processes_with_argument(marker).size() >= 3; }));
        ::kill(job.pid, SIGKILL);
        ::waitpid(job.pid, nullptr, 0);
        job.pid = 0;
        CHECK(eventually([&] { return processes_with_argument(marker).empty(); }));
        CHECK(!job::read_exit(job.paths)->has_value());
        CHECK(job::runner_status(job.paths).liveness == job::RunnerLiveness::dead);
    }
}

TEST_CASE("nothing of a job outlives it") {
    for (const auto executor : {ExecutorKind::sandbox, ExecutorKind::host}) {
        const auto marker = unique_marker();
        TestJob job("m=" + marker + "; setsid sh -c 'sleep 1000; :' $m & echo done");
        job.spec.executor = executor;
        CHECK(job.run().state == JobState::success);
        CHECK(processes_with_argument(marker).empty());
    }
}

TEST_CASE("a job directory is run once") {
    TestJob job("echo once");
    job.run();
    const auto pid = os::spawn({.argv = {CICD_BIN_DIR "/cicd-runner", job.paths.root.string()}});
    int status = 0;
    ::waitpid(*pid, &status, 0);
    CHECK(WEXITSTATUS(status) == 7);
    CHECK(job.log() == "once\n");
}

TEST_CASE("what cannot be prepared is infra, not the step's failure") {
    TestJob container("true");
    container.spec.executor = ExecutorKind::container;
    CHECK(container.run().end_reason == EndReason::infra);
    INFO(container.exit.message);
    CHECK(container.exit.message.find("no image") != std::string::npos);

    TestJob uses({model::Step{}});
    uses.spec.steps[0].uses = "build/node";
    CHECK(uses.run().end_reason == EndReason::infra);
    CHECK(uses.exit.message.find("not available yet") != std::string::npos);

    TestJob missing("true");
    missing.start({"CICD_BWRAP=/no/such/bwrap"});
    CHECK(missing.finish().end_reason == EndReason::infra);
    CHECK(missing.exit.message.find("install the package bubblewrap") != std::string::npos);

    TestJob refused("true");
    refused.start({"CICD_BWRAP=/bin/false"});
    CHECK(refused.finish().end_reason == EndReason::infra);

    TestJob spec("true");
    std::ofstream(spec.paths.spec()) << "{}";
    const auto pid = os::spawn({.argv = {CICD_BIN_DIR "/cicd-runner", spec.paths.root.string()}});
    ::waitpid(*pid, nullptr, 0);
    CHECK((**job::read_exit(spec.paths)).end_reason == EndReason::infra);
}
