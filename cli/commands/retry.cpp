#include "cli/commands/commands.hpp"
#include "cli/follow.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "RUN", .required = false, .completes = Completes::run}};
constexpr Option options[] = {
    {.names = "--failed", .help = "What did not succeed, and what needs it (without another choice)"},
    {.names = "--from", .value = "STAGE", .help = "This stage and all that need it, successes too"},
    {.names = "--job", .value = "JOB", .help = "This job, by id or key (test.unit); repeat for more", .many = true},
    {.names = "--everything", .help = "All jobs"},
    {.names = "-d,--detach", .help = "Start it and return; its id is printed"},
    {.names = "--events", .help = "Everything that happens as NDJSON on stdout"},
    {.names = "--timeout", .value = "TIME", .help = "Cancel it after that time; exit 124"},
};
constexpr Example examples[] = {{"cicdctl retry run-3", "what did not succeed, on the same source"},
                                {"cicdctl retry run-3 --from test", "again from that stage on"},
                                {"cicdctl retry run-3 --job test.unit", "one job and what was skipped because of it"},
                                {"cicdctl retry run-3 --everything", "the whole run again"}};

Result<contract::RetryRun> what_of(const Arguments& arguments) {
    const auto choices =
        arguments.has("--failed") + arguments.has("--from") + arguments.has("--job") + arguments.has("--everything");
    if (choices > 1) return usage_error("--failed, --from, --job and --everything exclude each other");
    contract::RetryRun what;
    what.failed_only = !arguments.has("--everything");
    what.from_stage = arguments.text("--from");
    for (const auto& typed : arguments.texts("--job")) {
        // "7" is a key nowhere, so it is the job's number.
        CICD_TRY(auto id, job_id(typed));
        what.jobs.push_back(std::move(id));
    }
    return what;
}

Result<ExitCode> retry(Session& session, const Arguments& arguments) {
    FollowOptions following{.cancel_when_interrupted = true};
    if (arguments.has("--timeout")) {
        CICD_TRY(following.timeout, parse_duration(arguments.text("--timeout")));
    }
    CICD_TRY(const auto what, what_of(arguments));
    CICD_TRY(const auto id, run_id(session, arguments.operand(0)));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(auto run, daemon->retry_run(id, what));
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
