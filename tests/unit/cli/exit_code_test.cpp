#include "cli/exit_code.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::cli;

namespace {

model::Run failed_run(std::vector<std::pair<std::optional<model::EndReason>, bool>> jobs) {
    model::Run run;
    run.state = model::RunState::failed;
    for (const auto& [reason, allowed] : jobs) {
        model::JobRun job;
        job.state = model::JobState::failed;
        job.end_reason = reason;
        job.allow_failure = allowed;
        run.jobs.push_back(job);
    }
    return run;
}

ExitCode code_of(model::RunState state) {
    model::Run run;
    run.state = state;
    return exit_code_of(run);
}

}  // namespace

TEST_CASE("errors have the exit codes of the specification") {
    const auto code = [](ErrorKind kind) { return static_cast<int>(exit_code_of(Error{kind, "", "", "", {}})); };
    CHECK(code(ErrorKind::invalid) == 2);
    CHECK(code(ErrorKind::internal) == 3);
    CHECK(code(ErrorKind::forbidden) == 4);
    CHECK(code(ErrorKind::not_found) == 5);
    CHECK(code(ErrorKind::blocked) == 6);
    CHECK(code(ErrorKind::conflict) == 7);
    CHECK(code(ErrorKind::cancelled) == 9);
    CHECK(code(ErrorKind::unavailable) == 69);
    CHECK(code(ErrorKind::timeout) == 124);
}

TEST_CASE("a run's state is a code") {
    CHECK(code_of(model::RunState::success) == ExitCode::success);
    CHECK(code_of(model::RunState::failed) == ExitCode::failed);
    CHECK(code_of(model::RunState::cancelled) == ExitCode::cancelled);
    CHECK(code_of(model::RunState::blocked) == ExitCode::blocked);
    CHECK(code_of(model::RunState::running) == ExitCode::running);
    CHECK(code_of(model::RunState::created) == ExitCode::running);
}

TEST_CASE("what was lost is told apart from what failed, and a real failure outweighs it") {
    using model::EndReason;
    CHECK(exit_code_of(failed_run({{EndReason::exit, false}})) == ExitCode::failed);
    CHECK(exit_code_of(failed_run({{EndReason::timeout, false}})) == ExitCode::failed);
    CHECK(exit_code_of(failed_run({{EndReason::lost, false}})) == ExitCode::infrastructure);
    CHECK(exit_code_of(failed_run({{EndReason::infra, false}})) == ExitCode::infrastructure);
    CHECK(exit_code_of(failed_run({{EndReason::lost, false}, {EndReason::exit, false}})) == ExitCode::failed);
    CHECK(exit_code_of(failed_run({{EndReason::exit, true}, {EndReason::lost, false}})) == ExitCode::infrastructure);
    CHECK(exit_code_of(failed_run({})) == ExitCode::failed);
}
