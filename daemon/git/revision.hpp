#pragma once

#include "daemon/git/state.hpp"

namespace cicd::git {

/// Where names are looked up: a user's repository has its own branches, a mirror has those of its origin.
struct Resolved {
    Owned<git_commit> commit;
    std::string branch, tag;
};
Result<Resolved> resolve_revision(git_repository* repository, const Revision& revision, const std::string& shown);
/// Any name of a commit: a branch (also of origin), a tag, an id. Says which names are near.
Result<Owned<git_commit>> resolve_base(git_repository* repository, const std::string& base);
/// A submodule's URL, after `./` and `../` are taken from that of the repository it is in.
std::string absolute_url(const std::string& url, const std::string& repository);

/// The history that a source belongs to: the user's repository, or the mirror of a URL; the mirror's objects are
/// visible through it, too.
Result<Owned<git_repository>> open_history(Sources::State& state, const model::Source& source);

}  // namespace cicd::git
