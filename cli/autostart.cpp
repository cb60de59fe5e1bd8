#include "cli/autostart.hpp"

#include "cli/spawn.hpp"
#include "common/base/paths.hpp"
#include "common/base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace cicd::cli {
namespace {

class FileLock {
public:
    explicit FileLock(const std::filesystem::path& file)
        : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
        while (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
        }
    }
    ~FileLock() {
        if (fd_ >= 0) ::close(fd_);
    }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    [[nodiscard]] bool held() const { return fd_ >= 0; }

private:
    int fd_;
};

}  // namespace

bool daemon_answers(const std::filesystem::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = socket.string();
    if (path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const auto fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const auto connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return connected;
}

Result<void> start_daemon(const std::filesystem::path& socket) {
    const auto state = state_directory();
    std::error_code fault;
    std::filesystem::create_directories(state, fault);
    if (fault)
        return unavailable("CICD_069", "cannot create the state directory " + state.string() + ": " + fault.message(),
                           "set CICD_STATE_DIR to a folder that you can write to");
    std::filesystem::permissions(state, std::filesystem::perms::owner_all, fault);
    const FileLock lock(state / "autostart.lock");
    if (!lock.held())
        return unavailable("CICD_069",
                           "cannot write to the state directory " + state.string() + ": " + std::strerror(errno),
                           "set CICD_STATE_DIR to a folder that you can write to");
    if (daemon_answers(socket)) return {};
    const Program program{sibling_program("cicdd"), {"serve", "--background"}, {}, Milliseconds(30'000)};
    CICD_TRY(const auto finished, run_program(program));
    if (finished.exit_code == 0 && daemon_answers(socket)) return {};
    const auto said = std::string(trim(finished.err));
    return unavailable("CICD_069", "the daemon did not start" + (said.empty() ? std::string() : ": " + said),
                       "'cicdctl doctor' looks for the cause; '" + program.path.string() + " serve' shows all it says");
}

}  // namespace cicd::cli
