#include "cli/commands/commands.hpp"
#include "cli/follow.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "RUN", .required = false, .completes = Completes::run}};
constexpr Option options[] = {
    {.names = "--everything", .help = "All jobs, not only those that did not succeed"},
    {.names = "-d,--detach", .help = "Start it and return; its id is printed"},
    {.names = "--events", .help = "Everything that happens as NDJSON on stdout"},
    {.names = "--timeout", .value = "TIME", .help = "Cancel it after that time; exit 124"},
};
constexpr Example examples[] = {{"cicdctl retry run-3", "what did not succeed, on the same source"},
                                {"cicdctl retry run-3 --everything", "the whole run again"}};

Result<ExitCode> retry(Session& session, const Arguments& arguments) {
    FollowOptions following{.cancel_when_interrupted = true};
    if (arguments.has("--timeout")) {
        CICD_TRY(following.timeout, parse_duration(arguments.text("--timeout")));
    }
    CICD_TRY(const auto id, run_id(session, arguments.operand(0)));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(auto run, daemon->retry_run(id, {.failed_only = !arguments.has("--everything")}));
    if (arguments.has("--detach")) {
        print_run(session, run);
        return ExitCode::success;
    }
    return follow_and_summarise(session, std::move(run), arguments.has("--events"), following);
}

}  // namespace

constinit const Command retry_command{
    .name = "retry",
    .summary = "Run again what did not succeed",
    .description = "A new run of the same plan and source; without RUN, of the newest one.",
    .operands = operands,
    .options = options,
    .examples = examples,
    .handler = retry};

}  // namespace cicd::cli
