#include "daemon/git/entry_writer.hpp"

#include "common/base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace cicd::git {

namespace {

constexpr std::uint64_t block = 4096;

}  // namespace

Directory::~Directory() {
    if (fd_ >= 0) ::close(fd_);
}

Error cannot_write(const std::string& path) {
    return unavailable("SOURCE_007", "cannot write " + path + ": " + std::strerror(errno));
}

Result<void> check_name(std::string_view name, const std::string& path) {
    if (!name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos && to_lower(name) != ".git")
        return {};
    return invalid("SOURCE_008", "the tree holds an unsafe path: " + path, "remove it from the repository");
}

EntryWriter::EntryWriter(git_repository* repository) {
    git_repository_odb(out(odb_), repository);
    ::clock_gettime(CLOCK_REALTIME, &time_);
}

Result<void> EntryWriter::write(git_filemode_t mode, const git_oid& id, int directory, const std::string& name,
                                const std::string& path) {
    switch (mode) {
        case GIT_FILEMODE_LINK: return link(id, directory, name, path);
        case GIT_FILEMODE_BLOB: return file(id, directory, name, path, 0644);
        case GIT_FILEMODE_BLOB_EXECUTABLE: return file(id, directory, name, path, 0755);
        case GIT_FILEMODE_TREE:
        case GIT_FILEMODE_COMMIT: {
            // A submodule that is not checked out is an empty folder, as in git.
            auto made = folder(directory, name, path);
            return made ? Result<void>() : made.error();
        }
        case GIT_FILEMODE_UNREADABLE: break;
    }
    return invalid("SOURCE_008", path + " has no known mode");
}

Result<Directory> EntryWriter::folder(int directory, const std::string& name, const std::string& path) {
    if (::mkdirat(directory, name.c_str(), 0755) == 0) written_.bytes += block;
    else if (errno != EEXIST) return cannot_write(path);
    Directory inner(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (inner.get() < 0) return cannot_write(path);
    return inner;
}

Result<Owned<git_odb_object>> EntryWriter::content(const git_oid& id, const std::string& path) {
    Owned<git_odb_object> object;
    if (git_odb_read(out(object), odb_.get(), &id) < 0) return failure("cannot read the content of " + path);
    return object;
}

Result<void> EntryWriter::link(const git_oid& id, int directory, const std::string& name, const std::string& path) {
    CICD_TRY(const auto object, content(id, path));
    const std::string target(static_cast<const char*>(git_odb_object_data(object.get())), git_odb_object_size(object.get()));
    if (::symlinkat(target.c_str(), directory, name.c_str()) != 0) return cannot_write(path);
    ++written_.files;
    return {};
}

Result<void> EntryWriter::file(const git_oid& id, int directory, const std::string& name, const std::string& path,
                               mode_t mode) {
    CICD_TRY(const auto object, content(id, path));
    const Directory out(::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (out.get() < 0) return cannot_write(path);
    const char* data = static_cast<const char*>(git_odb_object_data(object.get()));
    const std::size_t size = git_odb_object_size(object.get());
    for (std::size_t done = 0; done < size;) {
        const ssize_t n = ::write(out.get(), data + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot_write(path);
        done += static_cast<std::size_t>(n);
    }
    const std::array<timespec, 2> times{time_, time_};
    // Whatever the daemon's umask is: the files are those of the commit.
    if (::fchmod(out.get(), mode) != 0 || ::futimens(out.get(), times.data()) != 0) return cannot_write(path);
    ++written_.files;
    written_.bytes += (size + block - 1) / block * block;
    return {};
}

}  // namespace cicd::git
