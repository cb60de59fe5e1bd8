#include "daemon/os/process.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/control.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

namespace cicd::runner {
namespace {

std::int64_t microseconds(const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * std::int64_t{1'000'000} + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

Result<std::string> contents(int fd) {
    struct stat facts {};
    if (::fstat(fd, &facts) != 0) return os::last_error("cannot read a step's program");
    std::string bytes(static_cast<std::size_t>(facts.st_size), '\0');
    const ssize_t n = ::pread(fd, bytes.data(), bytes.size(), 0);
    if (n != facts.st_size) return os::last_error("cannot read a step's program");
    return bytes;
}

/// Anew, so that nothing that an earlier step left there is written through.
bool write_new(const Program::File& file) {
    if (::unlink(file.path.c_str()) != 0 && errno != ENOENT) return false;
    const os::Fd made(::open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file.mode));
    if (!made) return false;
    for (std::string_view left = file.text; !left.empty();) {
        const ssize_t n = ::write(made.get(), left.data(), left.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        left.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

/// Whatever is there by now, which need not be a file any more; nothing is read through links.
os::Fd open_whatever(const std::string& path) {
    os::Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file && errno != ENOENT) file = os::Fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    return file;
}

class Init {
public:
    explicit Init(os::Fd socket, bool in_container = false)
        : socket_(std::move(socket)), in_sandbox_(::getpid() == 1), in_container_(in_container) {}

    int run() {
        // Steps share our uid: they may neither trace us nor read our memory.
        ::prctl(PR_SET_DUMPABLE, 0);
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        ::fcntl(socket_.get(), F_SETFD, FD_CLOEXEC);
        sigset_t watched;
        ::sigemptyset(&watched);
        for (int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::sigaddset(&watched, number);
        ::sigprocmask(SIG_BLOCK, &watched, nullptr);
        signals_ = os::Fd(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!signals_) return 1;
        // The workspace may be a mount that only this place has.
        const os::Fd workspace(in_sandbox_ ? ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1);
        Event ready{.kind = Event::Kind::ready, .pid = ::getpid()};
        std::vector<int> given;
        if (workspace) given.push_back(workspace.get());
        const auto facts = in_container_ ? os::memory_file("facts", what_is_here()) : Result<os::Fd>(os::Fd());
        if (facts && *facts) given.push_back(facts->get());
        tell(ready, given);
        while (!done_) serve();
        // The engine tears the container down, with what is counted of it, when this process ends.
        if (in_container_)
            while (auto packet = os::receive_packet(socket_.get()))
                if (packet->data.empty()) break;
        return 0;
    }

private:
    struct Running {
        std::uint32_t program = 0;
        std::vector<std::string> given_back;
    };

    static std::string what_is_here() {
        Program facts;
        const bool bash = ::access("/bin/bash", X_OK) == 0 || ::access("/usr/bin/bash", X_OK) == 0;
        facts.argv = {bash ? "bash" : "sh"};
        for (char** entry = ::environ; *entry; ++entry) facts.env.emplace_back(*entry);
        return pack(facts);
    }

    void serve() {
        pollfd watched[2]{{socket_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
        if (::poll(watched, 2, -1) < 0) return;
        if (watched[1].revents != 0) on_signals();
        if (watched[0].revents != 0) on_packet();
    }

    void on_signals() {
        signalfd_siginfo info{};
        while (::read(signals_.get(), &info, sizeof info) == sizeof info)
            // Our parent is gone (its death signal), or somebody wants us to end: nothing may stay behind.
            if (info.ssi_signo != SIGCHLD && !in_sandbox_) finish();
        reap(WNOHANG);
    }

    void on_packet() {
        auto packet = os::receive_packet(socket_.get());
        if (!packet || packet->data.size() != sizeof(Command)) return finish();
        Command command;
        std::memcpy(&command, packet->data.data(), sizeof command);
        switch (command.kind) {
            case Command::Kind::start:
                if (packet->fds.size() == 3) start(command.program, packet->fds[0].get(), packet->fds[1].get(), packet->fds[2].get());
                break;
            case Command::Kind::probe:
                if (packet->fds.size() == 2) probe(packet->fds[0].get(), packet->fds[1].get());
                break;
            case Command::Kind::listen: listen(); break;
            case Command::Kind::signal_program:
                for (const auto& [pid, running] : running_)
                    if (running.program == command.program) os::signal_tree(pid, command.number);
                break;
            case Command::Kind::signal_all: signal_all(command.number); break;
            case Command::Kind::finish: finish(); break;
        }
    }

    void start(std::uint32_t number, int description, int out, int err) {
        os::SpawnOptions options;
        os::SpawnFailure failure;
        const auto bytes = contents(description);
        auto program = bytes ? unpack(*bytes) : Result<Program>(bytes.error());
        if (!program) return tell({.kind = Event::Kind::refused, .number = EINVAL, .program = number});
        Running running{number, {}};
        for (const auto& file : program->files) {
            if (!write_new(file)) return tell({.kind = Event::Kind::no_files, .number = errno, .program = number});
            if (file.given_back) running.given_back.push_back(file.path);
        }
        options.argv = std::move(program->argv);
        options.env = std::move(program->env);
        options.cwd = std::move(program->cwd);
        options.fds = {{out, 1}, {err, 2}};
        options.new_session = true;
        const auto pid = os::spawn(options, &failure);
        if (!pid)
            return tell({.kind = Event::Kind::refused, .stage = static_cast<std::uint8_t>(failure.stage),
                         .number = failure.errno_value, .program = number});
        running_.emplace(*pid, std::move(running));
        tell({.kind = Event::Kind::started, .pid = *pid, .program = number});
    }

    void probe(int description, int output) {
        const auto bytes = contents(description);
        auto program = bytes ? unpack(*bytes) : Result<Program>(bytes.error());
        Result<int> pid = internal_error("");
        if (program) {
            os::SpawnOptions options;
            options.argv = std::move(program->argv);
            options.env = std::move(program->env);
            options.cwd = std::move(program->cwd);
            options.fds = {{output, 1}, {output, 2}};
            options.new_session = true;
            pid = os::spawn(options);
            if (!pid) (void)!::write(output, pid.error().message.data(), pid.error().message.size());
        }
        if (!pid) return tell({.kind = Event::Kind::probed, .number = 127 << 8});
        probe_ = *pid;
    }

    /// Whoever serves the socket may be elsewhere: it stays in the network that it was made in.
    void listen() {
        const os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(socket.get(), 64) != 0)
            return tell({.kind = Event::Kind::listening, .number = errno});
        tell({.kind = Event::Kind::listening}, {socket.get()});
    }

    void signal_all(int number) {
        if (in_sandbox_) ::kill(-1, number);
        else os::signal_tree(::getpid(), number, false);
    }

    /// False where no child is left.
    bool reap(int flags) {
        for (;;) {
            int status = 0;
            rusage usage{};
            const int pid = ::wait4(-1, &status, flags, &usage);
            if (pid < 0 && errno == EINTR) continue;
            if (pid < 0) return false;
            if (pid == 0) return true;
            if (pid == probe_) {
                probe_ = 0;
                tell({.kind = Event::Kind::probed, .pid = pid, .number = status});
            }
            const auto ended = running_.extract(pid);
            if (!ended) continue;
            tell_end({.kind = Event::Kind::ended, .pid = pid, .number = status, .program = ended.mapped().program,
                      .cpu_us = microseconds(usage), .peak_bytes = usage.ru_maxrss * std::int64_t{1024}},
                     ended.mapped().given_back);
        }
    }

    void tell_end(Event event, const std::vector<std::string>& given_back) {
        std::vector<os::Fd> files;
        std::vector<int> numbers;
        for (std::size_t i = 0; i < given_back.size(); ++i) {
            auto file = open_whatever(given_back[i]);
            if (!file) continue;
            event.files |= static_cast<std::uint8_t>(1u << i);
            numbers.push_back(file.get());
            files.push_back(std::move(file));
        }
        tell(event, numbers);
    }

    void finish() {
        if (done_) return;
        done_ = true;
        signal_all(SIGKILL);
        // In a PID namespace one kill reaches everything at once; on the host a process may just have been born.
        if (in_sandbox_) reap(0);
        else while (reap(WNOHANG)) {
            ::poll(nullptr, 0, 1);
            signal_all(SIGKILL);
        }
        rusage usage{};
        ::getrusage(RUSAGE_CHILDREN, &usage);
        tell({.kind = Event::Kind::finished, .cpu_us = microseconds(usage), .peak_bytes = usage.ru_maxrss * std::int64_t{1024}});
    }

    void tell(const Event& event, const std::vector<int>& fds = {}) {
        (void)os::send_packet(socket_.get(), &event, sizeof event, fds);
    }

    os::Fd socket_, signals_;
    const bool in_sandbox_, in_container_;
    std::map<int, Running> running_;  ///< by pid
    int probe_ = 0;
    bool done_ = false;
};

}  // namespace

int run_init() { return Init(os::Fd(control_fd)).run(); }

int run_container_init(const char* path, std::uint64_t largest_file) {
    const rlimit limit{largest_file, largest_file};
    if (largest_file > 0 && ::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 3;
    os::Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(path) >= sizeof address.sun_path) return 2;
    std::memcpy(address.sun_path, path, std::strlen(path));
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const auto text = "cicd-runner: " + os::last_error("cannot reach the runner").message + "\n";
        (void)!::write(2, text.data(), text.size());
        return 3;
    }
    return Init(std::move(socket), true).run();
}

}  // namespace cicd::runner
