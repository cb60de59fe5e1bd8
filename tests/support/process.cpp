#include "tests/support/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace cicd::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Started {
    int pid, in, out, err;
};

[[noreturn]] void become(const std::vector<std::string>& command, const RunOptions& options) {
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(126);
    for (const auto& [name, value] : options.env)
        if (value.empty())
            ::unsetenv(name.c_str());
        else
            ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> arguments;
    for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
}

Started start(const std::vector<std::string>& command, const RunOptions& options) {
    int in[2], out[2], err[2];
    if (options.terminal) {
        int master = -1;
        winsize size{options.rows, options.columns, 0, 0};
        const int pid = ::forkpty(&master, nullptr, nullptr, &size);
        if (pid < 0) throw std::runtime_error("forkpty failed");
        if (pid == 0) become(command, options);
        return {pid, -1, master, -1};
    }
    if (::pipe2(in, O_CLOEXEC) || ::pipe2(out, O_CLOEXEC) || ::pipe2(err, O_CLOEXEC)) throw std::runtime_error("pipe failed");
    const int pid = ::fork();
    if (pid < 0) throw std::runtime_error("fork failed");
    if (pid == 0) {
        ::dup2(in[0], 0);
        ::dup2(out[1], 1);
        ::dup2(err[1], 2);
        become(command, options);
    }
    ::close(in[0]);
    ::close(out[1]);
    ::close(err[1]);
    return {pid, in[1], out[0], err[0]};
}

// Not a C++ stream: those throw where the process goes away while its file is read.
std::string proc_file(int pid, const char* name) {
    std::string text;
    const int fd = ::open(("/proc/" + std::to_string(pid) + "/" + name).c_str(), O_RDONLY | O_CLOEXEC);
    char buffer[8192];
    for (ssize_t n; fd >= 0 && (n = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
    if (fd >= 0) ::close(fd);
    return text;
}

}  // namespace

Background::Background(const std::vector<std::string>& command, const RunOptions& options) : start_(Clock::now()) {
    const auto started = start(command, options);
    pid_ = started.pid;
    out_ = started.out;
    err_ = started.err;
    if (started.in >= 0) {
        // Inputs of tests are small: they fit the pipe.
        if (!options.input.empty() && ::write(started.in, options.input.data(), options.input.size()) < 0) outcome_.err += "";
        ::close(started.in);
    }
}

Background::~Background() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (out_ >= 0) ::close(out_);
    if (err_ >= 0) ::close(err_);
}

void Background::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
}

void Background::type(const std::string& keys) const {
    if (::write(out_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) throw std::runtime_error("cannot type");
}

void Background::resize(unsigned short columns, unsigned short rows) const {
    const winsize size{rows, columns, 0, 0};
    ::ioctl(out_, TIOCSWINSZ, &size);
}

bool Background::terminal_is_plain() const {
    termios settings{};
    return ::tcgetattr(out_, &settings) == 0 && (settings.c_lflag & ICANON) != 0 && (settings.c_lflag & ECHO) != 0;
}

// False when both ends are closed.
bool Background::pump(int timeout_ms) {
    pollfd fds[2];
    nfds_t count = 0;
    for (const int fd : {out_, err_})
        if (fd >= 0) fds[count++] = {fd, POLLIN, 0};
    if (count == 0) return false;
    ::poll(fds, count, timeout_ms);
    for (nfds_t i = 0; i < count; ++i) {
        if (!fds[i].revents) continue;
        char buffer[65536];
        const auto n = ::read(fds[i].fd, buffer, sizeof buffer);
        auto& text = fds[i].fd == out_ ? outcome_.out : outcome_.err;
        if (n > 0) {
            text.append(buffer, static_cast<std::size_t>(n));
        } else if (n == 0 || errno != EINTR) {
            (fds[i].fd == out_ ? out_ : err_) = -1;
            ::close(fds[i].fd);
        }
    }
    return out_ >= 0 || err_ >= 0;
}

bool Background::wait_for_output(const std::string& text, std::chrono::seconds limit, std::size_t from) {
    const auto end = Clock::now() + limit;
    const auto seen = [&] {
        return outcome_.out.find(text, from) != std::string::npos || outcome_.err.find(text) != std::string::npos;
    };
    while (!seen()) {
        if (Clock::now() > end || !pump(100)) return seen();
    }
    return true;
}

Outcome Background::wait(std::chrono::seconds limit) {
    const auto end = Clock::now() + limit;
    int status = 0;
    bool ended = false, slow = false;
    // A daemon that the program started may keep the pipes open: the program's own end is what counts.
    while (!ended) {
        const bool open = pump(ended ? 0 : 20);
        if (::waitpid(pid_, &status, open ? WNOHANG : 0) == pid_) ended = true;
        if (!ended && Clock::now() > end) {
            ::kill(pid_, SIGKILL);
            slow = true;
            ::waitpid(pid_, &status, 0);
            ended = true;
        }
    }
    for (int fd : {out_, err_}) {
        if (fd < 0) continue;
        pollfd readable{fd, POLLIN, 0};
        while (::poll(&readable, 1, 0) > 0) {
            char buffer[65536];
            const auto n = ::read(fd, buffer, sizeof buffer);
            if (n <= 0) break;
            (fd == out_ ? outcome_.out : outcome_.err).append(buffer, static_cast<std::size_t>(n));
        }
    }
    pid_ = -1;
    outcome_.code = slow ? 124 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    outcome_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return outcome_;
}

Outcome run(const std::vector<std::string>& command, const RunOptions& options) {
    Background program(command, options);
    return program.wait(options.limit);
}

bool is_alive(int pid) {
    const auto text = proc_file(pid, "stat");
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos || name_end + 2 >= text.size()) return false;
    const char state = text[name_end + 2];
    if (state != 'Z' && state != 'X') return true;
    // Its first thread has ended; while others have not, its files and sockets are open. Their number is field 20.
    std::istringstream fields(text.substr(name_end + 2));
    std::string skipped;
    for (int field = 3; field < 20; ++field) fields >> skipped;
    int threads = 0;
    fields >> threads;
    return threads > 1;
}

std::vector<int> processes_with_argument(const std::string& text) {
    std::vector<int> found;
    DIR* proc = ::opendir("/proc");
    while (const dirent* entry = ::readdir(proc)) {
        const int pid = std::atoi(entry->d_name);
        if (pid <= 0 || pid == ::getpid()) continue;
        const auto line = proc_file(pid, "cmdline");
        if (line.find(text) != std::string::npos && is_alive(pid)) found.push_back(pid);
    }
    ::closedir(proc);
    return found;
}

void kill_together(const std::vector<int>& pids) {
    for (const int pid : pids) ::kill(pid, SIGSTOP);
    // What goes on beside us may still do something before it notices.
    for (const int pid : pids)
        (void)eventually([&] {
            const auto line = proc_file(pid, "stat");
            const auto end = line.rfind(')');
            return end == std::string::npos || line.compare(end + 1, 2, " T") == 0 || !is_alive(pid);
        });
    for (const int pid : pids) ::kill(pid, SIGKILL);
}

bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
    const auto end = Clock::now() + limit;
    while (!condition()) {
        if (Clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

}  // namespace cicd::test
