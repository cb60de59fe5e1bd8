#include "cli/exit_code.hpp"

namespace cicd::cli {

ExitCode exit_code_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::invalid:
            return ExitCode::usage;
        case ErrorKind::forbidden:
            return ExitCode::forbidden;
        case ErrorKind::not_found:
            return ExitCode::not_found;
        case ErrorKind::blocked:
            return ExitCode::blocked;
        case ErrorKind::conflict:
            return ExitCode::conflict;
        case ErrorKind::unavailable:
            return ExitCode::unreachable;
        case ErrorKind::timeout:
            return ExitCode::timeout;
        case ErrorKind::cancelled:
            return ExitCode::cancelled;
        case ErrorKind::internal:
            return ExitCode::infrastructure;
    }
    return ExitCode::infrastructure;
}

namespace {

ExitCode exit_code_of_reason(model::EndReason reason) {
    using model::EndReason;
    switch (reason) {
        case EndReason::lost:
        case EndReason::infra:
            return ExitCode::infrastructure;
        case EndReason::policy:
            return ExitCode::blocked;
        case EndReason::exit:
        case EndReason::signal:
        case EndReason::timeout:
        case EndReason::oom:
        case EndReason::cancelled:
        case EndReason::superseded:
            return ExitCode::failed;
    }
    return ExitCode::failed;
}

// A job that really failed outweighs one that was lost: the user's own fault is what they can mend.
ExitCode exit_code_of_failed(const model::Run& run) {
    auto code = ExitCode::success;
    for (const auto& job : run.jobs) {
        if (job.state != model::JobState::failed || job.allow_failure) continue;
        const auto mine = job.end_reason ? exit_code_of_reason(*job.end_reason) : ExitCode::failed;
        if (mine == ExitCode::failed) return mine;
        code = mine;
    }
    return code == ExitCode::success ? ExitCode::failed : code;
}

}  // namespace

ExitCode exit_code_of(const model::Run& run) {
    switch (run.state) {
        case model::RunState::created:
        case model::RunState::queued:
        case model::RunState::running:
            return ExitCode::running;
        case model::RunState::blocked:
            return ExitCode::blocked;
        case model::RunState::success:
            return ExitCode::success;
        case model::RunState::cancelled:
            return ExitCode::cancelled;
        case model::RunState::failed:
            return exit_code_of_failed(run);
    }
    return ExitCode::infrastructure;
}

}  // namespace cicd::cli
