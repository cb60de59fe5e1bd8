#include "daemon/git/source.hpp"

#include "common/base/text.hpp"
#include "daemon/git/state.hpp"

#include <algorithm>
#include <array>

namespace cicd::git {

namespace fs = std::filesystem;

namespace {

constexpr git_object_size_t readable_size = 1 << 20;

/// "cicd-0123456789abcdef.git": told apart by the whole path or URL, readable by its name.
std::string mirror_name(const std::string& repository) {
    std::string name;
    for (const char c : short_name(repository))
        name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '_';
    return name.substr(0, 60) + "-" + name_of(repository).substr(0, 16) + ".git";
}

void describe_head(git_repository* repository, model::Source& source) {
    Owned<git_reference> head;
    if (git_reference_lookup(out(head), repository, "HEAD") == 0 &&
        git_reference_type(head.get()) == GIT_REFERENCE_SYMBOLIC) {
        const std::string target = git_reference_symbolic_target(head.get());
        if (target.starts_with("refs/heads/")) source.branch = target.substr(11);
    }
    Owned<git_object> commit;
    if (git_revparse_single(out(commit), repository, "HEAD^{commit}") == 0)
        describe_commit(reinterpret_cast<git_commit*>(commit.get()), source);
}

}  // namespace

std::string name_of(const std::string& text) {
    initialize();
    git_oid hash;
    git_odb_hash(&hash, text.data(), text.size(), GIT_OBJECT_BLOB);
    return to_hex(hash);
}

bool is_url(const std::string& repository) {
    if (repository.find("://") != std::string::npos) return true;
    const auto colon = repository.find(':');
    return colon != std::string::npos && colon > 0 && repository.find('/') > colon;
}

std::string short_name(const std::string& repository) {
    std::string_view text = repository;
    while (text.ends_with('/')) text.remove_suffix(1);
    if (text.ends_with("/.git")) text.remove_suffix(5);
    if (text.ends_with(".git")) text.remove_suffix(4);
    const auto start = text.find_last_of("/:");
    if (start != std::string_view::npos) text.remove_prefix(start + 1);
    return text.empty() ? "repository" : std::string(text);
}

void describe_commit(git_commit* commit, model::Source& source) {
    source.commit = to_hex(*git_commit_id(commit));
    if (const char* summary = git_commit_summary(commit)) source.message = to_valid_utf8(summary);
    if (const git_signature* author = git_commit_author(commit)) {
        source.author = to_valid_utf8(author->name ? author->name : "");
        source.author_email = to_valid_utf8(author->email ? author->email : "");
    }
    if (git_commit_parentcount(commit) > 0) source.base_commit = to_hex(*git_commit_parent_id(commit, 0));
}

Result<Owned<git_tree>> source_tree(git_repository* mirror, const model::Source& source) {
    CICD_TRY(const git_oid id, parse_oid(source.tree));
    Owned<git_tree> tree;
    if (git_tree_lookup(out(tree), mirror, &id) < 0)
        return not_found("SOURCE_004", "the source " + source.tree.substr(0, 12) + " of " + source.repository +
                                           " is no longer kept", "start a new run");
    return tree;
}

Sources::Sources(fs::path mirrors) : state_(std::make_shared<State>(std::move(mirrors))) {}

void Sources::warm_up() { initialize(); }

Mirror& Sources::State::mirror(const std::string& repository) {
    initialize();
    const std::lock_guard lock(mutex);
    auto& mirror = open_mirrors[repository];
    if (!mirror) mirror = std::make_unique<Mirror>(mirrors / mirror_name(repository));
    return *mirror;
}

Result<std::shared_ptr<WorkingTree>> Sources::State::working_tree(const fs::path& directory) {
    {
        const std::lock_guard lock(mutex);
        const auto found = open_trees.find(directory.string());
        if (found != open_trees.end() && !found->second->outdated()) return found->second;
    }
    CICD_TRY(auto repository, WorkingTree::open(directory));
    if (git_repository_is_bare(repository.get()) != 0)
        return invalid("SOURCE_001", directory.string() + " is a bare repository: it has no working tree",
                       "name a revision, for example with --branch");
    const std::string root = git_repository_workdir(repository.get());
    auto tree = std::make_shared<WorkingTree>(std::move(repository));
    const std::lock_guard lock(mutex);
    // One working tree reached through several folders is still one, with one lock.
    auto& at_root = open_trees[root];
    if (!at_root || at_root->outdated()) at_root = tree;
    tree = at_root;
    open_trees[directory.string()] = tree;
    return tree;
}

namespace {

/// Where `origin` leads, without credentials.
std::string remote_of(git_repository* repository) {
    Owned<git_remote> remote;
    if (git_remote_lookup(out(remote), repository, "origin") < 0) return "";
    const char* known = git_remote_url(remote.get());
    std::string url = known ? known : "";
    const auto scheme = url.find("://");
    if (scheme == url.npos) return url;
    const auto at = url.find('@', scheme), slash = url.find('/', scheme + 3);
    if (at != url.npos && at < slash) url.erase(scheme + 3, at - scheme - 2);
    return url;
}

}  // namespace

Result<model::Source> Sources::snapshot(const fs::path& directory) {
    initialize();
    std::error_code error;
    const fs::path absolute = fs::absolute(directory, error).lexically_normal();
    CICD_TRY(const auto tree, state_->working_tree(absolute));
    const std::lock_guard lock(tree->mutex);
    model::Source source;
    source.repository = tree->root();
    while (source.repository.size() > 1 && source.repository.ends_with('/')) source.repository.pop_back();
    source.name = short_name(source.repository);
    describe_head(tree->repository(), source);
    source.remote = remote_of(tree->repository());
    Mirror& mirror = state_->mirror(source.repository);
    CICD_TRY(const auto lease, mirror.lease(true));
    CICD_TRY(const auto written, tree->write(mirror, lease));
    source.tree = to_hex(written.tree);
    source.dirty = written.dirty;
    if (git_oid_equal(&written.tree, &written.plain) == 0) {
        // What git would call this tree, for comparing it with others.
        Owned<git_reference> note;
        git_reference_create(out(note), lease.repository(), ("refs/cicd/plain/" + source.tree).c_str(), &written.plain, 1,
                             nullptr);
    }
    return source;
}

Result<fs::path> Sources::holder_of(const model::Source& source) {
    CICD_TRY(const git_oid id, parse_oid(source.commit));
    Mirror& mirror = state_->mirror(source.repository);
    {
        CICD_TRY(const auto lease, mirror.lease(false));
        Owned<git_commit> commit;
        if (git_commit_lookup(out(commit), lease.repository(), &id) == 0) return mirror.path();
    }
    if (source.repository.starts_with('/')) return fs::path(source.repository);
    return not_found("SOURCE_004", "the commit " + source.commit.substr(0, 12) + " of " + source.repository + " is no longer kept", "start a new run");
}

Result<std::string> Sources::read_file(const model::Source& source, const std::string& path) {
    Mirror& mirror = state_->mirror(source.repository);
    CICD_TRY(const auto lease, mirror.lease(false));
    CICD_TRY(const auto tree, source_tree(lease.repository(), source));
    std::string relative = fs::path(path).lexically_normal().string();
    if (relative.starts_with("/") || relative.starts_with("..")) relative = path;
    Owned<git_tree_entry> entry;
    if (git_tree_entry_bypath(out(entry), tree.get(), relative.c_str()) < 0)
        return not_found("SOURCE_003", "there is no file " + path + " in " + source.name);
    Owned<git_blob> blob;
    if (git_tree_entry_type(entry.get()) != GIT_OBJECT_BLOB || git_tree_entry_filemode(entry.get()) == GIT_FILEMODE_LINK ||
        git_blob_lookup(out(blob), lease.repository(), git_tree_entry_id(entry.get())) < 0)
        return not_found("SOURCE_003", path + " in " + source.name + " is no regular file");
    if (static_cast<git_object_size_t>(git_blob_rawsize(blob.get())) > readable_size)
        return invalid("SOURCE_003", path + " is larger than 1 MiB");
    return std::string(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                       static_cast<std::size_t>(git_blob_rawsize(blob.get())));
}

Result<std::vector<std::string>> Sources::list(const model::Source& source, const std::string& folder) {
    Mirror& mirror = state_->mirror(source.repository);
    CICD_TRY(const auto lease, mirror.lease(false));
    CICD_TRY(auto tree, source_tree(lease.repository(), source));
    std::string relative = folder;
    while (relative.ends_with('/')) relative.pop_back();
    if (!relative.empty() && relative != ".") {
        Owned<git_tree_entry> entry;
        Owned<git_tree> inner;
        if (git_tree_entry_bypath(out(entry), tree.get(), relative.c_str()) < 0 ||
            git_tree_entry_type(entry.get()) != GIT_OBJECT_TREE ||
            git_tree_lookup(out(inner), lease.repository(), git_tree_entry_id(entry.get())) < 0)
            return std::vector<std::string>{};
        tree = std::move(inner);
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < git_tree_entrycount(tree.get()); ++i)
        names.emplace_back(git_tree_entry_name(git_tree_entry_byindex(tree.get(), i)));
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace cicd::git
