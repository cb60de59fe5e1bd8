#include "cli/logs.hpp"

#include "cli/commands/commands.hpp"
#include "cli/identifiers.hpp"
#include "common/base/text.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "ID", .required = false, .completes = Completes::run_or_job},
                                {.name = "JOB", .required = false}};
constexpr Example examples[] = {{"cicdctl logs", "of the newest run"},
                                {"cicdctl logs job-7 --tail 50", "the end of one job's log"},
                                {"cicdctl logs run-3 unit -f", "a job by its name, as it is written"}};

// A job of a run by its name, "stage/name" or key.
Result<std::string> job_of(const model::Run& run, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& job : run.jobs) {
        if (job.name == name || job.key == name || job.id.str() == name || job.stage + "/" + job.name == name)
            return job.id.str();
        names.push_back(job.name);
    }
    auto hint = did_you_mean(name, names);
    if (hint.empty()) hint = "its jobs are " + join(names, ", ");
    return not_found("JOB_001", run.id.str() + " has no job '" + name + "'", hint);
}

Result<ExitCode> logs(Session& session, const Arguments& arguments) {
    const auto typed = arguments.operand(0);
    if (is_job_id(typed)) return show_job_log(session, typed, arguments);
    CICD_TRY(const auto id, run_id(session, typed));
    if (arguments.operand(1).empty()) return show_run_log(session, id, arguments);
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto run, daemon->show_run(id));
    CICD_TRY(const auto job, job_of(run, arguments.operand(1)));
    return show_job_log(session, job, arguments);
}

}  // namespace

constinit const Command logs_command{.name = "logs",
                                     .summary = "Show what a run or a job wrote",
                                     .description = "ID is run-3, 3 or job-7; JOB is a job's name in that run.",
                                     .operands = operands,
                                     .shared_options = log_options,
                                     .examples = examples,
                                     .handler = logs};

}  // namespace cicd::cli
