#include "daemon/git/working_tree.hpp"

#include "daemon/git/tree_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace cicd::git {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t second = 1'000'000'000;
/// Larger files are streamed rather than read whole.
constexpr std::int64_t stream_size = 16 << 20;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * second + time.tv_nsec; }

std::int64_t now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    return nanoseconds(time);
}

Error unreadable(const std::string& path, int code) {
    return unavailable("SOURCE_006", "cannot read " + path + ": " + std::strerror(code),
                       "make it readable, or name it in .gitignore");
}

class File {
public:
    explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int fd() const { return fd_; }

private:
    int fd_;
};

}  // namespace

Result<Owned<git_repository>> WorkingTree::open(const fs::path& directory) {
    initialize();
    Owned<git_repository> repository;
    std::error_code error;
    if (!fs::is_directory(directory, error))
        return not_found("SOURCE_001", directory.string() + " is no directory", "give the path of a git repository");
    const int status = git_repository_open_ext(out(repository), directory.c_str(), 0, nullptr);
    if (status == GIT_ENOTFOUND)
        return not_found("SOURCE_001", directory.string() + " is not in a git repository",
                         "run `git init` there, or name a repository with --repository");
    if (status < 0) return failure("cannot open the git repository at " + directory.string());
    return repository;
}

WorkingTree::WorkingTree(Owned<git_repository> repository)
    : repository_(std::move(repository)), configuration_(configuration()) {}

WorkingTree::FileStamp WorkingTree::stamp(const std::string& path) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) return {};
    return {nanoseconds(info.st_mtim), nanoseconds(info.st_ctim), info.st_size, info.st_ino};
}

// libgit2 reads these once per handle; the repository's inode tells it from a new one at the same path.
WorkingTree::Stamps WorkingTree::configuration() const {
    Stamps stamps;
    const auto add = [&](std::string path) { stamps.emplace_back(path, stamp(path)); };
    add(std::string(git_repository_commondir(repository_.get())) + "config");
    std::array<int (*)(git_buf*), 3> finders{git_config_find_global, git_config_find_xdg, git_config_find_system};
    for (const auto find : finders) {
        Buffer path;
        if (find(&path) == 0) add(std::string(path.view()));
    }
    FileStamp folder = stamp(git_repository_path(repository_.get()));
    stamps.emplace_back(git_repository_path(repository_.get()), FileStamp{0, 0, 0, folder.inode});
    return stamps;
}

bool WorkingTree::outdated() const { return configuration() != configuration_; }

bool WorkingTree::head_tree(git_oid& id) const {
    Owned<git_object> tree;
    if (git_revparse_single(out(tree), repository_.get(), "HEAD^{tree}") < 0) return false;
    id = *git_object_id(tree.get());
    return true;
}

