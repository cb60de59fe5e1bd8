#include "daemon/os/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

namespace cicd::os {
namespace {

struct Names {
    std::vector<std::pair<std::string, bool>> entries;  // name, known to be no directory
};

Result<Names> list(int folder, const std::filesystem::path& path) {
    const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
    if (!stream) return last_error("cannot read the directory " + path.string());
    Names names;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..")
            names.entries.emplace_back(name, entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN);
    }
    return names;
}

/// Relative to an open parent, so that no part of the path can be swapped for a link meanwhile.
Result<void> remove_entry(int parent, const std::string& name, const std::filesystem::path& path, bool plain) {
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (plain || (errno != EISDIR && errno != EPERM && errno != EACCES)) return last_error("cannot remove " + path.string());
    Fd folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder && errno == EACCES && ::fchmodat(parent, name.c_str(), 0700, 0) == 0)
        folder = Fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) return last_error("cannot remove " + path.string());
    (void)::fchmod(folder.get(), 0700);
    CICD_TRY(const auto names, list(folder.get(), path));
    for (const auto& [entry, no_directory] : names.entries)
        CICD_CHECK(remove_entry(folder.get(), entry, path / entry, no_directory));
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    return last_error("cannot remove " + path.string());
}

}  // namespace

Result<FileLock> FileLock::try_take(const std::filesystem::path& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return last_error("cannot open " + path.string());
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return FileLock(std::move(fd));
    auto error = last_error("cannot lock " + path.string());
    if (errno == EWOULDBLOCK) error = conflict("CICD_409", path.string() + " is locked by another process");
    return error;
}

Fd hold_directory(const std::filesystem::path& path) {
    Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat held {}, there {};
    if (!folder || ::flock(folder.get(), LOCK_SH | LOCK_NB) != 0 || ::fstat(folder.get(), &held) != 0 ||
        ::stat(path.c_str(), &there) != 0 || held.st_ino != there.st_ino || held.st_dev != there.st_dev)
        return {};
    return folder;
}

Result<HeldDirectory> make_held_directory(const std::filesystem::path& folder, const std::string& prefix) {
    for (int attempt = 0; attempt < 10; ++attempt) {
        auto path = (folder / (prefix + "XXXXXX")).string();
        if (!::mkdtemp(path.data())) break;
        if (auto lock = hold_directory(path)) return HeldDirectory{path, std::move(lock)};
    }
    return last_error("cannot create a folder in " + folder.string());
}

Result<bool> retire_directory(const std::filesystem::path& path) {
    const Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) return false;
    // Under another name first: whoever comes now finds nothing, rather than a part.
    auto leaving = path;
    leaving.replace_filename(".gone-" + path.filename().string() + "-" + std::to_string(::getpid()));
    if (::rename(path.c_str(), leaving.c_str()) != 0) return false;
    CICD_CHECK(os::remove_all(leaving));
    return true;
}

std::error_code make_private_directory(const std::filesystem::path& path) {
    if (!path.has_filename() && path.has_relative_path()) return make_private_directory(path.parent_path());  // "a/b/"
    std::error_code failure;
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failure);
    if (failure || ::mkdir(path.c_str(), 0700) == 0) return failure;
    const std::error_code refused(errno, std::system_category());
    return std::filesystem::is_directory(path, failure) ? std::error_code{} : refused;
}

Result<void> sync_directory(const std::filesystem::path& path) {
    const Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) return last_error("cannot sync " + path.string());
    return {};
}

Result<void> write_durably(const std::filesystem::path& path, std::string_view bytes, int mode) {
    auto temporary = path;
    temporary += ".tmp";
    {
        const Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, static_cast<mode_t>(mode)));
        if (!file) return last_error("cannot create " + temporary.string());
        while (!bytes.empty()) {
            const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return last_error("cannot write " + temporary.string());
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        if (::fdatasync(file.get()) != 0) return last_error("cannot sync " + temporary.string());
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) return last_error("cannot rename to " + path.string());
    return sync_directory(path.parent_path().empty() ? "." : path.parent_path());
}

Result<void> remove_all(const std::filesystem::path& path) {
    auto name = path.filename();
    auto parent = path.parent_path();
    if (name.empty()) {
        name = parent.filename();
        parent = parent.parent_path();
    }
    const Fd folder(::open(parent.empty() ? "." : parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        if (errno == ENOENT) return {};
        return last_error("cannot open " + parent.string());
    }
    return remove_entry(folder.get(), name.string(), path, false);
}

}  // namespace cicd::os
