#pragma once

#include "daemon/objects/manifest.hpp"
#include "daemon/objects/object_store.hpp"

#include <string>
#include <vector>

/// From a folder to a manifest and back. The folder may hold anything and lead anywhere: everything is reached by open
/// folders, one name at a time, and no link is followed.
namespace cicd::objects {

struct Selection {
    std::vector<std::string> paths;    ///< globs; a folder stands for all below it; `!` before one excludes
    std::vector<std::string> exclude;
};

struct SaveOptions {
    Durability durability = Durability::lasting;
    bool times = false;          ///< of files, too
    bool any_name = false;       ///< names with control characters or no valid UTF-8 are kept, not refused
    bool may_link = false;       ///< nobody changes the files any more: they may become objects
    int layer = -1;              ///< of an overlay: the folder where files that were changed really are; -1: there is none
};

struct SavedTree {
    std::string digest;
    std::uint64_t size = 0, files = 0, entries = 0;
    std::vector<std::string> notes;  ///< what was left out, and why
};
/// Nothing is selected: `entries` is 0 and there is no digest.
Result<SavedTree> save_tree(const ObjectStore& store, int folder, const Selection& selection, const SaveOptions& options);

Result<Manifest> read_manifest(const ObjectStore& store, const std::string& digest);
/// Files that are there are replaced, folders stay. Fails where something else is in the way.
Result<void> restore_tree(const ObjectStore& store, const Manifest& manifest, int folder);

}  // namespace cicd::objects
