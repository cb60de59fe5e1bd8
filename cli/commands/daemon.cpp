#include "cli/autostart.hpp"
#include "cli/commands/commands.hpp"
#include "cli/session.hpp"
#include "common/codec/codecs.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cicd::cli {
namespace {

constexpr Option stop_options[] = {
    {.names = "--timeout", .value = "TIME", .help = "How long to wait for its end (30s)"}};
constexpr Example start_examples[] = {{"cicdctl daemon start", "in the background; most commands do it themselves"}};
constexpr Example stop_examples[] = {{"cicdctl daemon stop", "jobs that run go on and are collected by the next one"}};
constexpr Example status_examples[] = {{"cicdctl daemon status -o json | jq .pid", "for a script"}};

// Asks, without starting one.
Result<contract::DaemonStatus> ask(Session& session) {
    if (!daemon_answers(session.socket()))
        return unavailable("CICD_069", "no daemon answers on " + session.socket().string(),
                           "start it with 'cicdctl daemon start'");
    return session.another_connection().status();
}

Result<ExitCode> print_status(Session& session, const contract::DaemonStatus& status) {
    if (session.structured()) {
        session.print(codec::encode(status));
    } else if (session.output() == Output::name || session.quiet()) {
        session.console().out(std::to_string(status.pid) + "\n");
    } else {
        session.console().out(session.console().paint()(render::Tone::green, "●") + " running, pid " +
                              std::to_string(status.pid) + ", version " + status.version + ", since " +
                              format_time(status.start_time) + "\n  " + status.socket + "\n");
    }
    return ExitCode::success;
}

Result<ExitCode> start(Session& session, const Arguments&) {
    if (!daemon_answers(session.socket())) CICD_CHECK(start_daemon(session.socket()));
    auto status = ask(session);
    if (!status && status.error().kind == ErrorKind::unavailable) {
        // It was on its way out when we looked.
        CICD_CHECK(start_daemon(session.socket()));
        status = ask(session);
    }
    if (!status) return status.error();
    return print_status(session, *status);
}

Result<ExitCode> status(Session& session, const Arguments&) {
    CICD_TRY(const auto status, ask(session));
    return print_status(session, status);
}

Result<ExitCode> stop(Session& session, const Arguments& arguments) {
    auto patience = Milliseconds(30'000);
    if (arguments.has("--timeout")) {
        CICD_TRY(patience, parse_duration(arguments.text("--timeout")));
    }
    if (!daemon_answers(session.socket())) {
        session.note("No daemon is running.");
        return ExitCode::success;
    }
    CICD_TRY(const auto status, ask(session));
    // The descriptor is taken before the signal, so a reused pid can neither be hit nor waited for.
    const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, status.pid, 0));
    if (pidfd < 0 && errno == ESRCH) return ExitCode::success;
    if (pidfd < 0 || ::syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, nullptr, 0) != 0) {
        const auto why = std::string(std::strerror(errno));
        return forbidden("CLI_006", "cannot stop the daemon (pid " + std::to_string(status.pid) + "): " + why);
    }
    pollfd ended{pidfd, POLLIN, 0};
    const auto gone = ::poll(&ended, 1, static_cast<int>(patience.count())) == 1;
    ::close(pidfd);
    if (!gone)
        return Error{ErrorKind::timeout,
                     "CLI_124",
                     "the daemon (pid " + std::to_string(status.pid) + ") has not ended yet",
                     "'cicdctl daemon logs' shows what it is doing",
                     {}};
    session.note("The daemon has ended.");
    return ExitCode::success;
}

}  // namespace

constinit const Command daemon_group{.name = "daemon", .summary = "The daemon: start, stop, status, logs, backup, …"};
constinit const Command daemon_start{.name = "daemon start",
                                     .summary = "Start the daemon in the background",
                                     .examples = start_examples,
                                     .handler = start};
constinit const Command daemon_stop{.name = "daemon stop",
                                    .summary = "Stop the daemon and wait for its end",
                                    .options = stop_options,
                                    .examples = stop_examples,
                                    .handler = stop};
constinit const Command daemon_status{.name = "daemon status",
                                      .summary = "Show whether the daemon runs; exit 69 where not",
                                      .examples = status_examples,
                                      .handler = status};

}  // namespace cicd::cli
