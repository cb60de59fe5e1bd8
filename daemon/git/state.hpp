#pragma once

#include "daemon/git/source.hpp"
#include "daemon/git/working_tree.hpp"

#include <map>

namespace cicd::git {

/// What is kept open between calls: mirrors by repository, working trees by folder.
struct Sources::State {
    explicit State(std::filesystem::path folder) : mirrors(std::move(folder)) {}

    Mirror& mirror(const std::string& repository);
    /// The working tree at or above a folder, opened or taken from before. Lock its mutex before use.
    Result<std::shared_ptr<WorkingTree>> working_tree(const std::filesystem::path& directory);

    std::filesystem::path mirrors;
    std::mutex mutex;
    std::map<std::string, std::unique_ptr<Mirror>> open_mirrors;
    std::map<std::string, std::shared_ptr<WorkingTree>> open_trees;
};

/// Whether the text names a repository elsewhere: "https://…", "git@host:path".
bool is_url(const std::string& repository);
/// "cicd" of "/home/me/cicd/", "https://host/group/cicd.git".
std::string short_name(const std::string& repository);
/// The first line of a commit's message, its author and its id.
void describe_commit(git_commit* commit, model::Source& source);
/// The tree a source names, read from its mirror.
Result<Owned<git_tree>> source_tree(git_repository* mirror, const model::Source& source);

/// A local repository, or an error that says what to give instead.
Result<Owned<git_repository>> open_local(const std::string& repository);

}  // namespace cicd::git
