#pragma once

#include "common/base/result.hpp"
#include "daemon/git/source.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// Sources checked out once, as read-only trees below every job's own layer. Everything here blocks.
///   trees/<tree>/files   the tree, or what it changes of another one (then with whiteouts, as overlayfs knows them)
///   trees/<tree>/facts   made in which boot, of which repository, how large, above which tree; its mtime: last used
/// A tree appears by rename, whole. Whoever uses one holds a shared flock on its folder; without, it may go.
namespace cicd::zones {

class Trees {
public:
    explicit Trees(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// While it lives, the layers stay.
    struct Use {
        std::vector<std::string> layers;  ///< uppermost first
        std::vector<os::Fd> locks;
    };
    /// Whether `use` would find the source's tree made.
    [[nodiscard]] bool has(const model::Source& source) const { return has(source.tree); }
    [[nodiscard]] bool has(const std::string& key) const;
    /// The tree of the source, made where it is not there. `layered`: it may be the changes to another one of the same
    /// repository, so that an edit costs what it changed. Jobs that use it at once share one.
    Result<std::shared_ptr<const Use>> use(const model::Source& source, git::Sources& sources, bool layered);

    /// Something else that is made once, by `fill` into an empty folder. `key` becomes a file's name.
    Result<std::shared_ptr<const Use>> use(const std::string& key, const std::function<Result<git::Extent>(const std::filesystem::path&)>& fill);

private:
    struct Facts {
        std::string boot, repository, base;
        std::uint64_t files = 0, bytes = 0;
    };
    [[nodiscard]] Result<Facts> read_facts(const std::string& tree) const;
    std::shared_ptr<const Use> hold(const std::string& tree, bool layered);
    using Fill = std::function<Result<Facts>(const std::filesystem::path& files)>;
    Result<std::shared_ptr<const Use>> use_made(const std::string& key, bool layered, const Fill& fill);
    Result<void> make(const std::string& key, const Fill& fill);
    Result<Facts> fill(const model::Source& source, git::Sources& sources, const std::filesystem::path& files, bool layered);
    std::string latest_whole(const std::string& repository);

    std::filesystem::path folder_;
    std::mutex mutex_;   ///< of the maps
    std::mutex making_;  ///< one tree at a time: the second asks for what the first one makes, mostly
    std::map<std::string, std::weak_ptr<const Use>> used_;
    std::map<std::string, std::string> latest_;  ///< repository → tree that is whole
};

/// With its parents; one that is there is fine.
Result<void> make_folder(const std::filesystem::path& path);

/// Removes trees that no job uses, those unused for the longest time first, until what is left fits both limits; and
/// what a crash left half-made. Sizes are known without looking at the files. Returns the bytes removed.
Result<std::uint64_t> trim_trees(const std::filesystem::path& state, std::uint64_t bytes, std::size_t count);

}  // namespace cicd::zones
