#include "daemon/git/revision.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace cicd::git {

namespace {

/// Short names of all references below a prefix.
std::vector<std::string> names_below(git_repository* repository, const std::string& prefix) {
    std::vector<std::string> names;
    Owned<git_reference_iterator> iterator;
    if (git_reference_iterator_glob_new(out(iterator), repository, (prefix + "*").c_str()) < 0) return names;
    const char* name = nullptr;
    while (git_reference_next_name(&name, iterator.get()) == 0) names.push_back(std::string(name).substr(prefix.size()));
    return names;
}

std::string near(const std::string& word, std::vector<std::string> names) {
    std::string guess = did_you_mean(word, names);
    if (!guess.empty() || names.empty()) return guess;
    if (names.size() > 8) names.resize(8);
    return "there are: " + join(names, ", ");
}

Result<Owned<git_commit>> peel(git_repository* repository, const std::string& spec) {
    Owned<git_object> object;
    const int status = git_revparse_single(out(object), repository, (spec + "^{commit}").c_str());
    if (status == GIT_EAMBIGUOUS)
        return invalid("SOURCE_002", "'" + spec + "' names more than one object", "give more of its digits");
    if (status < 0) return not_found("SOURCE_002", "there is no '" + spec + "'");
    Owned<git_commit> commit;
    if (git_commit_lookup(out(commit), repository, git_object_id(object.get())) < 0) return failure("cannot read " + spec);
    return commit;
}

bool is_commit_id(const std::string& text) {
    return text.size() >= 4 && text.size() <= GIT_OID_HEXSZ &&
           text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

/// "HEAD~2", "main^", "v1.0~3", "main@{1}": what names a commit by another. Searches (":/text", "^{/text}") do not.
bool is_ancestry(std::string_view text) {
    return !text.starts_with('-') && text.size() < 256 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_./~^@{}-").find(c) != std::string_view::npos;
    }) && text.find("{/") == std::string_view::npos;
}

Result<Owned<git_commit>> first_of(git_repository* repository, const std::vector<std::string>& specs, const Error& error) {
    for (const auto& spec : specs)
        if (auto commit = peel(repository, spec)) return commit;
    return error;
}

}  // namespace

