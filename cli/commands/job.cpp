#include "cli/cancellation.hpp"
#include "cli/commands/commands.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"
#include "cli/logs.hpp"
#include "cli/repeat.hpp"
#include "common/codec/codecs.hpp"

namespace cicd::cli {
namespace {

constexpr Operand one_job[] = {{.name = "JOB", .completes = Completes::job}};
constexpr Operand some_run[] = {{.name = "RUN", .required = false, .completes = Completes::run}};
constexpr Option list_options[] = {
    {.names = "--status",
     .value = "STATUS",
     .help = "Only those; repeat for more",
     .choices = "created|queued|scheduled|running|success|failed|cancelled|skipped|archived",
     .many = true},
    {.names = "--stage", .value = "NAME", .help = "Only of this stage"},
    {.names = "--name", .value = "NAME", .help = "Only those of this name"},
    {.names = "--limit", .value = "N", .help = "At most so many (20)"},
    {.names = "--page", .value = "N", .help = "Further pages of that size"},
};
constexpr Option queue_options[] = {{.names = "-w,--watch", .help = "Show it anew every second, until Ctrl-C"}};
constexpr Example queue_examples[] = {{"cicdctl job queue", "what waits, in the order in which it will start"},
                                      {"cicdctl explain job-7", "why one of them waits"}};
constexpr Example list_examples[] = {{"cicdctl job list run-3", "the jobs of a run"},
                                     {"cicdctl job list --status failed", "what failed lately"}};
constexpr Example show_examples[] = {{"cicdctl job show job-7", "its steps, times and usage"}};
constexpr Example logs_examples[] = {{"cicdctl job logs job-7 -f", "as it is written"}};
constexpr Example cancel_examples[] = {{"cicdctl job cancel job-7", "end it, with all its processes"}};
constexpr Example restart_examples[] = {{"cicdctl job restart job-7", "a new run of just this job"}};

Result<ExitCode> list(Session& session, const Arguments& arguments) {
    contract::JobFilter filter;
    if (!arguments.operand(0).empty()) {
        CICD_TRY(filter.run, run_id(session, arguments.operand(0)));
    }
    filter.stage = arguments.text("--stage");
    filter.name = arguments.text("--name");
    for (const auto& text : arguments.texts("--status")) filter.states.push_back(*from_text<model::JobState>(text));
    CICD_TRY(const auto limit, arguments.number("--limit", 1));
    CICD_TRY(const auto number, arguments.number("--page", 1));
    filter.page_size = limit.value_or(20);
    filter.page = number.value_or(1);
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto page, daemon->list_jobs(filter));
    if (session.structured()) {
        session.print(codec::encode(page));
    } else if (page.data.empty()) {
        session.note("No jobs.");
    } else {
        print_jobs(session, page.data);
        if (page.pagination.has_next) session.note("… go on with --page " + std::to_string(filter.page + 1));
    }
    return ExitCode::success;
}

Result<std::string> queue_listing(Session& session) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto jobs, daemon->queue());
    if (session.structured()) {
        Array all;
        for (const auto& job : jobs) all.push_back(codec::encode(job));
        return session.text(Object{{"data", std::move(all)}});
    }
    if (jobs.empty()) {
        session.note("Nothing waits.");
        return std::string();
    }
    return queue_text(session, jobs);
}

Result<ExitCode> queue(Session& session, const Arguments& arguments) {
    if (arguments.has("--watch")) return repeat(session, [&] { return queue_listing(session); });
    CICD_TRY(const auto text, queue_listing(session));
    session.console().out(text);
    return ExitCode::success;
}

Result<ExitCode> show(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto id, job_id(arguments.operand(0)));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto job, daemon->show_job(id));
    print_job_details(session, job);
    return ExitCode::success;
}

Result<ExitCode> logs(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto id, job_id(arguments.operand(0)));
    return show_job_log(session, id, arguments);
}

Result<ExitCode> cancel(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto id, job_id(arguments.operand(0)));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto job, daemon->cancel_job(id, cancellation(arguments)));
    print_job(session, job);
    return ExitCode::success;
}

Result<ExitCode> restart(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto id, job_id(arguments.operand(0)));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto run, daemon->restart_job(id));
    print_run(session, run);
    session.note("follow it with 'cicdctl watch " + run.id.str() + "'");
    return ExitCode::success;
}

}  // namespace

constinit const Command job_group{.name = "job", .summary = "Jobs: list, show, logs, cancel, queue, …"};
constinit const Command job_list{.name = "job list",
                                 .summary = "List jobs, of a run or of all",
                                 .operands = some_run,
                                 .options = list_options,
                                 .examples = list_examples,
                                 .handler = list};
constinit const Command job_queue{.name = "job queue",
                                  .summary = "List what waits, in the order in which it will start",
                                  .options = queue_options,
                                  .examples = queue_examples,
                                  .handler = queue};
constinit const Command job_show{.name = "job show",
                                 .summary = "Show a job with its steps",
                                 .operands = one_job,
                                 .examples = show_examples,
                                 .handler = show};
constinit const Command job_logs{.name = "job logs",
                                 .summary = "Show what a job wrote",
                                 .operands = one_job,
                                 .shared_options = log_options,
                                 .examples = logs_examples,
                                 .handler = logs};
constinit const Command job_cancel{.name = "job cancel",
                                   .summary = "Cancel a job",
                                   .operands = one_job,
                                   .shared_options = cancel_options,
                                   .examples = cancel_examples,
                                   .handler = cancel};
constinit const Command job_restart{.name = "job restart",
                                    .summary = "Run a job again, in a new run",
                                    .operands = one_job,
                                    .examples = restart_examples,
                                    .handler = restart};

}  // namespace cicd::cli
