#include "daemon/app/daemon.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/process.hpp"
#include "daemon/os/spawn.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace cicd::app {
namespace {

constexpr auto start_limit = std::chrono::seconds(20);

/// Asks for /readyz. The daemon says that it is ready by answering at all: it listens when everything is in place.
bool answers(const std::filesystem::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = socket.string();
    if (path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
    static constexpr std::string_view question = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(fd.get(), question.data(), question.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(question.size()))
        return false;
    pollfd entry{fd.get(), POLLIN, 0};
    if (::poll(&entry, 1, 2000) <= 0) return false;
    char answer[64] = {};
    const auto size = ::recv(fd.get(), answer, sizeof answer, 0);
    return size > 0 && std::string_view(answer, static_cast<std::size_t>(size)).find(" 200 ") != std::string_view::npos;
}

std::string read_from(int fd, off_t offset) {
    std::string text(16 * 1024, '\0');
    const auto size = ::pread(fd, text.data(), text.size(), offset);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace

Result<void> serve_in_background(const ServeOptions& options) {
    if (const auto error = os::make_private_directory(options.state_directory))
        return unavailable("CICD_503", "cannot create the state directory " + options.state_directory.string() + ": " +
                                           error.message());
    const auto log = log_file(options.state_directory);
    // Only to make it ours alone; the daemon opens it itself.
    const os::Fd made(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!made) return os::last_error("cannot write " + log.string());
    // What it says before it serves is kept in memory: the disk may be what is full.
    CICD_TRY(const auto output, os::memory_file("cicdd", ""));
    const os::Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));

    os::SpawnOptions spawning;
    spawning.argv = {options.program, "serve", "--state-dir", options.state_directory.string(), "--socket",
                     options.socket.string(), "--log", log.string()};
    if (!options.config_directory.empty())
        spawning.argv.insert(spawning.argv.end(), {"--config-dir", options.config_directory.string()});
    if (options.slots) spawning.argv.insert(spawning.argv.end(), {"--slots", std::to_string(*options.slots)});
    spawning.fds = {{nothing.get(), 0}, {output.get(), 1}, {output.get(), 2}};
    spawning.cwd = "/";
    spawning.detached = true;
    CICD_TRY(const int pid, os::spawn(spawning));
    const auto ended = os::pidfd_open(pid);

    const auto deadline = std::chrono::steady_clock::now() + start_limit;
    while (std::chrono::steady_clock::now() < deadline) {
        if (answers(options.socket)) return {};
        pollfd entry{ended ? ended->get() : -1, POLLIN, 0};
        if (!ended || ::poll(&entry, 1, 2) > 0) {
            if (answers(options.socket)) return {};
            const auto said = read_from(output.get(), 0);
            return unavailable("CICD_503", said.empty() ? "the daemon ended at once; see " + log.string() : said);
        }
    }
    return unavailable("CICD_503", "the daemon does not answer", "see " + log.string());
}

}  // namespace cicd::app
