#include "cli/spawn.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cicd::cli {
namespace {

// Files in memory instead of pipes: a daemon that inherits them never makes us wait for an end of file.
class MemoryFile {
public:
    MemoryFile() : fd_(::memfd_create("cicdctl", MFD_CLOEXEC)) {}
    ~MemoryFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool write(std::string_view text) const {
        while (!text.empty()) {
            const auto written = ::write(fd_, text.data(), text.size());
            if (written < 0) return false;
            text.remove_prefix(static_cast<std::size_t>(written));
        }
        return ::lseek(fd_, 0, SEEK_SET) == 0;
    }
    [[nodiscard]] std::string read() const {
        std::string text;
        char buffer[65536];
        off_t offset = 0;
        for (;;) {
            const auto got = ::pread(fd_, buffer, sizeof buffer, offset);
            if (got <= 0) return text;
            text.append(buffer, static_cast<std::size_t>(got));
            offset += got;
        }
    }

private:
    int fd_;
};

int wait_for(pid_t pid, Milliseconds patience) {
    const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (pidfd >= 0) {
        pollfd ended{pidfd, POLLIN, 0};
        if (::poll(&ended, 1, static_cast<int>(patience.count())) == 0) ::kill(pid, SIGKILL);
        ::close(pidfd);
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<Finished> run_program(const Program& program) {
    MemoryFile in, out, err;
    if (in.fd() < 0 || out.fd() < 0 || err.fd() < 0 || !in.write(program.input))
        return internal_error(std::string("no memory for a program's output: ") + std::strerror(errno));

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.fd(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.fd(), STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

    const auto path = program.path.string();
    std::vector<char*> argv{const_cast<char*>(path.c_str())};
    for (const auto& argument : program.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    const auto fault = ::posix_spawnp(&pid, path.c_str(), &actions, &attributes, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (fault != 0) return unavailable("CLI_069", "cannot start " + path + ": " + std::strerror(fault));

    Finished finished;
    finished.exit_code = wait_for(pid, program.patience);
    finished.out = out.read();
    finished.err = err.read();
    return finished;
}

}  // namespace cicd::cli
