#pragma once

#include "daemon/git/mirror.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace cicd::git {

/// One path of a tree to be: a file, a symbolic link or a submodule's commit.
struct TreeFile {
    std::string path;
    git_filemode_t mode = GIT_FILEMODE_BLOB;
    git_oid id{};
};

/// A user's repository, opened for reading and kept open. One thread at a time: hold `mutex`.
class WorkingTree {
public:
    /// At or above `directory`; fails with SOURCE_001 where there is none, or no working tree.
    static Result<Owned<git_repository>> open(const std::filesystem::path& directory);

    explicit WorkingTree(Owned<git_repository> repository);

    /// The tree as it is, with all objects in the mirror. `plain` has submodules as commits, as git itself would write it.
    struct Written {
        git_oid tree, plain;
        bool dirty = false;
    };
    Result<Written> write(Mirror& mirror, const Mirror::Lease& lease);

    [[nodiscard]] git_repository* repository() const { return repository_.get(); }
    [[nodiscard]] std::string root() const { return git_repository_workdir(repository_.get()); }
    /// Whether configuration changed, or another repository stands at this place now: then it must be opened anew.
    [[nodiscard]] bool outdated() const;

    std::mutex mutex;

private:
    struct FileStamp {
        std::int64_t mtime_ns = 0, ctime_ns = 0, size = 0;
        std::uint64_t inode = 0;
        bool operator==(const FileStamp&) const = default;
    };
    struct Known {
        FileStamp stamp;
        git_oid id;
    };
    using Stamps = std::vector<std::pair<std::string, FileStamp>>;

    Result<std::vector<TreeFile>> files(git_odb* ours, std::vector<std::string>& nested);
    Result<git_oid> keep_file(git_odb* ours, const std::string& path, git_filemode_t mode);
    Result<git_oid> keep_content(git_odb* ours, const std::string& path, const std::string& full, std::int64_t size);
    [[nodiscard]] bool head_tree(git_oid& id) const;
    [[nodiscard]] Stamps configuration() const;
    static FileStamp stamp(const std::string& path);

    Owned<git_repository> repository_;
    Stamps configuration_;
    std::unordered_map<std::string, Known> known_;
    std::map<std::string, std::unique_ptr<WorkingTree>> nested_;
};

}  // namespace cicd::git
