#include "job_fixture.hpp"

using namespace cicd;
using namespace cicd::test;
using model::EndReason;
using model::JobState;
using model::StepState;

TEST_CASE("a job that does well ends with success and a whole record") {
    TestJob job("echo hello");
    const auto& exit = job.run();
    CHECK(exit.state == JobState::success);
    CHECK(exit.exit_code == 0);
    CHECK(exit.end_reason == EndReason::exit);
    REQUIRE(exit.steps.size() == 1);
    CHECK(exit.steps[0].state == StepState::success);
    CHECK(exit.steps[0].exit_code == 0);
    CHECK(exit.steps[0].usage.peak_memory > 0);
    CHECK(job.log() == "hello\n");
    const auto journal = job.journal();
    REQUIRE(journal.size() == 3);
    CHECK(journal[0].type == model::JournalType::job_started);
    CHECK(journal[1].type == model::JournalType::step_started);
    CHECK(journal[2].type == model::JournalType::step_ended);
    CHECK(journal[2].exit_code == 0);
    CHECK(job::runner_status(job.paths).liveness == job::RunnerLiveness::dead);
}

TEST_CASE("the first failure decides, what comes after is skipped") {
    TestJob job({run_step("exit 3"), run_step("echo no")});
    const auto& exit = job.run();
    CHECK(exit.state == JobState::failed);
    CHECK(exit.exit_code == 3);
    CHECK(exit.end_reason == EndReason::exit);
    CHECK(exit.message == "step 'exit 3': exit code 3");
    CHECK(exit.steps[1].state == StepState::skipped);
    CHECK(exit.steps[1].message == "an earlier step failed");
    CHECK(job.log().empty());
}

TEST_CASE("a step's death by a signal is told as such") {
    TestJob job("kill -SEGV $$");
    const auto& exit = job.run();
    CHECK(exit.exit_code == 139);
    CHECK(exit.end_reason == EndReason::signal);
    CHECK(exit.message.find("signal 11") != std::string::npos);
}

TEST_CASE("bash stops at the first error, pipes fail where bash is asked for by name") {
    TestJob job("false; echo no");
    CHECK(job.run().exit_code == 1);
    CHECK(job.log().empty());

    TestJob plain("false | cat; echo went on");
    CHECK(plain.run().exit_code == 0);

    TestJob named("false | cat; echo went on");
    named.spec.shell = "bash";
    CHECK(named.run().exit_code == 1);
    CHECK(named.log().empty());
}

TEST_CASE("other shells: sh, python, a template, one that is not there") {
    std::vector<model::Step> steps{run_step("echo $0"), run_step("import sys; print(sys.version_info[0])"),
                                   run_step("print qq(perl\\n);"), run_step("x")};
    steps[0].shell = "sh";
    steps[1].shell = "python";
    steps[2].shell = "perl {0}";
    steps[3].shell = "no-such-shell {0}";
    TestJob job(steps);
    const auto& exit = job.run();
    CHECK(job.log() == "/run/cicd/0.sh\n3\nperl\n");
    CHECK(exit.exit_code == 127);
    CHECK(exit.steps[3].message == "the shell 'no-such-shell' was not found in PATH");
    CHECK(job.log(model::LogStream::system) == "the shell 'no-such-shell' was not found in PATH\n");
}

TEST_CASE("stdout and stderr are told apart, order within each is kept") {
    TestJob job("for i in 1 2 3; do echo o$i; echo e$i >&2; done; printf 'no newline'");
    job.run();
    CHECK(job.log() == "o1\no2\no3\nno newline\n");
    CHECK(job.log(model::LogStream::err) == "e1\ne2\ne3\n");
}

