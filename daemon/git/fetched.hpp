#pragma once

#include "common/model/plan.hpp"

namespace cicd::git {

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
