#include "daemon/images/program.hpp"

#include "common/base/text.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/process.hpp"
#include "daemon/os/spawn.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace cicd::images {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_answer = 8 << 20;

}  // namespace

/// One of its outputs as it comes.
struct RunningProgram::Stream {
    os::Fd pipe;
    std::string& text;
    const std::function<void(std::string_view)>& tell;
    std::size_t told = 0;

    void take() {
        char buffer[16384];
        const ssize_t n = ::read(pipe.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) return;
        if (n <= 0) pipe.reset();
        else if (text.size() < largest_answer) text.append(buffer, static_cast<std::size_t>(n));
        for (auto line = text.find('\n', told); tell && line != std::string::npos; line = text.find('\n', told)) {
            tell(std::string_view(text).substr(told, line - told));
            told = line + 1;
        }
    }
};

RunningProgram::RunningProgram(Watch watch) : watch_(std::move(watch)), end_(Clock::now() + watch_.limit) {}

Result<std::unique_ptr<RunningProgram>> RunningProgram::start(std::vector<std::string> command, Watch watch) {
    std::unique_ptr<RunningProgram> program(new RunningProgram(std::move(watch)));
    CICD_TRY(auto out, os::make_pipe());
    CICD_TRY(auto err, os::make_pipe());
    os::SpawnOptions options;
    options.argv = std::move(command);
    options.cwd = "/";
    options.new_session = true;
    options.fds = {{out.write.get(), 1}, {err.write.get(), 2}};
    CICD_TRY(program->pid_, os::spawn(options));
    program->out_.reset(new Stream{std::move(out.read), program->ended_.out, program->watch_.tell_out});
    program->err_.reset(new Stream{std::move(err.read), program->ended_.err, program->watch_.tell_err});
    return program;
}

RunningProgram::~RunningProgram() {
    if (pid_ == 0) return;
    kill();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
}

void RunningProgram::kill() {
    ended_.killed = true;
    os::signal_tree(pid_, SIGKILL);
    ::kill(-pid_, SIGKILL);
}

bool RunningProgram::go_on(std::chrono::milliseconds most) {
    if (pid_ == 0) return false;
    pollfd watched[2]{{out_->pipe.get(), POLLIN, 0}, {err_->pipe.get(), POLLIN, 0}};
    (void)::poll(watched, 2, static_cast<int>(most.count()));
    if (watched[0].revents != 0) out_->take();
    if (watched[1].revents != 0) err_->take();
    if (!ended_.killed && (Clock::now() >= end_ || (watch_.stop && watch_.stop()))) kill();
    if (out_->pipe || err_->pipe) return true;
    while (::waitpid(pid_, &ended_.status, 0) < 0 && errno == EINTR) {}
    pid_ = 0;
    return false;
}

Result<Ended> run_program(std::vector<std::string> command, const Watch& watch) {
    CICD_TRY(const auto program, RunningProgram::start(std::move(command), watch));
    while (program->go_on(std::chrono::milliseconds(100))) {}
    return std::move(program->ended());
}

std::string find_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    for (const auto& folder : split(path ? path : "/usr/bin:/bin", ':'))
        if (!folder.empty() && ::access((folder + "/" + name).c_str(), X_OK) == 0) return folder + "/" + name;
    return {};
}

}  // namespace cicd::images