Result<Resolved> resolve_revision(git_repository* repository, const Revision& revision, const std::string& shown) {
    const int named = !revision.commit.empty() + !revision.branch.empty() + !revision.tag.empty() + (revision.pull_request > 0);
    if (named > 1)
        return invalid("SOURCE_002", "name only one of commit, branch, tag and pull request");
    Resolved resolved;
    if (!revision.commit.empty()) {
        if (!is_commit_id(revision.commit) && !is_ancestry(revision.commit))
            return invalid("SOURCE_002", "'" + revision.commit + "' is no commit",
                           "give at least 4 digits of its id, or something like HEAD~2");
        auto commit = peel(repository, revision.commit);
        if (!commit)
            return not_found("SOURCE_002", "there is no commit " + revision.commit + " in " + shown, commit.error().hint);
        resolved.commit = std::move(*commit);
    } else if (!revision.branch.empty()) {
        resolved.branch = revision.branch.starts_with("refs/heads/") ? revision.branch.substr(11) : revision.branch;
        const auto missing = not_found("SOURCE_002", "there is no branch '" + resolved.branch + "' in " + shown,
                                       near(resolved.branch, names_below(repository, "refs/heads/")));
        CICD_TRY(resolved.commit, first_of(repository, {"refs/heads/" + resolved.branch,
                                                        "refs/remotes/origin/" + resolved.branch}, missing));
    } else if (!revision.tag.empty()) {
        resolved.tag = revision.tag.starts_with("refs/tags/") ? revision.tag.substr(10) : revision.tag;
        const auto missing = not_found("SOURCE_002", "there is no tag '" + resolved.tag + "' in " + shown,
                                       near(resolved.tag, names_below(repository, "refs/tags/")));
        CICD_TRY(resolved.commit, first_of(repository, {"refs/tags/" + resolved.tag}, missing));
    } else if (!revision.name.empty()) {
        auto names = names_below(repository, "refs/tags/");
        for (const auto& branch : names_below(repository, "refs/heads/")) names.push_back(branch);
        const auto missing = not_found("SOURCE_002", "there is no tag, branch or commit '" + revision.name + "' in " + shown, near(revision.name, names));
        std::vector<std::string> places{"refs/tags/" + revision.name, "refs/heads/" + revision.name};
        if (revision.name.size() == GIT_OID_HEXSZ && is_commit_id(revision.name)) places.insert(places.begin(), revision.name);
        CICD_TRY(resolved.commit, first_of(repository, places, missing));
    } else if (revision.pull_request > 0) {
        const std::string number = std::to_string(revision.pull_request);
        const auto missing = not_found("SOURCE_002", "there is no pull request " + number + " in " + shown,
                                       "its host must offer refs/pull/" + number + "/head or refs/merge-requests/" + number + "/head");
        CICD_TRY(resolved.commit, first_of(repository, {"refs/pull/" + number + "/head", "refs/merge-requests/" + number + "/head",
                                                        "refs/remotes/origin/pull/" + number + "/head"}, missing));
    } else {
        auto commit = peel(repository, "HEAD");
        if (!commit)
            return not_found("SOURCE_002", shown + " has no commits yet",
                             "commit something, or run the working tree as it is");
        resolved.commit = std::move(*commit);
        Owned<git_reference> head;
        if (git_repository_head(out(head), repository) == 0 && git_reference_is_branch(head.get()) != 0)
            resolved.branch = git_reference_shorthand(head.get());
    }
    return resolved;
}

Result<Owned<git_commit>> resolve_base(git_repository* repository, const std::string& base) {
    auto names = names_below(repository, "refs/heads/");
    for (const auto& tag : names_below(repository, "refs/tags/")) names.push_back(tag);
    const auto missing = not_found("SOURCE_002", "the base '" + base + "' is no branch, tag or commit", near(base, names));
    return first_of(repository, {"refs/heads/" + base, "refs/remotes/origin/" + base, "refs/tags/" + base, base}, missing);
}

std::string absolute_url(const std::string& url, const std::string& repository) {
    if (!url.starts_with("./") && !url.starts_with("../")) return url;
    std::string base = repository;
    std::string rest = url;
    while (base.ends_with('/')) base.pop_back();
    while (true) {
        if (rest.starts_with("./")) {
            rest.erase(0, 2);
        } else if (rest.starts_with("../")) {
            rest.erase(0, 3);
            const auto cut = base.find_last_of("/:");
            if (cut == std::string::npos) break;
            base = base.substr(0, base[cut] == ':' ? cut + 1 : cut);
        } else {
            break;
        }
    }
    return base.ends_with(':') ? base + rest : base + "/" + rest;
}

Result<Owned<git_repository>> open_local(const std::string& repository) {
    const std::string path = repository.starts_with("file://") ? repository.substr(7) : repository;
    return WorkingTree::open(path);
}

Result<Owned<git_repository>> open_history(Sources::State& state, const model::Source& source) {
    Mirror& mirror = state.mirror(source.repository);
    Owned<git_repository> repository;
    if (is_url(source.repository)) {
        if (git_repository_open_bare(out(repository), mirror.path().c_str()) < 0)
            return failure("cannot open the mirror of " + source.repository);
        return repository;
    }
    CICD_TRY(repository, open_local(source.repository));
    Owned<git_odb> odb;
    // In memory only: the user's repository is not told.
    if (git_repository_odb(out(odb), repository.get()) < 0 ||
        git_odb_add_disk_alternate(odb.get(), mirror.objects().c_str()) < 0)
        return failure("cannot open the objects of " + source.repository);
    return repository;
}

}  // namespace cicd::git
