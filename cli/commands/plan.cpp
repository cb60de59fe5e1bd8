#include "cli/commands/commands.hpp"
#include "cli/planning.hpp"
#include "cli/selection.hpp"

namespace cicd::cli {
namespace {

constexpr Option options[] = {
    {.names = "--format", .value = "FORMAT", .help = "tree, dot or mermaid", .choices = "tree|dot|mermaid"},
    {.names = "--exit-code", .help = "Exit 1 where a job would run, 0 where none would"},
};
constexpr Example examples[] = {{"cicdctl plan", "what a run would do, and why"},
                                {"cicdctl plan --event push --branch main", "what a push of main would start"},
                                {"cicdctl plan --event pull_request --base main", "what a pull request would start"},
                                {"cicdctl plan --format dot | dot -Tsvg > plan.svg", "a picture"}};

bool would_run(const model::Plan& plan) {
    if (plan.trigger.decision == model::Decision::skip) return false;
    for (const auto& job : plan.jobs)
        if (job.reason.decision != model::Decision::skip) return true;
    return false;
}

Result<ExitCode> plan(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto request, selection(arguments));
    CICD_TRY(const auto made, make_plan(session, request));
    CICD_CHECK(show_plan(session, made, arguments.text("--format")));
    if (arguments.has("--exit-code") && would_run(made)) return ExitCode::failed;
    return ExitCode::success;
}

}  // namespace

constinit const Command plan_command{.name = "plan",
                                     .summary = "Show what would run, and why, without running it",
                                     .description = "Needs no daemon and changes nothing.",
                                     .operands = selection_operands,
                                     .options = options,
                                     .shared_options = selection_options,
                                     .examples = examples,
                                     .handler = plan};

}  // namespace cicd::cli