Result<WorkingTree::Written> WorkingTree::write(Mirror& mirror, const Mirror::Lease& lease) {
    std::vector<std::string> nested;
    CICD_TRY(auto all, files(lease.odb(), nested));
    Owned<git_odb> theirs;
    if (git_repository_odb(out(theirs), repository_.get()) < 0) return failure("cannot open the repository's objects");
    Importer importer(mirror, lease.odb(), theirs.get(),
                      fs::path(git_repository_commondir(repository_.get())) / "objects");
    Written written;
    TreeWriter plain(all);
    written.plain = plain.id();
    git_oid head{};
    written.dirty = !head_tree(head) ? !all.empty() : git_oid_equal(&head, &written.plain) == 0;
    CICD_CHECK(plain.write(mirror, importer, lease.odb()));
    written.tree = written.plain;
    if (nested.empty()) return written;

    for (const auto& path : nested) {
        const std::string directory = root() + path;
        auto& tree = nested_[path];
        if (!tree || tree->outdated()) {
            CICD_TRY(auto repository, open(directory));
            tree = std::make_unique<WorkingTree>(std::move(repository));
        }
        CICD_TRY(const auto inner, tree->write(mirror, lease));
        if (inner.dirty) written.dirty = true;
        std::erase_if(all, [&](const TreeFile& file) { return file.path == path; });
        all.push_back({path + "/", GIT_FILEMODE_TREE, inner.tree});
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    TreeWriter whole(all);
    written.tree = whole.id();
    CICD_CHECK(whole.write(mirror, importer, lease.odb()));
    return written;
}

namespace {

struct Change {
    bool removed = false;
    git_filemode_t mode = GIT_FILEMODE_BLOB;
};

bool is_repository(const std::string& directory) {
    struct stat info{};
    return ::lstat((directory + "/.git").c_str(), &info) == 0;
}

/// What differs between index and disk, by path. Folders (nested repositories) end in "/".
Result<std::map<std::string, Change>> differences(git_repository* repository, git_index* index) {
    git_diff_options options = GIT_DIFF_OPTIONS_INIT;
    options.flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS | GIT_DIFF_INCLUDE_TYPECHANGE |
                    GIT_DIFF_INCLUDE_UNREADABLE;
    options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
    Owned<git_diff> diff;
    if (git_diff_index_to_workdir(out(diff), repository, index, &options) < 0)
        return failure("cannot compare the working tree with the index");
    std::map<std::string, Change> changes;
    for (std::size_t i = 0; i < git_diff_num_deltas(diff.get()); ++i) {
        const git_diff_delta& delta = *git_diff_get_delta(diff.get(), i);
        const auto mode = static_cast<git_filemode_t>(delta.new_file.mode);
        switch (delta.status) {
            case GIT_DELTA_DELETED: changes.try_emplace(delta.old_file.path, Change{true, GIT_FILEMODE_BLOB}); break;
            case GIT_DELTA_UNREADABLE:
                return unreadable(delta.new_file.path ? delta.new_file.path : delta.old_file.path, EACCES);
            case GIT_DELTA_ADDED:
            case GIT_DELTA_MODIFIED:
            case GIT_DELTA_TYPECHANGE:
            case GIT_DELTA_UNTRACKED: changes[delta.new_file.path] = {false, mode}; break;
            case GIT_DELTA_UNMODIFIED:
            case GIT_DELTA_RENAMED:
            case GIT_DELTA_COPIED:
            case GIT_DELTA_IGNORED:
            case GIT_DELTA_CONFLICTED: break;
        }
    }
    return changes;
}

/// Mode of what is on disk; nothing where there is no file or link.
std::optional<git_filemode_t> mode_on_disk(const std::string& path) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
    if (S_ISLNK(info.st_mode)) return GIT_FILEMODE_LINK;
    if (S_ISDIR(info.st_mode)) return GIT_FILEMODE_TREE;
    if (!S_ISREG(info.st_mode)) return std::nullopt;
    return (info.st_mode & S_IXUSR) != 0 ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
}

}  // namespace

Result<std::vector<TreeFile>> WorkingTree::files(git_odb* ours, std::vector<std::string>& nested) {
    Owned<git_index> index;
    if (git_repository_index(out(index), repository_.get()) < 0 || git_index_read(index.get(), 0) < 0)
        return failure("cannot read the index of " + root());
    CICD_TRY(auto changes, differences(repository_.get(), index.get()));
    std::vector<TreeFile> all;
    const std::size_t count = git_index_entrycount(index.get());
    all.reserve(count + changes.size());
    for (std::size_t i = 0; i < count; ++i) {
        const git_index_entry& entry = *git_index_get_byindex(index.get(), i);
        const std::string path = entry.path;
        if (git_index_entry_stage(&entry) != 0) {
            // A conflict: what counts is the file as it lies there, with its markers.
            const auto mode = mode_on_disk(root() + path);
            if (mode && *mode != GIT_FILEMODE_TREE) changes[path] = {false, *mode};
            continue;
        }
        if (entry.mode == GIT_FILEMODE_COMMIT) {
            TreeFile link{path, GIT_FILEMODE_COMMIT, entry.id};
            if (is_repository(root() + path)) {
                nested.push_back(path);
                Owned<git_repository> inner;
                if (git_repository_open(out(inner), (root() + path).c_str()) == 0) {
                    git_oid head;
                    if (git_reference_name_to_id(&head, inner.get(), "HEAD") == 0) link.id = head;
                }
                changes.erase(path);
            } else if (!fs::exists(root() + path)) {
                continue;  // Removed, as git sees it.
            }
            all.push_back(std::move(link));
            continue;
        }
        const auto change = changes.find(path);
        if (change == changes.end())
            all.push_back({path, static_cast<git_filemode_t>(entry.mode), entry.id});
        else if (change->second.removed && (entry.flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) != 0)
            all.push_back({path, static_cast<git_filemode_t>(entry.mode), entry.id});  // Sparse checkout.
    }
    for (const auto& [path, change] : changes) {
        if (change.removed) continue;
        if (path.ends_with('/') || change.mode == GIT_FILEMODE_COMMIT || change.mode == GIT_FILEMODE_TREE) {
            const std::string folder = path.substr(0, path.find_last_not_of('/') + 1);
            if (is_repository(root() + folder)) nested.push_back(folder);
            continue;
        }
        CICD_TRY(const auto id, keep_file(ours, path, change.mode));
        all.push_back({path, change.mode, id});
    }
    if (!changes.empty() || !nested.empty())
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return all;
}

