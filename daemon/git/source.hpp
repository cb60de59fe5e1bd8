#pragma once

#include "common/base/result.hpp"
#include "common/model/plan.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The only user of libgit2. Everything here blocks: call it on a pool, never on the io thread. Thread-safe.
namespace cicd::git {

/// Which revision of a repository. At most one of commit, branch, tag, pull_request; none: HEAD.
struct Revision {
    std::string commit, branch, tag;
    int pull_request = 0;
    std::string name = {};  ///< instead: a tag, a branch or a whole commit's id, in this order
};

struct FetchOptions {
    /// 0: everything. libgit2 1.5 cannot fetch a part of the history, so for now everything is fetched in any case;
    /// a job sees files only, never history.
    int depth = 0;
    bool pull_requests = true;  ///< their heads, too
    bool only_here = false;  ///< nothing is fetched: what was fetched before counts
    bool submodules = false; ///< their files take the place of the links, also of submodules within
};

/// A name for a text of any kind, such as a file may have.
std::string name_of(const std::string& text);

/// What a checkout wrote.
struct Extent {
    std::uint64_t files = 0, bytes = 0;  ///< bytes in whole blocks
};

/// Sources live in bare mirrors below one folder, so later edits in the user's checkout cannot touch a run.
class Sources {
public:
    explicit Sources(std::filesystem::path mirrors);
    /// What the first use in a process would wait for: some milliseconds.
    static void warm_up();

    /// The working tree at or above `directory` as it is: tracked, staged, unstaged and untracked-but-not-ignored files.
    /// Everything is copied to the mirror's own objects before this returns. Nothing in the user's repository is written.
    Result<model::Source> snapshot(const std::filesystem::path& directory);
    /// A commit of a repository by path or URL: mirrored, fetched, resolved.
    Result<model::Source> resolve(const std::string& repository, const Revision& revision, const FetchOptions& options = {});

    /// One file at that tree; not_found where there is none. At most 1 MiB.
    Result<std::string> read_file(const model::Source& source, const std::string& path);
    /// Names directly in a folder of that tree ("" is its root), sorted; empty where there is no such folder.
    Result<std::vector<std::string>> list(const model::Source& source, const std::string& folder);
    /// Writes the whole tree into an existing empty folder; symbolic links never lead out of it.
    Result<Extent> checkout(const model::Source& source, const std::filesystem::path& destination);
    /// Writes, into an existing empty folder, what makes the source's tree of `base` (a tree's id) when overlayfs lays it
    /// above: a change is a file, a removal a whiteout. Absent where that is more than `at_most` paths, or `base` is gone.
    Result<std::optional<Extent>> checkout_changes(const model::Source& source, const std::string& base,
                                                   const std::filesystem::path& destination, std::size_t at_most);

    /// Paths that differ between a base (branch, tag or commit; its merge base for a pull request) and the source's tree.
    Result<std::vector<std::string>> changed_paths(const model::Source& source, const std::string& base, bool merge_base);
    /// The base that a push is compared with when none is named: the upstream branch, else the commit before.
    Result<std::optional<std::string>> default_base(const model::Source& source);
    /// The branch that a pull request most likely asks for when none is named: what `origin` calls its HEAD, else main or
    /// master, else the source's own.
    std::string default_branch(const model::Source& source);

    /// A repository on this machine that has the source's commit: the mirror, or where the user works.
    Result<std::filesystem::path> holder_of(const model::Source& source);

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace cicd::git
