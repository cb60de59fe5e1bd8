#pragma once

#include "daemon/git/libgit.hpp"

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace cicd::git {

/// Our own bare repository that keeps the objects of one repository of the user's. Thread-safe; several processes may
/// use it at once, as objects appear by rename and link only.
class Mirror {
public:
    explicit Mirror(std::filesystem::path path) : path_(std::move(path)) {}

    /// A handle for one thread's use, back in the pool when it goes.
    class Lease {
    public:
        Lease(Mirror& mirror, Owned<git_repository> repository, Owned<git_odb> odb)
            : mirror_(&mirror), repository_(std::move(repository)), odb_(std::move(odb)) {}
        Lease(Lease&&) noexcept = default;
        Lease& operator=(Lease&&) = delete;
        ~Lease();
        [[nodiscard]] git_repository* repository() const { return repository_.get(); }
        [[nodiscard]] git_odb* odb() const { return odb_.get(); }

    private:
        Mirror* mirror_;
        Owned<git_repository> repository_;
        Owned<git_odb> odb_;
    };
    /// Creates the repository where it is missing (`create`).
    Result<Lease> lease(bool create);

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path objects() const { return path_ / "objects"; }

    /// Trees known to be here with all that they name. Held in memory only: what a killed process left half-way is
    /// looked through again.
    bool is_complete(const git_oid& tree);
    void mark_complete(const git_oid& tree);
    void forget_complete();

private:
    struct Handle {
        Owned<git_repository> repository;
        Owned<git_odb> odb;
    };
    std::filesystem::path path_;
    std::mutex mutex_;
    std::once_flag swept_;
    std::vector<Handle> idle_;
    std::unordered_set<git_oid, OidHash, OidEqual> complete_;
};

/// Brings objects from another object database to a mirror. What can be is linked or copied as a file, else rewritten.
class Importer {
public:
    Importer(Mirror& mirror, git_odb* ours, git_odb* theirs, std::filesystem::path their_objects)
        : mirror_(mirror), ours_(ours), theirs_(theirs), their_objects_(std::move(their_objects)) {}

    [[nodiscard]] bool have(const git_oid& id) const {
        return git_odb_exists_ext(ours_, &id, GIT_ODB_LOOKUP_NO_REFRESH) != 0;
    }
    /// One object, without what it names. False: it is not in their database either.
    Result<bool> object(const git_oid& id);
    /// A tree with all that it names; `gitlinks` stay as they are.
    Result<void> tree(const git_oid& id);

private:
    Result<bool> rewrite(const git_oid& id);
    void take_packs();

    Mirror& mirror_;
    git_odb* ours_;
    git_odb* theirs_;
    std::filesystem::path their_objects_;
    int taken_ = 0;
    bool packs_taken_ = false;
};

/// Fails with not_found-like words for an id that is no object id.
Result<git_oid> parse_oid(const std::string& hex);

}  // namespace cicd::git
