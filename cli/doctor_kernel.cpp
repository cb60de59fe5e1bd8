#include "cli/doctor.hpp"
#include "cli/spawn.hpp"
#include "common/base/paths.hpp"
#include "common/base/subordinate_ids.hpp"
#include "common/base/text.hpp"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>

// What the kernel must offer: each thing is tried, not looked up.
namespace cicd::cli::checks {
namespace {

std::string first_line(const std::string& text) {
    const auto trimmed = std::string(trim(text));
    return trimmed.substr(0, trimmed.find('\n'));
}

std::optional<long long> number_in(const std::string& file) {
    std::optional<long long> found;
    if (auto* stream = std::fopen(file.c_str(), "re")) {
        long long number = 0;
        if (std::fscanf(stream, "%lld", &number) == 1) found = number;
        std::fclose(stream);
    }
    return found;
}

Result<Finished> in_bwrap(std::vector<std::string> more) {
    std::vector<std::string> arguments{
        "--ro-bind",     "/",      "/",     "--unshare-user", "--unshare-pid", "--unshare-ipc",
        "--unshare-uts", "--proc", "/proc", "--dev",          "/dev",          "--die-with-parent"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program({"bwrap", arguments, {}, Milliseconds(10'000)});
}

void look_at_overlay(std::vector<Finding>& findings) {
    const auto filesystems = run_program({"grep", {"-qw", "overlay", "/proc/filesystems"}, {}, Milliseconds(5000)});
    if (filesystems && filesystems->exit_code == 0)
        return findings.push_back(good("overlay", "checkouts can be laid over each other"));
    findings.push_back(
        notice("overlay", "the kernel offers no overlay file system: checkouts are linked or copied, which is slower",
               "sudo modprobe overlay"));
}

void look_at_cgroups(std::vector<Finding>& findings) {
    const auto writable = [](const std::string& path) { return ::access(path.c_str(), W_OK) == 0; };
    if (::access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) {
        // v2: the own group, or a delegated one, must be writable.
        char line[4096] = {};
        std::string own = "/";
        if (auto* stream = std::fopen("/proc/self/cgroup", "re")) {
            while (std::fgets(line, sizeof line, stream))
                if (std::string_view(line).starts_with("0::"))
                    own = std::string(trim(std::string_view(line).substr(3)));
            std::fclose(stream);
        }
        if (writable("/sys/fs/cgroup" + own + "/cgroup.procs"))
            return findings.push_back(good("cgroups", "version 2, " + own + " is writable"));
        return findings.push_back(notice("cgroups",
                                         "version 2, but " + own + " is not ours: limits hold for each process only",
                                         "systemd-run --user --scope -p Delegate=yes cicdctl daemon start"));
    }
    std::string found;
    for (const auto* controller : {"memory", "pids", "cpu"})
        if (writable(std::string("/sys/fs/cgroup/") + controller + "/cgroup.procs"))
            found += (found.empty() ? "" : ", ") + std::string(controller);
    if (!found.empty()) return findings.push_back(good("cgroups", "version 1: " + found));
    findings.push_back(
        notice("cgroups", "none is writable: limits hold for each process only", "sudo systemctl enable --now cicdd"));
}

void look_at_seccomp(std::vector<Finding>& findings) {
    const std::uint32_t action = SECCOMP_RET_ERRNO;
    if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
        return findings.push_back(good("seccomp", "system calls of jobs can be filtered"));
    findings.push_back(bad("seccomp", "the kernel cannot filter system calls", "zgrep SECCOMP_FILTER /proc/config.gz"));
}

void look_at_limit(const char* name, const std::string& file, long long least, const std::string& key,
                   std::vector<Finding>& findings) {
    const auto limit = number_in(file);
    if (!limit) return;
    const auto text = std::to_string(*limit) + " " + key;
    if (*limit >= least) return findings.push_back(good(name, text));
    findings.push_back(notice(name,
                              text + ": many jobs at once will find no room (" + std::to_string(least) + " is enough)",
                              "sudo sysctl -w " + key + "=" + std::to_string(least)));
}

/// Who runs the daemon as root needs none.
void look_at_subordinate_ids(std::vector<Finding>& findings) {
    if (::geteuid() == 0) return;
    const auto ids = find_subordinate_ids();
    if (ids) return findings.push_back(good("users", "writable systems have users of their own (subordinate ids)"));
    findings.push_back(notice("users", "writable systems have one user only: " + ids.error().message, ids.error().hint));
}

void look_at_descriptors(std::vector<Finding>& findings) {
    constexpr rlim_t enough = 4096;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const auto text = limit.rlim_max == RLIM_INFINITY ? std::string("unlimited") : std::to_string(limit.rlim_max);
    if (limit.rlim_max >= enough) return findings.push_back(good("files", text + " descriptors for a process"));
    findings.push_back(notice("files", "only " + text + " descriptors for a process",
                              "echo \"$USER hard nofile 65536\" | sudo tee /etc/security/limits.d/cicd.conf"));
}

}  // namespace

void look_at_sandbox(std::vector<Finding>& findings) {
    const auto finished = in_bwrap({"true"});
    if (!finished)
        return findings.push_back(bad("sandbox", "bubblewrap is missing", "sudo apt-get install bubblewrap"));
    if (finished->exit_code == 0) {
        findings.push_back(good("sandbox", "user, PID, IPC, UTS and mount namespaces work"));
    } else if (number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").value_or(0) == 1) {
        findings.push_back(
            bad("sandbox", first_line(finished->err), "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"));
    } else {
        findings.push_back(bad("sandbox", first_line(finished->err),
                               "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000"));
    }
    const auto network = in_bwrap({"--unshare-net", "true"});
    if (network && network->exit_code != 0 && finished->exit_code == 0)
        findings.push_back(notice("network", "jobs cannot be cut off the network: " + first_line(network->err),
                                  "sudo sysctl -w user.max_net_namespaces=15000"));
}

void look_at_kernel(std::vector<Finding>& findings) {
    look_at_overlay(findings);
    look_at_cgroups(findings);
    look_at_seccomp(findings);
    look_at_limit("inotify", "/proc/sys/fs/inotify/max_user_watches", 16'384, "fs.inotify.max_user_watches", findings);
    look_at_limit("watchers", "/proc/sys/fs/inotify/max_user_instances", 128, "fs.inotify.max_user_instances",
                  findings);
    look_at_descriptors(findings);
    look_at_subordinate_ids(findings);
}

void look_at_shell(std::vector<Finding>& findings) {
    const auto* shell = std::getenv("SHELL");
    const auto* home = std::getenv("HOME");
    const std::string name = shell ? std::filesystem::path(shell).filename().string() : std::string();
    const std::string own = home ? home : "";
    struct Place {
        std::string_view shell;
        std::vector<std::string> files;
        std::string install;
    };
    const std::array places{
        Place{"bash",
              {"/usr/share/bash-completion/completions/cicdctl", "/usr/local/share/bash-completion/completions/cicdctl",
               own + "/.local/share/bash-completion/completions/cicdctl"},
              "mkdir -p ~/.local/share/bash-completion/completions && cicdctl completion bash > "
              "~/.local/share/bash-completion/completions/cicdctl"},
        Place{"zsh",
              {"/usr/share/zsh/site-functions/_cicdctl", "/usr/share/zsh/vendor-completions/_cicdctl",
               "/usr/local/share/zsh/site-functions/_cicdctl", own + "/.zfunc/_cicdctl"},
              "mkdir -p ~/.zfunc && cicdctl completion zsh > ~/.zfunc/_cicdctl"},
        Place{
            "fish",
            {"/usr/share/fish/vendor_completions.d/cicdctl.fish",
             "/usr/local/share/fish/vendor_completions.d/cicdctl.fish", own + "/.config/fish/completions/cicdctl.fish"},
            "mkdir -p ~/.config/fish/completions && cicdctl completion fish > "
            "~/.config/fish/completions/cicdctl.fish"}};
    for (const auto& place : places) {
        if (place.shell != name) continue;
        for (const auto& file : place.files)
            if (::access(file.c_str(), R_OK) == 0) return findings.push_back(good("completion", file));
        findings.push_back(notice("completion", "not installed for " + name, place.install));
    }
}

}  // namespace cicd::cli::checks
