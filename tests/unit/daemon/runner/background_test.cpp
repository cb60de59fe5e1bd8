#include "job_fixture.hpp"

using namespace cicd;
using namespace cicd::test;
using model::EndReason;
using model::ExecutorKind;
using model::JobState;
using model::Step;
using model::StepControl;
using model::StepState;

namespace {

Step behind(std::string script, std::string id) {
    auto step = run_step(std::move(script), std::move(id));
    step.background = true;
    return step;
}

Step control(StepControl what, model::Strings targets = {}) {
    Step step;
    step.control = what;
    step.targets = std::move(targets);
    return step;
}

Step wait_for(const std::string& id) { return control(StepControl::wait, {id}); }

const std::string server = "trap 'echo bye; exit 0' TERM; touch up; while :; do sleep 0.02; done";
const std::string until_up = "until [ -e up ]; do sleep 0.01; done";

}  // namespace

TEST_CASE("a step in the background runs beside those after it; what it leaves is theirs once they have waited for it") {
    for (const auto executor : {ExecutorKind::sandbox, ExecutorKind::host}) {
        TestJob job({behind("mkfifo gate; cat gate; echo x=late >> $CICD_OUTPUT; echo LATE=yes >> $CICD_ENV; mkdir -p tools; echo $PWD/tools >> $CICD_PATH", "b"),
                     run_step("until [ -p gate ]; do sleep 0.01; done; echo \"before '${{ steps.b.outputs.x }}' '$LATE'\"; echo opened > gate"),
                     wait_for("b"),
                     run_step("echo \"after '${{ steps.b.outputs.x }}' '$LATE' ${PATH%%:*}\"")});
        job.spec.executor = executor;
        const auto& exit = job.run();
        CHECK(exit.state == JobState::success);
        const auto log = job.log();
        CHECK(log.find("before '' ''") != log.npos);
        CHECK(log.find("opened") != log.npos);
        CHECK(log.find("after 'late' 'yes' /") != log.npos);
        CHECK(log.find("/tools\n") != log.npos);
        CHECK(exit.steps[0].state == StepState::success);
        CHECK(exit.steps[2].name == "wait: b");
    }
}

TEST_CASE("steps of a group run at the same time, and the job goes on when all have ended") {
    // Each opens a pipe whose other end is the next one's: in any order one after another none would end.
    std::vector<Step> steps;
    for (int i = 0; i < 3; ++i) {
        auto step = run_step("mkfifo p" + std::to_string(i) + "; echo " + std::to_string(i) + " > p" + std::to_string(i) + " & until [ -p p" +
                             std::to_string((i + 1) % 3) + " ]; do sleep 0.01; done; cat p" + std::to_string((i + 1) % 3) + "; wait; touch end" + std::to_string(i));
        step.background = true;
        step.parallel = 1;
        steps.push_back(std::move(step));
    }
    auto all = control(StepControl::wait);
    all.parallel = 1;
    steps.push_back(std::move(all));
    steps.push_back(run_step("ls end0 end1 end2"));
    TestJob job(std::move(steps));
    CHECK(job.run().state == JobState::success);
    CHECK(job.exit.steps[3].name == "parallel");
}

TEST_CASE("a failure in the background counts where the job waits for it") {
    SUBCASE("steps before that go on; those after it do not run, but where they ask for failures") {
        auto last = run_step("echo outcome ${{ steps.b.outcome }}");
        last.condition = "failure()";
        TestJob job({behind("exit 4", "b"), run_step("echo one"), wait_for("b"), run_step("echo no"), last});
        CHECK(job.run().state == JobState::failed);
        CHECK(job.exit.exit_code == 4);
        CHECK(job.exit.message == "step 'exit 4': exit code 4");
        CHECK(job.exit.steps[2].state == StepState::failed);
        CHECK(job.log() == "one\noutcome failure\n");
    }
    SUBCASE("at the end, where nothing waits for it") {
        TestJob job({behind(until_up + "; exit 4", "b"), run_step("touch up; echo one")});
        CHECK(job.run().state == JobState::failed);
        CHECK(job.exit.exit_code == 4);
    }
    SUBCASE("not at all where the step, or what waits, may fail") {
        for (const bool of_step : {true, false}) {
            std::vector<Step> steps{behind("exit 4", "b"), wait_for("b"), run_step("echo on ${{ steps.b.outcome }}")};
            steps[of_step ? 0 : 1].continue_on_error.value = true;
            TestJob job(steps);
            CHECK(job.run().state == JobState::success);
            CHECK(job.log() == "on failure\n");
        }
    }
}

