#include "daemon/git/state.hpp"

#include "common/base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cicd::git {

namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

Error cannot_write(const std::string& path) {
    return unavailable("SOURCE_007", "cannot write " + path + ": " + std::strerror(errno));
}

/// Names by which a tree could reach outside of its folder, or plant a repository of its own.
bool is_safe(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
           to_lower(name) != ".git";
}

/// Writes below open directories only, by *at calls that follow no link: a tree cannot lead its own files elsewhere.
class TreeCheckout {
public:
    explicit TreeCheckout(git_repository* mirror) : mirror_(mirror) { git_repository_odb(out(odb_), mirror); }

    Result<void> tree(const git_tree* tree, int directory, const std::string& where) {
        for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
            const git_tree_entry* entry = git_tree_entry_byindex(tree, i);
            const std::string name = git_tree_entry_name(entry);
            const std::string path = where.empty() ? name : where + "/" + name;
            if (!is_safe(name))
                return invalid("SOURCE_008", "the tree holds an unsafe path: " + path, "remove it from the repository");
            switch (git_tree_entry_filemode(entry)) {
                case GIT_FILEMODE_TREE: CICD_CHECK(folder(entry, directory, name, path)); break;
                case GIT_FILEMODE_LINK: CICD_CHECK(link(entry, directory, name, path)); break;
                case GIT_FILEMODE_BLOB: CICD_CHECK(file(entry, directory, name, path, 0644)); break;
                case GIT_FILEMODE_BLOB_EXECUTABLE: CICD_CHECK(file(entry, directory, name, path, 0755)); break;
                case GIT_FILEMODE_COMMIT:
                    // A submodule that is not checked out is an empty folder, as in git.
                    if (::mkdirat(directory, name.c_str(), 0755) != 0) return cannot_write(path);
                    break;
                case GIT_FILEMODE_UNREADABLE: return invalid("SOURCE_008", path + " has no known mode");
            }
        }
        return {};
    }

private:
    Result<void> folder(const git_tree_entry* entry, int directory, const std::string& name, const std::string& path) {
        Owned<git_tree> child;
        if (git_tree_lookup(out(child), mirror_, git_tree_entry_id(entry)) < 0) return failure("cannot read " + path);
        if (::mkdirat(directory, name.c_str(), 0755) != 0) return cannot_write(path);
        const Descriptor inner(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (inner.get() < 0) return cannot_write(path);
        return tree(child.get(), inner.get(), path);
    }

    Result<Owned<git_odb_object>> content(const git_tree_entry* entry, const std::string& path) {
        Owned<git_odb_object> object;
        if (git_odb_read(out(object), odb_.get(), git_tree_entry_id(entry)) < 0)
            return failure("cannot read the content of " + path);
        return object;
    }

    Result<void> link(const git_tree_entry* entry, int directory, const std::string& name, const std::string& path) {
        CICD_TRY(const auto object, content(entry, path));
        const std::string target(static_cast<const char*>(git_odb_object_data(object.get())),
                                 git_odb_object_size(object.get()));
        if (::symlinkat(target.c_str(), directory, name.c_str()) != 0) return cannot_write(path);
        return {};
    }

    Result<void> file(const git_tree_entry* entry, int directory, const std::string& name, const std::string& path,
                      mode_t mode) {
        CICD_TRY(const auto object, content(entry, path));
        const Descriptor out(
            ::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
        if (out.get() < 0) return cannot_write(path);
        const char* data = static_cast<const char*>(git_odb_object_data(object.get()));
        std::size_t rest = git_odb_object_size(object.get());
        while (rest > 0) {
            const ssize_t written = ::write(out.get(), data, rest);
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return cannot_write(path);
            data += written;
            rest -= static_cast<std::size_t>(written);
        }
        // Whatever the daemon's umask is: the files are those of the commit.
        if (::fchmod(out.get(), mode) != 0) return cannot_write(path);
        return {};
    }

    git_repository* mirror_;
    Owned<git_odb> odb_;
};

}  // namespace

Result<void> Sources::checkout(const model::Source& source, const std::filesystem::path& destination) {
    Mirror& mirror = state_->mirror(source.repository);
    CICD_TRY(const auto lease, mirror.lease(false));
    CICD_TRY(const auto tree, source_tree(lease.repository(), source));
    const Descriptor root(::open(destination.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0) return cannot_write(destination.string());
    return TreeCheckout(lease.repository()).tree(tree.get(), root.get(), "");
}

}  // namespace cicd::git
