#include "cli/cancellation.hpp"
#include "cli/commands/commands.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "ID", .many = true, .completes = Completes::run_or_job}};
constexpr Example examples[] = {{"cicdctl cancel run-3", "the whole run"},
                                {"cicdctl cancel job-7 --reason 'wrong branch'", "one job"},
                                {"cicdctl cancel run-3 --force", "a run that takes its time to end"}};

Result<ExitCode> cancel(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    const auto how = cancellation(arguments);
    for (const auto& typed : arguments.operands) {
        if (is_job_id(typed)) {
            CICD_TRY(const auto job, daemon->cancel_job(typed, how));
            print_job(session, job);
        } else {
            CICD_TRY(const auto id, run_id(session, typed));
            CICD_TRY(const auto run, daemon->cancel_run(id, how));
            print_run(session, run);
        }
    }
    return ExitCode::success;
}

}  // namespace

constinit const Command cancel_command{.name = "cancel",
                                       .summary = "Cancel runs or jobs",
                                       .operands = operands,
                                       .shared_options = cancel_options,
                                       .examples = examples,
                                       .handler = cancel};

}  // namespace cicd::cli
