#include "daemon/git/revision.hpp"

#include <algorithm>
#include <set>

namespace cicd::git {

namespace {

/// The tree as git would call it: with submodules as links again.
git_oid plain_tree(Sources::State& state, const model::Source& source, const git_oid& tree) {
    git_oid plain;
    if (const auto lease = state.mirror(source.repository).lease(false);
        lease && git_reference_name_to_id(&plain, lease->repository(), ("refs/cicd/plain/" + source.tree).c_str()) == 0)
        return plain;
    return tree;
}

}  // namespace

Result<std::vector<std::string>> Sources::changed_paths(const model::Source& source, const std::string& base,
                                                        bool merge_base) {
    initialize();
    CICD_TRY(const auto repository, open_history(*state_, source));
    CICD_TRY(const auto commit, resolve_base(repository.get(), base));
    git_oid from = *git_commit_id(commit.get());
    if (merge_base && !source.commit.empty()) {
        CICD_TRY(const auto head, parse_oid(source.commit));
        const int status = git_merge_base(&from, repository.get(), git_commit_id(commit.get()), &head);
        if (status == GIT_ENOTFOUND)
            return invalid("SOURCE_002", "'" + base + "' and " + source.commit.substr(0, 12) + " have no common history");
        if (status < 0) return failure("cannot find where the branch left '" + base + "'");
    }
    Owned<git_commit> start;
    Owned<git_tree> before, after;
    CICD_TRY(const auto tree, parse_oid(source.tree));
    const git_oid plain = plain_tree(*state_, source, tree);
    if (git_commit_lookup(out(start), repository.get(), &from) < 0 || git_commit_tree(out(before), start.get()) < 0 ||
        git_tree_lookup(out(after), repository.get(), &plain) < 0)
        return failure("cannot read the trees to compare");
    git_diff_options options = GIT_DIFF_OPTIONS_INIT;
    options.ignore_submodules = GIT_SUBMODULE_IGNORE_NONE;
    Owned<git_diff> diff;
    if (git_diff_tree_to_tree(out(diff), repository.get(), before.get(), after.get(), &options) < 0)
        return failure("cannot compare with '" + base + "'");
    std::set<std::string> paths;
    for (std::size_t i = 0; i < git_diff_num_deltas(diff.get()); ++i) {
        const git_diff_delta& delta = *git_diff_get_delta(diff.get(), i);
        if (delta.old_file.path) paths.insert(delta.old_file.path);
        if (delta.new_file.path) paths.insert(delta.new_file.path);
    }
    return std::vector<std::string>(paths.begin(), paths.end());
}

Result<std::optional<std::string>> Sources::default_base(const model::Source& source) {
    initialize();
    CICD_TRY(const auto repository, open_history(*state_, source));
    if (!source.branch.empty() && !is_url(source.repository)) {
        Buffer upstream;
        git_oid id;
        if (git_branch_upstream_name(&upstream, repository.get(), ("refs/heads/" + source.branch).c_str()) == 0 &&
            git_reference_name_to_id(&id, repository.get(), upstream.ptr) == 0)
            return std::optional(to_hex(id));
    }
    // Uncommitted changes are what a push would add to the commit they lie on.
    if (source.dirty && !source.commit.empty()) return std::optional(source.commit);
    if (source.base_commit.empty()) return std::optional<std::string>{};
    return std::optional(source.base_commit);
}

std::string Sources::default_branch(const model::Source& source) {
    initialize();
    const auto repository = open_history(*state_, source);
    if (!repository) return source.branch;
    Owned<git_reference> head;
    const std::string remote = "refs/remotes/origin/";
    if (git_reference_lookup(out(head), repository->get(), (remote + "HEAD").c_str()) == 0 && git_reference_type(head.get()) == GIT_REFERENCE_SYMBOLIC)
        if (const std::string target = git_reference_symbolic_target(head.get()); target.starts_with(remote)) return target.substr(remote.size());
    for (const std::string name : {"main", "master"})
        for (const auto& folder : {std::string("refs/heads/"), remote}) {
            git_oid id;
            if (git_reference_name_to_id(&id, repository->get(), (folder + name).c_str()) == 0) return name;
        }
    return source.branch;
}

}  // namespace cicd::git
