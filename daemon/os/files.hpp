#pragma once

#include "common/base/result.hpp"
#include "daemon/os/fd.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace cicd::os {

/// An exclusive flock on a file, which is made where it is not there; given back when it is destroyed.
class FileLock {
public:
    /// Fails with ErrorKind::conflict where somebody else holds it.
    static Result<FileLock> try_take(const std::filesystem::path& path);
    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

/// An open directory with a shared flock, which says "in use" to `retire_directory`. Empty where it is not there, or is
/// being removed just now.
Fd hold_directory(const std::filesystem::path& path);
/// A new directory `folder`/`prefix`XXXXXX, mode 0700, and what holds it: whoever sweeps leftovers may be at it between the two.
struct HeldDirectory {
    std::filesystem::path path;
    Fd lock;
};
Result<HeldDirectory> make_held_directory(const std::filesystem::path& folder, const std::string& prefix);
/// Removes a directory that nobody holds. False: it is in use, or somebody else is at it.
Result<bool> retire_directory(const std::filesystem::path& path);

/// With its parents. One that is new is its owner's alone; one that is there stays as it is.
std::error_code make_private_directory(const std::filesystem::path& path);
/// Makes a directory's entries durable.
Result<void> sync_directory(const std::filesystem::path& path);
/// A temporary file beside it, fdatasync, rename, directory synced.
Result<void> write_durably(const std::filesystem::path& path, std::string_view bytes, int mode = 0644);
/// The tree and all below it, also directories without write permission (as in Go's module cache). Links are not followed.
/// A path that is not there is fine.
Result<void> remove_all(const std::filesystem::path& path);

}  // namespace cicd::os
