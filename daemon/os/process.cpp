#include "daemon/os/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

namespace cicd::os {

Result<Fd> pidfd_open(int pid) {
    Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (fd) return fd;
    auto error = last_error("cannot watch process " + std::to_string(pid));
    if (errno == ESRCH) error.kind = ErrorKind::not_found;
    return error;
}

bool has_ended(int pidfd) {
    pollfd state{pidfd, POLLIN, 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & POLLIN) != 0;
}

Result<void> pidfd_send_signal(int pidfd, int signal) {
    if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0) return {};
    auto error = last_error("cannot signal the process");
    if (errno == ESRCH) error.kind = ErrorKind::not_found;
    return error;
}

std::optional<ProcessFacts> process_facts(int pid) {
    const Fd file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    char buffer[1024];
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer - 1);
    if (n <= 0) return std::nullopt;
    buffer[n] = 0;
    // The name, field 2, may hold spaces and parentheses.
    const char* rest = std::strrchr(buffer, ')');
    if (!rest) return std::nullopt;
    ProcessFacts facts;
    facts.pid = pid;
    unsigned long long start = 0;
    const int read = std::sscanf(rest + 1,
                                 " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                                 &facts.state, &facts.parent, &facts.session, &start);
    if (read != 4) return std::nullopt;
    facts.start_time = start;
    return facts;
}

std::vector<int> descendants(int root) {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
    if (!folder) return {};
    std::vector<std::pair<int, int>> parents;  // pid, parent
    while (const dirent* entry = ::readdir(folder.get())) {
        int pid = 0;
        const char* end = entry->d_name + std::strlen(entry->d_name);
        if (std::from_chars(entry->d_name, end, pid).ptr != end) continue;
        if (const auto facts = process_facts(pid); facts && facts->state != 'Z') parents.emplace_back(pid, facts->parent);
    }
    std::vector<int> found{root};
    for (std::size_t i = 0; i < found.size(); ++i)
        for (const auto& [pid, parent] : parents)
            if (parent == found[i] && std::find(found.begin(), found.end(), pid) == found.end()) found.push_back(pid);
    found.erase(found.begin());
    return found;
}

void signal_tree(int root, int signal, bool include_root) {
    if (signal == SIGKILL) {
        // Stopped first, so that nothing can fork while the tree is read.
        std::vector<int> known;
        for (;;) {
            bool grown = false;
            for (int pid : descendants(root)) {
                if (std::find(known.begin(), known.end(), pid) != known.end()) continue;
                ::kill(pid, SIGSTOP);
                known.push_back(pid);
                grown = true;
            }
            if (!grown) break;
        }
        if (include_root) ::kill(root, SIGKILL);
        for (int pid : known) ::kill(pid, SIGKILL);
        return;
    }
    for (int pid : descendants(root)) ::kill(pid, signal);
    if (include_root) ::kill(root, signal);
}

}  // namespace cicd::os
