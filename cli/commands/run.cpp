#include "cli/commands/commands.hpp"
#include "cli/follow.hpp"
#include "cli/lists.hpp"
#include "cli/planning.hpp"
#include "cli/selection.hpp"
#include "common/codec/codecs.hpp"

namespace cicd::cli {
namespace {

constexpr Option options[] = {
    {.names = "-d,--detach", .help = "Start it and return; its id is printed"},
    {.names = "--events", .help = "Everything that happens as NDJSON on stdout"},
    {.names = "--dry-run", .help = "Show what would run, like 'plan'"},
    {.names = "--from", .value = "STAGE", .help = "This stage and those after it; the others count as successful"},
    {.names = "--no-reuse", .help = "Run jobs with 'reuse: true' also where their result is known"},
    {.names = "--priority", .value = "PRIORITY", .help = "Who goes first", .choices = "critical|high|normal|low"},
    {.names = "--timeout", .value = "TIME", .help = "Cancel it after that time, such as 10m; exit 124"},
};
constexpr Example examples[] = {{"cicdctl run", "this repository's pipeline, uncommitted changes included"},
                                {"cicdctl run --job unit -p level=full", "one job, with a parameter"},
                                {"cicdctl run --from deploy --priority high", "the end of it, before others"},
                                {"cicdctl run --branch main --detach", "in the background"},
                                {"cicdctl run --events | jq .type", "for a program"}};

Result<ExitCode> run(Session& session, const Arguments& arguments) {
    FollowOptions following{.cancel_when_interrupted = true};
    if (arguments.has("--timeout")) {
        CICD_TRY(following.timeout, parse_duration(arguments.text("--timeout")));
    }
    CICD_TRY(auto request, selection(arguments));
    request.from_stage = arguments.text("--from");
    request.no_reuse = arguments.has("--no-reuse");
    if (arguments.has("--priority")) request.priority = from_text<model::Priority>(arguments.text("--priority"));
    if (arguments.has("--dry-run")) {
        CICD_TRY(const auto plan, make_plan(session, request));
        return show_plan(session, plan, "tree");
    }
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(auto started, daemon->start_run(request));
    if (arguments.has("--detach")) {
        print_run(session, started);
        return ExitCode::success;
    }
    return follow_and_summarise(session, std::move(started), arguments.has("--events"), following);
}

}  // namespace

constinit const Command run_command{
    .name = "run",
    .summary = "Run a pipeline and follow it to its verdict",
    .description = "Without a revision it runs the working tree as it is. Exits as the run did.",
    .operands = selection_operands,
    .options = options,
    .shared_options = selection_options,
    .examples = examples,
    .handler = run};

}  // namespace cicd::cli
