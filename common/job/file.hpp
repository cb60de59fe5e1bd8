#pragma once

#include "common/base/result.hpp"

#include <sys/uio.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// Files as the job directory needs them: opened close-on-exec, written whole, made durable.
namespace cicd::job {

class File {
public:
    File() = default;
    explicit File(int fd) : fd_(fd) {}
    ~File();
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// "cannot <what> <path>: <errno's text>", for the errno of the call just made.
Error system_error(std::string_view what, const std::filesystem::path& path);

Result<File> open_for_append(const std::filesystem::path& path);
/// Absent for a file that is not there.
Result<std::optional<std::string>> read_whole(const std::filesystem::path& path, std::size_t limit);
Result<void> write_all(int fd, std::span<iovec> pieces, const std::filesystem::path& path);
/// A temporary file beside it, rename: readers see all of it or nothing, but after a loss of power perhaps a part.
Result<void> write_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace cicd::job
