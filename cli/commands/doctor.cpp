#include "cli/autostart.hpp"
#include "cli/commands/commands.hpp"
#include "cli/session.hpp"
#include "cli/spawn.hpp"
#include "common/base/paths.hpp"
#include "common/base/text.hpp"

#include <sys/statvfs.h>
#include <unistd.h>

namespace cicd::cli {
namespace {

constexpr Example examples[] = {{"cicdctl doctor", "what is missing, and the command that mends it"}};

struct Finding {
    std::string name;
    bool ok = true;
    std::string detail;
    std::string remedy;
};

std::string first_line(const std::string& text) {
    const auto trimmed = std::string(trim(text));
    return trimmed.substr(0, trimmed.find('\n'));
}

Finding check_tool(const std::string& name, const std::string& remedy) {
    const auto finished = run_program({name, {"--version"}, {}, Milliseconds(5000)});
    if (!finished) return {name, false, finished.error().message, remedy};
    if (finished->exit_code != 0) return {name, false, first_line(finished->err), remedy};
    return {name, true, first_line(finished->out), {}};
}

Finding check_sandbox() {
    const std::vector<std::string> arguments{
        "--ro-bind",     "/",      "/",     "--unshare-user", "--unshare-pid", "--unshare-ipc",
        "--unshare-uts", "--proc", "/proc", "--dev",          "/dev",          "true"};
    const auto finished = run_program({"bwrap", arguments, {}, Milliseconds(10'000)});
    if (!finished) return {"sandbox", false, "bubblewrap is missing", "sudo apt-get install bubblewrap"};
    if (finished->exit_code == 0) return {"sandbox", true, "user, PID, IPC, UTS and mount namespaces work", {}};
    return {"sandbox", false, first_line(finished->err),
            "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000"};
}

Finding check_state_directory() {
    constexpr std::uint64_t least = 1ULL << 30U;
    const auto directory = state_directory();
    std::error_code fault;
    std::filesystem::create_directories(directory, fault);
    if (fault || ::access(directory.c_str(), W_OK | X_OK) != 0)
        return {"state", false, directory.string() + " cannot be written to",
                "sudo chown -R \"$(id -u)\" " + directory.string()};
    struct statvfs space {};
    if (::statvfs(directory.c_str(), &space) != 0)
        return {"state", false, directory.string() + ": its space cannot be told", "df -h"};
    const auto free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    const auto detail = directory.string() + ", " + humanize_size(free) + " free";
    if (free < least)
        return {"state", false, detail + ": less than 1 GiB", "du -xh " + directory.string() + " | sort -h | tail"};
    return {"state", true, detail, {}};
}

Finding check_program(const char* name) {
    const auto path = sibling_program(name);
    const bool found = path.has_parent_path()
                           ? ::access(path.c_str(), X_OK) == 0
                           : static_cast<bool>(run_program({path, {"--version"}, {}, Milliseconds(5000)}));
    if (found) return {name, true, path.string(), {}};
    return {name, false, "not found beside cicdctl nor in PATH", "cmake --install build"};
}

Finding check_daemon(const Session& session) {
    const auto socket = session.socket();
    if (socket.string().size() > 107)
        return {"socket", false, socket.string() + " is longer than 107 bytes",
                "export CICD_SOCKET=/run/user/$(id -u)/cicdd.sock"};
    if (!daemon_answers(socket)) return {"daemon", true, "not running; the next command starts it", {}};
    const auto status = session.another_connection().status();
    if (!status) return {"daemon", false, status.error().message, "cicdctl daemon stop && cicdctl daemon start"};
    if (status->version != CICD_VERSION)
        return {"daemon", false, "version " + status->version + ", cicdctl is " CICD_VERSION,
                "cicdctl daemon stop && cicdctl daemon start"};
    return {"daemon", true, "pid " + std::to_string(status->pid) + " on " + socket.string(), {}};
}

Result<ExitCode> doctor(Session& session, const Arguments&) {
    const std::vector<Finding> findings{check_sandbox(),         check_tool("git", "sudo apt-get install git"),
                                        check_program("cicdd"),  check_program("cicd-runner"),
                                        check_state_directory(), check_daemon(session)};
    bool ok = true;
    Array all;
    const auto paint = session.console().paint();
    std::string text;
    for (const auto& finding : findings) {
        ok = ok && finding.ok;
        Object one{{"name", finding.name}, {"ok", finding.ok}, {"detail", finding.detail}};
        if (!finding.ok) one.set("remedy", finding.remedy);
        all.emplace_back(std::move(one));
        text += (finding.ok ? paint(render::Tone::green, "✓") : paint(render::Tone::red, "✗")) + " " +
                render::padded(finding.name, 12) + finding.detail + "\n";
        if (!finding.ok) text += "    mend it: " + paint(render::Tone::bold, finding.remedy) + "\n";
    }
    if (session.structured()) {
        session.print(Object{{"ok", ok}, {"findings", std::move(all)}});
    } else {
        session.console().out(text);
    }
    return ok ? ExitCode::success : ExitCode::infrastructure;
}

}  // namespace

constinit const Command doctor_command{.name = "doctor",
                                       .summary = "Check that this machine can run pipelines",
                                       .description = "Exit 0 where all is well, 3 where something is to be mended.",
                                       .examples = examples,
                                       .handler = doctor};

}  // namespace cicd::cli
