#pragma once

#include "daemon/git/source.hpp"
#include "daemon/git/state.hpp"

#include <string>
#include <string_view>

namespace cicd::git {

class Directory {
public:
    explicit Directory(int fd) : fd_(fd) {}
    ~Directory();
    Directory(Directory&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Directory& operator=(Directory&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

Error cannot_write(const std::string& path);

/// Writes a tree's entries below open directories only, by *at calls that follow no link: a tree cannot lead its own
/// files elsewhere. All files get the same time, so that `make` takes nothing for older than what it was made from.
class EntryWriter {
public:
    explicit EntryWriter(git_repository* repository);

    /// A file, a symbolic link, or an empty folder for a submodule. `path` is for messages.
    Result<void> write(git_filemode_t mode, const git_oid& id, int directory, const std::string& name, const std::string& path);
    /// The folder, made where it is not there, open.
    Result<Directory> folder(int directory, const std::string& name, const std::string& path);
    [[nodiscard]] const Extent& written() const { return written_; }

private:
    Result<Owned<git_odb_object>> content(const git_oid& id, const std::string& path);
    Result<void> link(const git_oid& id, int directory, const std::string& name, const std::string& path);
    Result<void> file(const git_oid& id, int directory, const std::string& name, const std::string& path, mode_t mode);

    Owned<git_odb> odb_;
    timespec time_{};
    Extent written_;
};

/// Names by which a tree could reach outside of its folder, or plant a repository of its own, are errors.
Result<void> check_name(std::string_view name, const std::string& path);

}  // namespace cicd::git
