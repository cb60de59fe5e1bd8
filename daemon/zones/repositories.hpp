#pragma once

#include "daemon/git/source.hpp"
#include "daemon/zones/trees.hpp"

#include <memory>

namespace cicd::zones {

/// The `.git` of a workspace: the source's commit with so much history (0: all, with branches and tags), checked out. Made once by
/// the machine's git, kept as trees are, and a layer of each workspace. `files`: where the source's files lie, for the index to
/// know them; empty: nowhere as a whole.
Result<std::shared_ptr<const Trees::Use>> use_repository(Trees& trees, git::Sources& sources, const model::Source& source, int depth,
                                                         const std::string& files);

bool has_repository(const Trees& trees, const model::Source& source, int depth);

}  // namespace cicd::zones
