#include "cli/commands/commands.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"
#include "cli/times.hpp"

namespace cicd::cli {
namespace {

constexpr Operand run_or_job[] = {{.name = "ID", .many = true, .completes = Completes::run_or_job}};
constexpr Operand only_jobs[] = {{.name = "JOB", .many = true, .completes = Completes::job}};
constexpr Option options[] = {
    {.names = "--priority", .value = "PRIORITY", .help = "Who goes first", .choices = "critical|high|normal|low"},
    {.names = "--not-before", .value = "TIME", .help = "10m from now, or 2026-11-21T04:40:32Z; now: as soon as it can"},
};
constexpr Example examples[] = {{"cicdctl reschedule run-3 --priority high", "the whole run goes first"},
                                {"cicdctl reschedule job-7 --not-before 10m", "that job waits"}};
constexpr Example job_examples[] = {{"cicdctl job reschedule job-7 --priority high --not-before 10m", "both at once"}};

Result<contract::Reschedule> change_of(const Arguments& arguments) {
    contract::Reschedule change;
    if (arguments.has("--priority")) change.priority = from_text<model::Priority>(arguments.text("--priority"));
    if (arguments.has("--not-before")) {
        CICD_TRY(change.not_before, future_time("--not-before", arguments.text("--not-before")));
    }
    if (!change.priority && !change.not_before) return usage_error("give --priority, --not-before or both");
    return change;
}

Result<ExitCode> reschedule(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto change, change_of(arguments));
    CICD_TRY(auto* daemon, session.daemon());
    for (const auto& typed : arguments.operands) {
        if (is_job_id(typed)) {
            CICD_TRY(const auto job, daemon->reschedule_job(typed, change));
            print_job(session, job);
        } else {
            CICD_TRY(const auto id, run_id(session, typed));
            CICD_TRY(const auto run, daemon->reschedule_run(id, change));
            print_run(session, run);
        }
    }
    return ExitCode::success;
}

Result<ExitCode> reschedule_jobs(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto change, change_of(arguments));
    CICD_TRY(auto* daemon, session.daemon());
    for (const auto& typed : arguments.operands) {
        CICD_TRY(const auto id, job_id(typed));
        CICD_TRY(const auto job, daemon->reschedule_job(id, change));
        print_job(session, job);
    }
    return ExitCode::success;
}

}  // namespace

constinit const Command reschedule_command{.name = "reschedule",
                                           .summary = "Change when and how urgently what waits is started",
                                           .description = "Of a run all its jobs that have not started yet.",
                                           .operands = run_or_job,
                                           .options = options,
                                           .examples = examples,
                                           .handler = reschedule};
constinit const Command job_reschedule{.name = "job reschedule",
                                       .summary = "Change a waiting job's priority or time",
                                       .operands = only_jobs,
                                       .options = options,
                                       .examples = job_examples,
                                       .handler = reschedule_jobs};

}  // namespace cicd::cli
