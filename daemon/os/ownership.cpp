#include "daemon/os/ownership.hpp"

#include "daemon/os/fd.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string_view>

namespace cicd::os {
namespace {

constexpr int deepest = 2000;

/// Called for each entry, by its folder and name, folders before what is in them. False: it failed.
using Change = std::function<bool(int folder, const char* name, const struct stat& facts)>;

Result<void> change(int parent, const char* name, const std::filesystem::path& path, const Change& apply, int depth) {
    struct stat facts {};
    if (::fstatat(parent, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? Result<void>() : Result<void>(last_error("cannot look at " + path.string()));
    if (!apply(parent, name, facts)) return last_error("cannot change who may use " + path.string());
    if (!S_ISDIR(facts.st_mode)) return {};
    if (depth > deepest) return unavailable("JOB_003", path.string() + " is nested too deep");
    const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(fd < 0 ? nullptr : ::fdopendir(fd), ::closedir);
    if (!folder) return last_error("cannot read " + path.string());
    while (const dirent* entry = ::readdir(folder.get())) {
        const std::string_view inner = entry->d_name;
        if (inner != "." && inner != "..") CICD_CHECK(change(fd, entry->d_name, path / inner, apply, depth + 1));
    }
    return {};
}

}  // namespace

Result<void> give_tree(const std::filesystem::path& path, uid_t user, gid_t group) {
    return change(AT_FDCWD, path.c_str(), path, [=](int folder, const char* name, const struct stat& facts) {
        if ((facts.st_uid == user && facts.st_gid == group) || (S_ISREG(facts.st_mode) && facts.st_nlink > 1)) return true;
        return ::fchownat(folder, name, user, group, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT;
    }, 0);
}

Result<void> open_tree(const std::filesystem::path& path) {
    return change(AT_FDCWD, path.c_str(), path, [](int folder, const char* name, const struct stat& facts) {
        const mode_t owners = (facts.st_mode >> 6) & 7, mode = (facts.st_mode & 07777) | owners << 3 | owners;
        if (S_ISLNK(facts.st_mode) || mode == (facts.st_mode & 07777) || (S_ISREG(facts.st_mode) && facts.st_nlink > 1)) return true;
        // By a descriptor: what the name stands for by then is what is changed.
        const Fd fd(::openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
        return !fd || ::chmod(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), mode) == 0 || errno == EPERM;
    }, 0);
}

}  // namespace cicd::os
