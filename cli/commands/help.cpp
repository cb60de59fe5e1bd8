#include "cli/render/help.hpp"
#include "cli/commands/commands.hpp"
#include "cli/session.hpp"
#include "common/base/text.hpp"
#include "common/contract/errors.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "COMMAND", .required = false, .many = true, .completes = Completes::command}};

constexpr std::string_view exit_codes =
    "What a script branches on; the numbers do not change.\n\n"
    "  0    success\n"
    "  1    a stage failed; of 'plan --exit-code': there are changes\n"
    "  2    wrong usage, or an invalid pipeline\n"
    "  3    infrastructure: a job was lost, the daemon or the machine is at fault\n"
    "  4    not allowed\n"
    "  5    not found\n"
    "  6    blocked by an approval, a window or a policy\n"
    "  7    conflict: the state does not allow it\n"
    "  8    no verdict yet: 'watch --no-wait', or the run was left with q\n"
    "  9    cancelled or superseded\n"
    "  69   no daemon answers\n"
    "  124  timeout\n"
    "  129  SIGHUP   130  Ctrl-C (of 'run': the second one)   143  SIGTERM\n";

constexpr std::string_view events =
    "'run', 'retry' and 'watch' with --events write one JSON object a line (NDJSON) to stdout.\n"
    "schemas/cli-events.schema.json describes every member. All have schemaVersion (1) and type:\n\n"
    "  run          first: the run as GET /runs/{runId} gives it\n"
    "  run.state    status\n"
    "  stage.state  stage, status\n"
    "  job.state    stage, jobKey, jobId, attempt (from 1), status; at its end exitCode, endReason, durationMs\n"
    "  step.state   the same, with step (from 0) and name\n"
    "  log          jobId, jobKey, attempt, line (from 0), step, stream, time, text, partial (the line goes on)\n"
    "  notice       message\n"
    "  end          last: the run as it ended, and exitCode, with which cicdctl exits\n\n"
    "Events have seq, which grows by one, runId and time. Log lines of a job come before its end.\n"
    "New members and types may come; schemaVersion grows where one changes its meaning or goes away.\n";

Result<ExitCode> show_help(Session& session, const Arguments& arguments) {
    if (arguments.operands.empty()) {
        session.console().out(render::overview());
        return ExitCode::success;
    }
    if (arguments.operands == std::vector<std::string>{"errors"}) {
        std::string text;
        for (const auto& [code, meaning] : contract::code_meanings())
            text += std::string(code) + std::string(14 - code.size(), ' ') + std::string(meaning) + "\n";
        session.console().out(text);
        return ExitCode::success;
    }
    const auto name = join(arguments.operands, " ");
    if (name == "exit-codes" || name == "events") {
        session.console().out(name == "events" ? events : exit_codes);
        return ExitCode::success;
    }
    if (const auto* command = find_command(name)) {
        session.console().out(render::help(*command));
        return ExitCode::success;
    }
    std::vector<std::string> names;
    for (const auto* command : commands())
        if (!command->hidden) names.emplace_back(command->name);
    return usage_error("unknown command '" + name + "'", did_you_mean(name, names));
}

}  // namespace

constinit const Command help_command{.name = "help",
                                     .summary = "Explain a command; also: errors, events, exit-codes",
                                     .operands = operands,
                                     .handler = show_help};

}  // namespace cicd::cli
