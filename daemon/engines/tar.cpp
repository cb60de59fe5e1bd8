#include "daemon/engines/tar.hpp"

#include "daemon/os/spawn.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace cicd::engines {

Result<Tar> Tar::of(const std::string& folder) { return start({"--directory=" + folder, "."}, nullptr); }

Result<Tar> Tar::of(const std::string& folder, const std::vector<std::string>& paths) {
    std::string names;
    for (const auto& path : paths) names += "./" + path + '\0';
    CICD_TRY(const auto list, os::memory_file("files", names));
    return start({"--directory=" + folder, "--no-recursion", "--null", "--verbatim-files-from", "--files-from=/proc/self/fd/3"}, &list);
}

Result<Tar> Tar::start(std::vector<std::string> arguments, const os::Fd* list) {
    CICD_TRY(auto pipe, os::make_pipe(1 << 20));
    os::SpawnOptions options;
    options.argv = {"tar", "--create", "--file=-", "--owner=0", "--group=0", "--numeric-owner"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.cwd = "/";
    options.death_signal = SIGKILL;
    options.fds = {{pipe.write.get(), 1}};
    if (list) options.fds.emplace_back(list->get(), 3);
    Tar tar;
    CICD_TRY(tar.pid_, os::spawn(options));
    tar.out_ = std::move(pipe.read);
    return tar;
}

Tar::~Tar() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    (void)wait();
}

Result<std::string> Tar::read() {
    std::string piece(1 << 18, '\0');
    ssize_t n = 0;
    while ((n = ::read(out_.get(), piece.data(), piece.size())) < 0 && errno == EINTR) {}
    if (n < 0) return os::last_error("cannot read the files");
    piece.resize(static_cast<std::size_t>(n));
    if (n == 0 && pid_ > 0 && wait() != 0) return unavailable("ENGINE_003", "the files could not be read: tar failed");
    return piece;
}

int Tar::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
    pid_ = 0;
    return status;
}

}  // namespace cicd::engines
