#include "cli/commands/commands.hpp"
#include "cli/follow.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "RUN", .required = false, .completes = Completes::run}};
constexpr Option options[] = {
    {.names = "--events", .help = "Everything that happens as NDJSON on stdout"},
    {.names = "--no-wait", .help = "Only tell the verdict there is; exit 8 where there is none yet"},
    {.names = "--timeout", .value = "TIME", .help = "Stop watching after that time, such as 10m; exit 124"},
};
constexpr Example examples[] = {{"cicdctl watch", "the newest run"},
                                {"cicdctl watch run-3 && ./deploy", "go on where it succeeded"},
                                {"cicdctl watch run-3 --no-wait -q", "just the exit code"}};

Result<ExitCode> watch(Session& session, const Arguments& arguments) {
    FollowOptions following;
    if (arguments.has("--timeout")) {
        CICD_TRY(following.timeout, parse_duration(arguments.text("--timeout")));
    }
    CICD_TRY(const auto id, run_id(session, arguments.operand(0)));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(auto run, daemon->show_run(id));
    if (arguments.has("--no-wait")) {
        if (!session.quiet()) print_run(session, run);
        return exit_code_of(run);
    }
    return follow_and_summarise(session, std::move(run), arguments.has("--events"), following);
}

}  // namespace

constinit const Command watch_command{.name = "watch",
                                      .summary = "Follow a run to its end, and exit as it did",
                                      .description = "Ctrl-C stops watching; the run goes on.",
                                      .operands = operands,
                                      .options = options,
                                      .examples = examples,
                                      .handler = watch};

}  // namespace cicd::cli
