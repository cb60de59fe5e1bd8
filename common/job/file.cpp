#include "common/job/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cicd::job {

File::~File() {
    if (fd_ >= 0) ::close(fd_);
}

Error system_error(std::string_view what, const std::filesystem::path& path) {
    const int code = errno;
    Error error = internal_error("cannot " + std::string(what) + " " + path.string() + ": " + std::strerror(code));
    if (code == ENOSPC || code == EDQUOT) error.hint = "free some space on that disk, or lower the retention";
    if (code == EACCES || code == EPERM) error.hint = "check who owns that directory and its permissions";
    return error;
}

Result<File> open_for_append(const std::filesystem::path& path) {
    File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file.is_open()) return system_error("open", path);
    return file;
}

Result<std::optional<std::string>> read_whole(const std::filesystem::path& path, std::size_t limit) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) {
        if (errno == ENOENT) return std::optional<std::string>{};
        return system_error("open", path);
    }
    std::string text;
    struct stat facts {};
    if (::fstat(file.fd(), &facts) == 0) text.reserve(static_cast<std::size_t>(facts.st_size) + 1);
    char buffer[16384];
    for (;;) {
        const ssize_t n = ::read(file.fd(), buffer, sizeof buffer);
        if (n == 0) return std::optional(std::move(text));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("read", path);
        text.append(buffer, static_cast<std::size_t>(n));
        if (text.size() > limit) {
            errno = EFBIG;
            return system_error("read", path);
        }
    }
}

Result<void> write_all(int fd, std::span<iovec> pieces, const std::filesystem::path& path) {
    while (!pieces.empty()) {
        const ssize_t written = ::writev(fd, pieces.data(), static_cast<int>(pieces.size()));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error("write", path);
        auto rest = static_cast<std::size_t>(written);
        while (!pieces.empty() && rest >= pieces.front().iov_len) {
            rest -= pieces.front().iov_len;
            pieces = pieces.subspan(1);
        }
        if (!pieces.empty()) {
            pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + rest;
            pieces.front().iov_len -= rest;
        }
    }
    return {};
}

Result<void> write_atomically(const std::filesystem::path& path, std::string_view text) {
    auto temporary = path;
    temporary += ".tmp";
    File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.is_open()) return system_error("create", temporary);
    iovec piece{const_cast<char*>(text.data()), text.size()};
    CICD_CHECK(write_all(file.fd(), std::span(&piece, 1), temporary));
    if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("rename to", path);
    return {};
}

}  // namespace cicd::job