TEST_CASE("bytes arrive as written: invalid UTF-8, colours, a line of a MiB") {
    TestJob job("printf '\\377\\376 \\033[31mred\\n'; head -c 1048576 /dev/zero | tr '\\0' x; echo; echo end");
    job.run();
    std::ifstream file(job.paths.log(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    CHECK(bytes == "\xff\xfe \x1b[31mred\n" + std::string(1 << 20, 'x') + "\nend\n");
    std::string joined;
    for (const auto& line : job.lines()) joined += line.text + (line.record.flags & job::log_partial ? "" : "\n");
    CHECK(joined == bytes);
}

TEST_CASE("a line without its end is shown while the step goes on") {
    TestJob job("printf 'question? '; until [ -e answer ]; do sleep 0.01; done; echo answered");
    job.start();
    CHECK(eventually([&] { return job.log() == "question? \n"; }));
    CHECK(job.lines()[0].record.flags == job::log_partial);
    std::ofstream(job.paths.workspace() / "answer") << "yes";
    CHECK(job.finish().state == JobState::success);
}

TEST_CASE("steps share the job's place: workspace, /tmp and background processes") {
    TestJob job({run_step("echo made > file; echo t > /tmp/t; (while :; do sleep 0.01; [ -e go ] && echo late && break; done) &"),
                 run_step("cat /tmp/t; touch go; while [ -e go ] && ! [ -e /tmp/never ]; do sleep 0.05; rm go; done; pgrep -c sleep || true"),
                 run_step("cat file")});
    CHECK(job.run().state == JobState::success);
    CHECK(std::filesystem::exists(job.paths.workspace() / "file"));
    CHECK(job.log_holds("t\n"));
    CHECK(job.log_holds("made\n"));
}

TEST_CASE("a background process that keeps the pipe open delays nothing") {
    TestJob job({run_step("sleep 1000 & echo started"), run_step("echo next")});
    const auto begin = std::chrono::steady_clock::now();
    CHECK(job.run().state == JobState::success);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
    CHECK(job.log() == "started\nnext\n");
}

TEST_CASE("environment files carry values to later steps") {
    TestJob job({run_step("echo A=1 >> $CICD_ENV; echo \"B<<END\" >> $GITHUB_ENV; printf 'x\\ny\\n' >> $CICD_ENV; echo END >> $CICD_ENV\n"
                          "mkdir -p bin; printf '#!/bin/sh\\necho mine' > bin/tool; chmod +x bin/tool; echo $PWD/bin >> $CICD_PATH\n"
                          "echo version=1.2.3 >> $CICD_OUTPUT; echo '# Report' >> $CICD_SUMMARY; echo \"now ${A-unset}\"", "one"),
                 run_step("echo $A; echo \"$B\"; tool; echo ${{ steps.one.outputs.version }} ${{ env.A }} ${{ steps.one.conclusion }}")});
    job.spec.outputs = {{"version", "v${{ steps.one.outputs.version }}"}};
    const auto& exit = job.run();
    CHECK(exit.state == JobState::success);
    CHECK(job.log() == "now unset\n1\nx\ny\nmine\n1.2.3 1 success\n");
    CHECK(exit.outputs["version"] == Value("v1.2.3"));
    CHECK(std::filesystem::exists(job.paths.root / "summary.md"));
}

TEST_CASE("a bad line, a link or too much in an environment file fails the step and says why") {
    TestJob bad("echo 'no assignment' >> $CICD_ENV");
    CHECK(bad.run().exit_code == 1);
    CHECK(bad.exit.steps[0].message == "$CICD_ENV: line 1 'no assignment' is neither name=value nor name<<DELIMITER");
    TestJob link("ln -sf /etc/hostname $CICD_OUTPUT; rm -f $CICD_ENV; mkfifo $CICD_ENV");
    CHECK(link.run().exit_code == 1);
    CHECK(link.exit.message.find("no regular file") != std::string::npos);
    TestJob large("head -c 1048577 /dev/zero >> $CICD_OUTPUT");
    CHECK(large.run().exit_code == 1);
    CHECK(large.exit.message.find("larger than 1 MiB") != std::string::npos);
}

TEST_CASE("env layers refer to earlier ones, a step's own is its own") {
    std::vector<model::Step> steps{run_step("echo $A $B $C $D"), run_step("echo ${D-gone}")};
    steps[0].env = {{"D", "${{ env.C }}4"}};
    TestJob job(steps);
    job.spec.env = {{{"A", "1"}}, {{"B", "${{ env.A }}2"}}, {{"C", "${{ env.B }}3"}}};
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "1 12 123 1234\ngone\n");
}

TEST_CASE("conditions: words, status functions, expressions, and why a step was skipped") {
    std::vector<model::Step> steps{run_step("echo 1"), run_step("exit 1"), run_step("echo 3"), run_step("echo 4"),
                                   run_step("echo 5"), run_step("echo 6"), run_step("echo 7")};
    steps[0].condition = "params.on";
    steps[3].condition = "always";
    steps[4].condition = "${{ failure() && params.on }}";
    steps[5].condition = "on_failure";
    steps[6].condition = "always() && params.off";
    TestJob job(steps);
    job.spec.contexts = Object{{"params", Object{{"on", true}, {"off", false}}}};
    const auto& exit = job.run();
    CHECK(exit.state == JobState::failed);
    CHECK(job.log() == "1\n4\n5\n6\n");
    CHECK(exit.steps[6].message == "condition 'always() && params.off' is false");
}

TEST_CASE("a condition or script that cannot be evaluated fails its step") {
    std::vector<model::Step> steps{run_step("echo ${{ nothing.here }}")};
    TestJob job(steps);
    CHECK(job.run().state == JobState::failed);
    CHECK(job.exit.message.find("nothing") != std::string::npos);
    CHECK(!job.log(model::LogStream::system).empty());
}

TEST_CASE("continueOnError lets the job go on and still shows the failure") {
    std::vector<model::Step> steps{run_step("exit 7", "try"), run_step("echo ${{ steps.try.outcome }} ${{ steps.try.conclusion }}")};
    steps[0].continue_on_error.value = true;
    TestJob job(steps);
    const auto& exit = job.run();
    CHECK(exit.state == JobState::success);
    CHECK(exit.exit_code == 0);
    CHECK(exit.steps[0].state == StepState::failed);
    CHECK(exit.steps[0].exit_code == 7);
    CHECK(job.log() == "failure success\n");
}

TEST_CASE("the working directory is the workspace or below it, and must be there") {
    std::vector<model::Step> steps{run_step("mkdir -p a/b; pwd"), run_step("pwd"), run_step("pwd")};
    steps[1].working_directory = "a/b";
    steps[2].working_directory = "missing";
    TestJob job(steps);
    const auto& exit = job.run();
    CHECK(job.log() == "/workspace\n/workspace/a/b\n");
    CHECK(exit.steps[2].message == "cannot enter the working directory /workspace/missing: No such file or directory");
}

TEST_CASE("hashFiles sees the workspace and follows no links out of it") {
    TestJob job({run_step("mkdir d; echo x > d/a.lock; ln -s /etc/hostname b.lock"),
                 run_step("echo ${{ hashFiles('**/*.lock') }}; echo [${{ hashFiles('*.none') }}]")});
    CHECK(job.run().state == JobState::success);
    // printf 'x\n' | sha256sum | xxd -r -p | sha256sum
    CHECK(job.log() == "af783de711a03d4e784d3cd52d07738e879f8e3004e6bab584d4f5986f26ef1f\n[]\n");
}

TEST_CASE("steps know where they are") {
    TestJob job("echo $CI $CICD $CICD_JOB $CICD_STAGE $CICD_RUN_ID $CICD_JOB_ID $CICD_ATTEMPT $CICD_RUN_NUMBER $CICD_COMMIT $CICD_WORKSPACE $HOME");
    job.spec.contexts = Object{{"run", Object{{"number", 12}}}, {"git", Object{{"commit", "abc"}}}};
    job.run();
    CHECK(job.log() == "true true main build run-1 job-1 1 12 abc /workspace /home/ci\n");
}

TEST_CASE("secrets come through a pipe and are left nowhere in the job directory") {
    TestJob job("printf '%s' \"${{ secrets.TOKEN }}\" | wc -c; printf '%s' \"$T\" > t");
    job.spec.env = {{{"T", "${{ secrets.TOKEN }}"}}};
    job.secrets = R"({"TOKEN":"hunter2"})";
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "7\n");
    CHECK(std::filesystem::remove(job.paths.workspace() / "t"));
    for (const auto& file : std::filesystem::recursive_directory_iterator(job.paths.root)) {
        if (!file.is_regular_file()) continue;
        std::ifstream stream(file.path());
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        CHECK(text.find("hunter2") == std::string::npos);
    }
}

