#include "cli/commands/commands.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "ID", .required = false, .completes = Completes::run_or_job}};
constexpr Example examples[] = {{"cicdctl show", "the newest run"},
                                {"cicdctl show run-3 -o json", "a run with its jobs, for a program"},
                                {"cicdctl show job-7", "a job with its steps"}};

Result<ExitCode> show(Session& session, const Arguments& arguments) {
    const auto typed = arguments.operand(0);
    CICD_TRY(auto* daemon, session.daemon());
    if (is_job_id(typed)) {
        CICD_TRY(const auto job, daemon->show_job(typed));
        print_job_details(session, job);
        return ExitCode::success;
    }
    CICD_TRY(const auto id, run_id(session, typed));
    CICD_TRY(const auto run, daemon->show_run(id));
    print_run_details(session, run);
    return ExitCode::success;
}

}  // namespace

constinit const Command show_command{.name = "show",
                                     .summary = "Show a run or a job",
                                     .description = "ID is run-3, 3 or job-7.",
                                     .operands = operands,
                                     .examples = examples,
                                     .handler = show};

}  // namespace cicd::cli
