#pragma once

#include "common/model/plan.hpp"

namespace cicd::git {

/// The code of an error that says that a server cannot be talked to: none of its repositories can be had.
inline constexpr const char* server_unreachable = "SOURCE_009";

/// The files of an action's repository at its commit.
inline model::Source source_of(const model::FetchedAction& action) {
    model::Source source;
    source.name = action.name + "@" + action.ref;
    source.repository = action.repository;
    source.commit = action.commit;
    source.tree = action.tree;
    return source;
}

}  // namespace cicd::git