TEST_CASE("a step in the background can be ended by another") {
    SUBCASE("with time to put things in order; the job goes on") {
        TestJob job({behind(server, "s"), run_step(until_up), control(StepControl::cancel, {"s"}), run_step("echo ${{ steps.s.outcome }}")});
        CHECK(job.run().state == JobState::success);
        CHECK(job.exit.steps[0].state == StepState::cancelled);
        CHECK(job.exit.steps[0].message == "ended by step 'cancel: s'");
        CHECK(job.exit.steps[2].state == StepState::success);
        CHECK(job.log() == "bye\ncancelled\n");
    }
    SUBCASE("and is killed where it does not obey") {
        TestJob job({behind("trap '' TERM; touch up; while :; do sleep 0.02; done", "s"), run_step(until_up), control(StepControl::cancel, {"s"})});
        job.spec.grace = Milliseconds(50);
        CHECK(job.run().state == JobState::success);
        CHECK(job.system_says("the step is killed"));
    }
    SUBCASE("which changes nothing of a failure before") {
        TestJob job({behind("echo $$ > pid.new; mv pid.new pid; exit 4", "s"),
                     run_step("until [ -e pid ]; do sleep 0.01; done; while kill -0 $(cat pid); do sleep 0.01; done 2>/dev/null"),
                     control(StepControl::cancel, {"s"}), run_step("echo on")});
        CHECK(job.run().state == JobState::failed);
        CHECK(job.exit.exit_code == 4);
        CHECK(job.log() == "on\n");
    }
    SUBCASE("one that has ended is left as it is") {
        TestJob job({behind("true", "s"), wait_for("s"), control(StepControl::cancel, {"s"})});
        CHECK(job.run().state == JobState::success);
        CHECK(job.exit.steps[0].state == StepState::success);
    }
}

TEST_CASE("a job that ends takes its steps in the background with it") {
    SUBCASE("it is cancelled") {
        TestJob job({behind(server, "s"), run_step(until_up + "; echo up; sleep 1000"), control(StepControl::wait_all)});
        job.start();
        REQUIRE(eventually([&] { return job.log_holds("up"); }));
        job.cancel();
        CHECK(job.finish().state == JobState::cancelled);
        CHECK(job.exit.steps[0].state == StepState::cancelled);
        CHECK(job.log_holds("bye"));
    }
    SUBCASE("while it waits") {
        TestJob job({behind("echo up; sleep 1000", "s"), wait_for("s")});
        job.start();
        REQUIRE(eventually([&] { return job.log_holds("up"); }));
        job.cancel();
        CHECK(job.finish().state == JobState::cancelled);
    }
    SUBCASE("its time is over") {
        TestJob job({behind("sleep 1000", "s"), wait_for("s")});
        job.spec.timeout = Milliseconds(300);
        CHECK(job.run().state == JobState::failed);
        CHECK(job.exit.end_reason == EndReason::timeout);
    }
}

TEST_CASE("a step in the background has a time of its own") {
    auto slow = behind("sleep 1000", "s");
    slow.timeout = Milliseconds(100);
    TestJob job({slow, run_step("echo on"), wait_for("s")});
    CHECK(job.run().state == JobState::failed);
    CHECK(job.exit.steps[0].end_reason == EndReason::timeout);
    CHECK(job.exit.steps[1].state == StepState::success);
}

TEST_CASE("at most ten run at the same time; one that waits for its turn can be cancelled") {
    std::vector<Step> steps;
    for (int i = 0; i < 12; ++i) steps.push_back(behind("touch begun" + std::to_string(i) + "; until [ -e go ]; do sleep 0.01; done", "s" + std::to_string(i)));
    steps.push_back(run_step("until [ $(ls begun* | wc -l) = 10 ]; do sleep 0.01; done"));
    steps.push_back(control(StepControl::cancel, {"s11"}));
    steps.push_back(run_step("ls begun* | wc -l; touch go"));
    steps.push_back(control(StepControl::wait_all));
    steps.push_back(run_step("ls begun* | wc -l"));
    TestJob job(std::move(steps));
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "10\n11\n");
    CHECK(job.exit.steps[11].state == StepState::cancelled);
}

TEST_CASE("a condition decides whether a step goes to the background") {
    auto never = behind("echo no", "s");
    never.condition = "false";
    TestJob job({never, wait_for("s"), run_step("echo ${{ steps.s.outcome }}")});
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "skipped\n");
}

TEST_CASE("each step's output is its own, and so is what it says in it") {
    TestJob job({behind("for i in $(seq 200); do echo b$i; done; echo '::warning::from b'; touch up", "b"),
                 run_step("for i in $(seq 200); do echo a$i; done; " + until_up + "; echo '::notice::from a'"), wait_for("b")});
    CHECK(job.run().state == JobState::success);
    for (const auto& line : job.lines()) {
        if (line.text.starts_with("a")) CHECK(line.record.step == 1);
        if (line.text.starts_with("b")) CHECK(line.record.step == 0);
    }
    REQUIRE(job.exit.steps[0].annotations.size() == 1);
    CHECK(job.exit.steps[0].annotations[0].message == "from b");
    REQUIRE(job.exit.steps[1].annotations.size() == 1);
    CHECK(job.exit.steps[1].annotations[0].message == "from a");
}