TEST_CASE("a job without steps is a success") {
    TestJob job;
    CHECK(job.run().state == JobState::success);
}

TEST_CASE("secrets: hidden in the log, in names, messages and the summary; an output that holds one is left out") {
    TestJob job({run_step("echo \"$T\"; echo \"o=$T\" >> $CICD_OUTPUT; echo p=1 >> $CICD_OUTPUT; echo \"$T\" >> $CICD_SUMMARY", "a"),
                 run_step("echo ${{ steps.a.outputs.o }} | rev; echo \"$T$(printf x%.0s {1..90})\" >> $CICD_ENV")});
    job.spec.env = {{{"T", "${{ secrets.TOKEN }}"}}};
    job.spec.steps[0].name = "with ${{ secrets.TOKEN }}";
    job.spec.outputs = {{"leak", "a-${{ steps.a.outputs.o }}-b"}, {"fine", "${{ steps.a.outputs.p }}"}};
    job.secrets = R"({"TOKEN":"correct-horse","OTHER":{"base64":"/w=="}})";
    job.run();
    CHECK(job.log() == "***\nesroh-tcerroc\n");
    CHECK(job.exit.steps[0].name == "with ***");
    CHECK(job.exit.steps[1].message.find("'***xxx") != std::string::npos);
    CHECK(job.exit.message.find("correct") == std::string::npos);
    CHECK(job.system_says("output 'leak' holds a secret: it is left out"));
    CHECK(job.exit.outputs == Value(Object{{"fine", "1"}}));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(job.paths.root)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path());
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        INFO(entry.path().string());
        CHECK(text.find("correct-horse") == std::string::npos);
    }
}

TEST_CASE("secrets: on the host, scripts are their owner's alone and gone at the end") {
    TestJob job("stat -c '%a' \"$0\" \"$(dirname \"$0\")\"; : ${{ secrets.TOKEN }}");
    job.spec.executor = model::ExecutorKind::host;
    job.secrets = R"({"TOKEN":"correct-horse"})";
    job.run();
    CHECK(job.log() == "700\n700\n");
    CHECK_FALSE(std::filesystem::exists(job.paths.files()));
}

TEST_CASE("secrets that a job needs and was not given: it does not run") {
    TestJob job("echo ran");
    job.spec.secrets = {"TOKEN"};
    job.run();
    CHECK((job.exit.state == model::JobState::failed));
    CHECK((job.exit.end_reason == model::EndReason::infra));
    CHECK(job.exit.message == "the secrets of the job did not come");
    TestJob broken("echo ran");
    broken.secrets = "{\"TOKEN\": \"correct-hor";
    CHECK(broken.run().message == "what came as the job's secrets is not what a daemon sends");
}
