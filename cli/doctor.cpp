#include "cli/doctor.hpp"

#include "cli/autostart.hpp"
#include "cli/session.hpp"
#include "cli/spawn.hpp"
#include "common/base/paths.hpp"
#include "common/base/text.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <ctime>

namespace cicd::cli {
namespace checks {
namespace {

std::string first_line(const std::string& text) {
    const auto trimmed = std::string(trim(text));
    return trimmed.substr(0, trimmed.find('\n'));
}

void look_at_tool(const std::string& name, const std::string& remedy, std::vector<Finding>& findings) {
    const auto finished = run_program({name, {"--version"}, {}, Milliseconds(5000)});
    if (!finished) return findings.push_back(bad(name, finished.error().message, remedy));
    if (finished->exit_code != 0) return findings.push_back(bad(name, first_line(finished->err), remedy));
    findings.push_back(good(name, first_line(finished->out)));
}

void look_at_sibling(const char* name, std::vector<Finding>& findings) {
    const auto path = sibling_program(name);
    const auto finished = run_program({path, {"--version"}, {}, Milliseconds(5000)});
    const std::string remedy = "sudo cmake --install build";
    if (!finished) return findings.push_back(bad(name, "not found beside cicdctl nor in PATH", remedy));
    if (finished->exit_code != 0)
        return findings.push_back(bad(name, path.string() + ": " + first_line(finished->err), remedy));
    if (finished->out.find(CICD_VERSION) == std::string::npos)
        return findings.push_back(bad(name, first_line(finished->out) + ", but cicdctl is " CICD_VERSION, remedy));
    findings.push_back(good(name, path.string()));
}

void look_at_permissions(const std::filesystem::path& directory, std::vector<Finding>& findings) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) return;
    if (status.st_uid != ::geteuid())
        return findings.push_back(bad("owner", directory.string() + " belongs to uid " + std::to_string(status.st_uid),
                                      "sudo chown -R \"$(id -u)\" " + directory.string()));
    if ((status.st_mode & 077U) != 0)
        findings.push_back(notice("permissions", directory.string() + " is open to other users: it holds logs and keys",
                                  "chmod 700 " + directory.string()));
}

void look_at_space(const std::filesystem::path& directory, std::vector<Finding>& findings) {
    // As the daemon: below this it takes no new jobs.
    constexpr std::uint64_t least = 512ULL << 20U, comfortable = 4ULL << 30U;
    struct statvfs space {};
    if (::statvfs(directory.c_str(), &space) != 0) return;
    const auto free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    const auto text = humanize_size(free) + " free for " + directory.string();
    if ((space.f_flag & ST_RDONLY) != 0)
        return findings.push_back(
            bad("disk", directory.string() + " is on a file system mounted read-only",
                "sudo mount -o remount,rw \"$(df --output=target " + directory.string() + " | tail -1)\""));
    if (space.f_files > 0 && space.f_favail < 10'000)
        return findings.push_back(
            bad("disk", "only " + std::to_string(space.f_favail) + " inodes are free", "cicdctl daemon cleanup"));
    if (free < least) return findings.push_back(bad("disk", text, "cicdctl daemon cleanup"));
    if (free < comfortable) return findings.push_back(notice("disk", text, "cicdctl daemon cleanup"));
    findings.push_back(good("disk", text));
}

void look_at_clock(std::vector<Finding>& findings) {
    std::tm built{};
    // __DATE__ would make builds differ: the first commit's year is early enough to catch a clock that was never set.
    built.tm_year = 2024 - 1900;
    const auto now = std::time(nullptr);
    if (now < ::timegm(&built))
        return findings.push_back(
            bad("clock", "it is " + format_time(SystemClock().now()) + " here", "sudo timedatectl set-ntp true"));
    findings.push_back(good("clock", format_time(SystemClock().now())));
}

}  // namespace

void look_at_programs(std::vector<Finding>& findings) {
    look_at_tool("git", "sudo apt-get install git", findings);
    look_at_sibling("cicdd", findings);
    look_at_sibling("cicd-runner", findings);
    look_at_sibling("cicd-container", findings);
    const auto skopeo = run_program({"skopeo", {"--version"}, {}, Milliseconds(5000)});
    const bool pulls = skopeo && skopeo->exit_code == 0;
    findings.push_back(good("images", pulls ? first_line(skopeo->out) + " gets them from registries"
                                            : "from archives and layouts; from registries with skopeo: sudo apt-get install skopeo"));
}

/// Most jobs need none: its absence is no fault, unless the configuration asks for one.
void look_at_engine(const Session& session, std::vector<Finding>& findings) {
    std::string setting = "auto";
    for (const auto& each : session.configuration().settings())
        if (each.name == "engine") setting = each.value;
    const auto finished = run_program({sibling_program("cicd-container"), {"--find", setting}, {}, Milliseconds(30'000)});
    if (!finished) return findings.push_back(bad("engine", finished.error().message, "sudo cmake --install build"));
    if (finished->exit_code == 0) return findings.push_back(good("engine", first_line(finished->out)));
    const auto said = first_line(finished->err);
    const auto hint = first_line(std::string(trim(finished->err)).substr(said.size()));
    const bool wanted = setting != "auto" && setting != "none";
    findings.push_back(wanted ? bad("engine", said, hint) : good("engine", said + "; only the executor 'container' needs one: " + hint));
}

void look_at_state(const Session& session, std::vector<Finding>& findings) {
    const auto directory = state_directory();
    std::error_code fault;
    if (!std::filesystem::exists(directory, fault)) {
        std::filesystem::create_directories(directory, fault);
        if (!fault) ::chmod(directory.c_str(), 0700);
    }
    if (fault || ::access(directory.c_str(), W_OK | X_OK) != 0) {
        findings.push_back(bad("state", directory.string() + " cannot be written to",
                               "sudo install -d -m 700 -o \"$(id -u)\" " + directory.string()));
        return;
    }
    findings.push_back(good("state", directory.string()));
    look_at_permissions(directory, findings);
    look_at_space(directory, findings);
    look_at_clock(findings);
    if (session.socket().string().size() > 107)
        findings.push_back(bad("socket", session.socket().string() + " is longer than 107 bytes",
                               "export CICD_SOCKET=/run/user/$(id -u)/cicdd.sock"));
}

void look_at_daemon(const Session& session, std::vector<Finding>& findings) {
    const auto socket = session.socket();
    std::error_code fault;
    if (!daemon_answers(socket)) {
        if (std::filesystem::is_socket(socket, fault))
            return findings.push_back(notice("daemon", "not running; " + socket.string() + " was left behind by one",
                                             "cicdctl daemon start"));
        return findings.push_back(good("daemon", "not running; the next command starts it"));
    }
    const std::string restart = "cicdctl daemon stop && cicdctl daemon start";
    const auto status = session.another_connection().status();
    if (!status) return findings.push_back(bad("daemon", status.error().message, restart));
    if (status->version != CICD_VERSION)
        return findings.push_back(bad("daemon", "version " + status->version + ", cicdctl is " CICD_VERSION, restart));
    findings.push_back(good("daemon", "pid " + std::to_string(status->pid) + " on " + socket.string()));
    if (!status->accepting)
        findings.push_back(
            bad("work", "it takes no new work: " + status->not_accepting_reason, "cicdctl daemon cleanup"));
    if (status->limits == "rlimits")
        findings.push_back(notice("limits",
                                  "memory is held for each process, not for a whole job: no cgroup is writable",
                                  "systemd-run --user --scope -p Delegate=yes cicdctl daemon start"));
    else if (!status->limits.empty())
        findings.push_back(good("limits", "held by " + status->limits));
}

}  // namespace checks

std::vector<Finding> examine(const Session& session) {
    std::vector<Finding> findings;
    checks::look_at_sandbox(findings);
    checks::look_at_kernel(findings);
    checks::look_at_programs(findings);
    checks::look_at_engine(session, findings);
    checks::look_at_state(session, findings);
    checks::look_at_daemon(session, findings);
    checks::look_at_shell(findings);
    return findings;
}

}  // namespace cicd::cli