Result<git_oid> WorkingTree::keep_file(git_odb* ours, const std::string& path, git_filemode_t mode) {
    const std::string full = root() + path;
    const std::int64_t started = now_ns();
    const FileStamp before = stamp(full);
    if (const auto known = known_.find(path); known != known_.end() && known->second.stamp == before &&
                                              git_odb_exists_ext(ours, &known->second.id, GIT_ODB_LOOKUP_NO_REFRESH) != 0)
        return known->second.id;
    git_oid id;
    if (mode == GIT_FILEMODE_LINK) {
        std::error_code error;
        const std::string target = fs::read_symlink(full, error).string();
        if (error) return unreadable(path, error.value());
        if (git_odb_write(&id, ours, target.data(), target.size(), GIT_OBJECT_BLOB) < 0)
            return failure("cannot keep " + path);
        return id;
    }
    CICD_TRY(id, keep_content(ours, path, full, before.size));
    // A file written a moment ago could change again without its times showing it.
    if (std::max(before.mtime_ns, before.ctime_ns) + 2 * second < started && stamp(full) == before)
        known_[path] = {before, id};
    return id;
}

Result<git_oid> WorkingTree::keep_content(git_odb* ours, const std::string& path, const std::string& full,
                                          std::int64_t size) {
    const File file(full);
    if (file.fd() < 0) return unreadable(path, errno);
    Owned<git_filter_list> filters;
    if (git_filter_list_load(out(filters), repository_.get(), nullptr, path.c_str(), GIT_FILTER_TO_ODB,
                             GIT_FILTER_DEFAULT) < 0)
        return failure("cannot filter " + path);
    git_oid id;
    std::string content;
    std::array<char, 1 << 16> chunk{};
    if (!filters && size > stream_size) {
        git_odb_stream* stream = nullptr;
        if (git_odb_open_wstream(&stream, ours, size, GIT_OBJECT_BLOB) < 0) return failure("cannot keep " + path);
        const std::unique_ptr<git_odb_stream, void (*)(git_odb_stream*)> owner(stream, git_odb_stream_free);
        for (ssize_t n = 0; (n = ::read(file.fd(), chunk.data(), chunk.size())) != 0;) {
            if (n < 0) return unreadable(path, errno);
            if (git_odb_stream_write(stream, chunk.data(), static_cast<std::size_t>(n)) < 0)
                return failure("cannot keep " + path, "it changed while it was read: try again");
        }
        if (git_odb_stream_finalize_write(&id, stream) < 0)
            return failure("cannot keep " + path, "it changed while it was read: try again");
        return id;
    }
    content.reserve(static_cast<std::size_t>(size));
    for (ssize_t n = 0; (n = ::read(file.fd(), chunk.data(), chunk.size())) != 0;) {
        if (n < 0) return unreadable(path, errno);
        content.append(chunk.data(), static_cast<std::size_t>(n));
    }
    std::string_view bytes = content;
    Buffer filtered;
    if (filters) {
        if (git_filter_list_apply_to_buffer(&filtered, filters.get(), content.data(), content.size()) < 0)
            return failure("cannot filter " + path);
        bytes = filtered.view();
    }
    if (git_odb_write(&id, ours, bytes.data(), bytes.size(), GIT_OBJECT_BLOB) < 0) return failure("cannot keep " + path);
    return id;
}

}  // namespace cicd::git
