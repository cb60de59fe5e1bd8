#include "cli/commands/commands.hpp"
#include "cli/identifiers.hpp"
#include "cli/render/explanation.hpp"
#include "common/codec/codecs.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "ID", .required = false, .completes = Completes::run_or_job}};
constexpr Option options[] = {{.names = "-a,--all", .help = "Jobs about which there is nothing to say, too"}};
constexpr Example examples[] = {{"cicdctl explain", "the newest run: what waits, and for what"},
                                {"cicdctl explain job-7", "one job"},
                                {"cicdctl explain run-3 -o json", "causes as facts, for a program"}};

Result<ExitCode> explain(Session& session, const Arguments& arguments) {
    const auto typed = arguments.operand(0);
    CICD_TRY(auto* daemon, session.daemon());
    const auto one_job = is_job_id(typed);
    contract::Explanation explanation;
    if (one_job) {
        CICD_TRY(explanation, daemon->explain_job(typed));
    } else {
        CICD_TRY(const auto id, run_id(session, typed));
        CICD_TRY(explanation, daemon->explain_run(id));
    }
    if (session.structured()) {
        session.print(codec::encode(explanation));
    } else if (session.output() == Output::name) {
        for (const auto& job : explanation.jobs) session.console().out(job.job.str() + "\n");
    } else {
        const auto& console = session.console();
        console.out(render::explanation(
            explanation,
            {.paint = console.paint(), .width = console.width(), .all = one_job || arguments.has("--all")}));
    }
    return ExitCode::success;
}

}  // namespace

constinit const Command explain_command{
    .name = "explain",
    .summary = "Tell why a run or job waits, was skipped, is blocked or ran again",
    .description = "Each cause is a fact that can be checked, with what would change it.",
    .operands = operands,
    .options = options,
    .examples = examples,
    .handler = explain};

}  // namespace cicd::cli
