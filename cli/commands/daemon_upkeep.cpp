#include "cli/autostart.hpp"
#include "cli/commands/commands.hpp"
#include "cli/session.hpp"
#include "cli/spawn.hpp"
#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"

namespace cicd::cli {
namespace {

constexpr Operand file[] = {{.name = "FILE", .completes = Completes::file}};
constexpr Operand level[] = {{.name = "LEVEL", .required = false, .choices = "trace|debug|info|warn|error"}};
constexpr Option backup_options[] = {{.names = "--overwrite", .help = "Replace FILE where it exists"},
                                     {.names = "--no-logs", .help = "Without the logs of ended jobs"}};
constexpr Option cleanup_options[] = {{.names = "--dry-run", .help = "Only tell what would be removed"}};
constexpr Example backup_examples[] = {{"cicdctl daemon backup cicd.backup", "while it works on"}};
constexpr Example restore_examples[] = {
    {"cicdctl daemon stop && cicdctl daemon restore cicd.backup", "what was there is moved aside"}};
constexpr Example cleanup_examples[] = {{"cicdctl daemon cleanup --dry-run", "what is too old, too many or too large"}};
constexpr Example level_examples[] = {{"cicdctl daemon log-level", "what it is"},
                                      {"cicdctl daemon log-level debug", "until the daemon ends"}};

std::string absolute(const std::string& typed) {
    return std::filesystem::absolute(typed).lexically_normal().string();
}

Result<ExitCode> backup(Session& session, const Arguments& arguments) {
    contract::Backup request;
    request.path = absolute(arguments.operand(0));
    request.overwrite = arguments.has("--overwrite");
    request.logs = !arguments.has("--no-logs");
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto report, daemon->backup(request));
    if (session.structured()) {
        session.print(codec::encode(report));
        return ExitCode::success;
    }
    session.console().out(report.path + "\n");
    session.note(std::to_string(report.runs) + " runs, " + std::to_string(report.logs) + " logs, " +
                 humanize_size(static_cast<std::uint64_t>(report.bytes)) + "; SHA-256 " + report.sha256);
    return ExitCode::success;
}

// By cicdd itself: the state belongs to nobody else, and no daemon may run. What was there is moved aside, not removed.
Result<ExitCode> restore(Session& session, const Arguments& arguments) {
    if (daemon_answers(session.socket()))
        return conflict("CLI_007", "a daemon runs on " + session.socket().string() + "; its state cannot be replaced",
                        "'cicdctl daemon stop' ends it; jobs that run would be lost");
    const Program program{
        sibling_program("cicdd"), {"restore", absolute(arguments.operand(0))}, {}, Milliseconds(24 * 3'600'000)};
    CICD_TRY(const auto finished, run_program(program));
    const auto said = std::string(trim(finished.err));
    if (finished.exit_code != 0) {
        session.console().err(said.empty() ? "cicdctl: 'cicdd restore' failed\n" : said + "\n");
        return static_cast<ExitCode>(finished.exit_code);
    }
    session.console().out(finished.out);
    if (!said.empty()) session.note(said);
    return ExitCode::success;
}

Result<ExitCode> cleanup(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    const bool dry_run = arguments.has("--dry-run");
    CICD_TRY(const auto report, daemon->clean_up({.dry_run = dry_run}));
    if (session.structured()) {
        session.print(codec::encode(report));
        return ExitCode::success;
    }
    session.console().out(std::string(dry_run ? "Would remove " : "Removed ") + std::to_string(report.runs) +
                          " runs, " + std::to_string(report.logs) + " logs, " + std::to_string(report.workspaces) +
                          " workspaces, " + std::to_string(report.mirrors) +
                          " mirrors: " + humanize_size(static_cast<std::uint64_t>(report.bytes)) + "\n");
    for (const auto& note : report.notes) session.note("  " + note);
    return ExitCode::success;
}

Result<ExitCode> log_level(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    if (!arguments.operands.empty()) CICD_CHECK(daemon->set_log_level(arguments.operand(0)));
    CICD_TRY(const auto now, daemon->log_level());
    if (session.structured()) {
        session.print(Object{{"level", now}});
    } else {
        session.console().out(now + "\n");
    }
    return ExitCode::success;
}

}  // namespace

constinit const Command daemon_backup{.name = "daemon backup",
                                      .summary = "Write the daemon's state to a file while it works on",
                                      .operands = file,
                                      .options = backup_options,
                                      .examples = backup_examples,
                                      .handler = backup};
constinit const Command daemon_restore{.name = "daemon restore",
                                       .summary = "Take over the state of a backup; no daemon may run",
                                       .operands = file,
                                       .examples = restore_examples,
                                       .handler = restore};
constinit const Command daemon_cleanup{.name = "daemon cleanup",
                                       .summary = "Remove what retention no longer keeps, now",
                                       .options = cleanup_options,
                                       .examples = cleanup_examples,
                                       .handler = cleanup};
constinit const Command daemon_log_level{.name = "daemon log-level",
                                         .summary = "Show or change how much the daemon logs",
                                         .operands = level,
                                         .examples = level_examples,
                                         .handler = log_level};

}  // namespace cicd::cli
