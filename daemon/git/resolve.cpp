#include "daemon/git/fetched.hpp"
#include "daemon/git/reach.hpp"
#include "daemon/git/revision.hpp"
#include "daemon/git/tree_writer.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

/// Commits of repositories here and elsewhere. A local one is read where it is, and only the files of the commit are
/// kept; one elsewhere is mirrored with its history.
namespace cicd::git {

namespace fs = std::filesystem;

namespace {

/// Submodules within submodules, at most.
constexpr int deepest = 10;
constexpr Milliseconds longest_connect{10'000};

/// The ways to say who we are, in turn: the ssh agent, the key files, a user in the URL. Never asks.
struct Credentials {
    int tried = 0;
};

int give_credentials(git_credential** credential, const char*, const char* user, unsigned int allowed, void* payload) {
    auto& state = *static_cast<Credentials*>(payload);
    const char* name = user ? user : "git";
    if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(credential, name);
    if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0) {
        const int turn = state.tried++;
        if (turn == 0) return git_credential_ssh_key_from_agent(credential, name);
        const char* home = std::getenv("HOME");
        static constexpr std::array<const char*, 3> files{"id_ed25519", "id_ecdsa", "id_rsa"};
        if (home && turn <= static_cast<int>(files.size())) {
            const std::string key = std::string(home) + "/.ssh/" + files[static_cast<std::size_t>(turn - 1)];
            return git_credential_ssh_key_new(credential, name, (key + ".pub").c_str(), key.c_str(), nullptr);
        }
    }
    git_error_set_str(GIT_ERROR_NET, "the repository asks for credentials, and none fit");
    return GIT_EUSER;
}

Error not_fetched(const std::string& url, int code) {
    const ::git_error* last = git_error_last();
    const int kind = last ? last->klass : GIT_ERROR_NONE;
    if (code == GIT_ECERTIFICATE || kind == GIT_ERROR_SSL) {
        const auto file = certificates_file();
        auto error = failure("cannot fetch from " + url + ": its certificate is not trusted here",
                             "add whoever signed it to " + (file.empty() ? "this machine's certificates, or name a file with it in SSL_CERT_FILE, for the daemon too" : file) +
                                 "; see `git ls-remote " + url + "`");
        error.code = server_unreachable;
        return error;
    }
    auto error = failure("cannot fetch from " + url, "check the URL, the network and your access: `git ls-remote " + url + "`");
    // What a server refuses has a code of its own, or is a matter of HTTP.
    if (code == GIT_ERROR && (kind == GIT_ERROR_NET || kind == GIT_ERROR_OS)) error.code = server_unreachable;
    return error;
}

Result<void> fetch(git_repository* mirror, const std::string& url, bool pull_requests) {
    Owned<git_remote> remote;
    if (git_remote_create_anonymous(out(remote), mirror, url.c_str()) < 0)
        return failure("cannot read from " + url, "give a path, or a URL such as https://host/group/name.git");
    std::array<const char*, 4> specs{"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
                                     "+refs/pull/*/head:refs/pull/*/head",
                                     "+refs/merge-requests/*/head:refs/merge-requests/*/head"};
    std::array<char*, 4> raw{};
    for (std::size_t i = 0; i < specs.size(); ++i) raw[i] = const_cast<char*>(specs[i]);
    const git_strarray list{raw.data(), pull_requests ? raw.size() : 2};
    CICD_CHECK(reach(url, longest_connect));
    Credentials credentials;
    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.prune = GIT_FETCH_PRUNE;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.callbacks.credentials = give_credentials;
    options.callbacks.payload = &credentials;
    // As git itself does: a proxy that the environment or the configuration names is used.
    options.proxy_opts.type = GIT_PROXY_AUTO;
    if (const int code = git_remote_fetch(remote.get(), &list, &options, nullptr); code < 0) return not_fetched(url, code);
    Buffer branch;
    if (git_remote_connected(remote.get()) == 0)
        static_cast<void>(git_remote_connect(remote.get(), GIT_DIRECTION_FETCH, &options.callbacks, &options.proxy_opts, nullptr));
    if (git_remote_default_branch(&branch, remote.get()) == 0 && branch.size > 0)
        git_repository_set_head(mirror, branch.ptr);
    return {};
}

class Resolver {
public:
    Resolver(Sources::State& state, const FetchOptions& options) : state_(state), options_(options) {}

    Result<model::Source> resolve(const std::string& given, const Revision& revision) {
        model::Source source;
        Owned<git_repository> repository;
        CICD_TRY(source.repository, place(given));
        source.name = short_name(source.repository);
        Mirror& mirror = state_.mirror(source.repository);
        CICD_TRY(const auto lease, mirror.lease(!options_.only_here));
        if (is_url(source.repository)) {
            const auto& whole = revision.name.empty() ? revision.commit : revision.name;
            if (!options_.only_here && !has_commit(lease.repository(), whole)) {
                CICD_CHECK(fetch(lease.repository(), source.repository, options_.pull_requests));
            }
            if (git_repository_open_bare(out(repository), mirror.path().c_str()) < 0)
                return failure("cannot open the mirror of " + source.repository);
        } else {
            CICD_TRY(repository, open_local(source.repository));
        }
        CICD_TRY(const auto resolved, resolve_revision(repository.get(), revision, source.name));
        describe_commit(resolved.commit.get(), source);
        source.branch = resolved.branch;
        source.tag = resolved.tag;
        CICD_TRY(const auto tree, keep(mirror, lease, repository.get(), source, resolved.commit.get()));
        source.tree = to_hex(tree);
        return source;
    }

private:
    /// A local repository's folder, however it was named; a URL as it is.
    static Result<std::string> place(const std::string& given) {
        if (is_url(given) && !given.starts_with("file://")) return given;
        if (given.starts_with("file://")) return given;
        std::error_code error;
        CICD_TRY(const auto repository, WorkingTree::open(fs::absolute(given, error).lexically_normal()));
        const char* folder = git_repository_workdir(repository.get());
        std::string path = folder ? folder : git_repository_path(repository.get());
        while (path.size() > 1 && path.ends_with('/')) path.pop_back();
        return path;
    }

    /// A full id that is here already cannot change: no need to ask the origin.
    static bool has_commit(git_repository* mirror, const std::string& id) {
        git_oid oid;
        if (id.size() != GIT_OID_HEXSZ || git_oid_fromstr(&oid, id.c_str()) < 0) return false;
        Owned<git_commit> commit;
        return git_commit_lookup(out(commit), mirror, &oid) == 0;
    }

    Result<git_oid> keep(Mirror& mirror, const Mirror::Lease& lease, git_repository* repository,
                         const model::Source& source, git_commit* commit) {
        Owned<git_odb> theirs;
        if (git_repository_odb(out(theirs), repository) < 0) return failure("cannot open the objects of " + source.repository);
        Importer importer(mirror, lease.odb(), theirs.get(), fs::path(git_repository_commondir(repository)) / "objects");
        const git_oid plain = *git_commit_tree_id(commit);
        CICD_CHECK(importer.tree(plain));
        CICD_CHECK(importer.object(*git_commit_id(commit)));
        if (!options_.submodules) return plain;
        CICD_TRY(const auto whole, with_submodules(mirror, lease, source.repository, plain));
        if (git_oid_equal(&whole, &plain) == 0) {
            Owned<git_reference> note;
            git_reference_create(out(note), lease.repository(), ("refs/cicd/plain/" + to_hex(whole)).c_str(), &plain, 1, nullptr);
        }
        return whole;
    }

    /// The tree with the files of its submodules in place of the links.
    Result<git_oid> with_submodules(Mirror& mirror, const Mirror::Lease& lease, const std::string& repository,
                                    const git_oid& tree) {
        std::vector<TreeFile> files;
        bool found = false;
        CICD_TRY(const auto urls, submodule_urls(lease, tree));
        CICD_CHECK(flatten(lease, tree, "", files));
        for (auto& file : files) {
            if (file.mode != GIT_FILEMODE_COMMIT) continue;
            const auto url = urls.find(file.path);
            if (url == urls.end()) continue;
            if (++depth_ > deepest)
                return invalid("SOURCE_002", "submodules are nested deeper than 10 at " + file.path);
            auto inner = resolve(absolute_url(url->second, repository), {to_hex(file.id), "", "", 0});
            --depth_;
            if (!inner) return std::move(inner.error()).within("submodule " + file.path);
            CICD_CHECK(take(mirror, lease, *inner));
            CICD_TRY(file.id, parse_oid(inner->tree));
            file.mode = GIT_FILEMODE_TREE;
            file.path += "/";
            found = true;
        }
        if (!found) return tree;
        std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
        return write_tree(mirror, lease, files);
    }

    /// All of a submodule's tree, from its own mirror.
    Result<void> take(Mirror& mirror, const Mirror::Lease& lease, const model::Source& inner) {
        Mirror& other = state_.mirror(inner.repository);
        CICD_TRY(const auto theirs, other.lease(false));
        CICD_TRY(const auto tree, parse_oid(inner.tree));
        return Importer(mirror, lease.odb(), theirs.odb(), other.objects()).tree(tree);
    }

    static Result<git_oid> write_tree(Mirror& mirror, const Mirror::Lease& lease, const std::vector<TreeFile>& files) {
        Importer importer(mirror, lease.odb(), lease.odb(), mirror.objects());
        TreeWriter writer(files);
        CICD_CHECK(writer.write(mirror, importer, lease.odb()));
        return writer.id();
    }

    static Result<void> flatten(const Mirror::Lease& lease, const git_oid& id, const std::string& prefix,
                                std::vector<TreeFile>& files) {
        Owned<git_tree> tree;
        if (git_tree_lookup(out(tree), lease.repository(), &id) < 0) return failure("cannot read a tree");
        for (std::size_t i = 0; i < git_tree_entrycount(tree.get()); ++i) {
            const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
            const std::string path = prefix + git_tree_entry_name(entry);
            if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
                CICD_CHECK(flatten(lease, *git_tree_entry_id(entry), path + "/", files));
                continue;
            }
            files.push_back({path, git_tree_entry_filemode(entry), *git_tree_entry_id(entry)});
        }
        return {};
    }

    /// `.gitmodules`, as path → URL.
    static Result<std::map<std::string, std::string>> submodule_urls(const Mirror::Lease& lease, const git_oid& id) {
        std::map<std::string, std::string> urls;
        Owned<git_tree> tree;
        Owned<git_blob> blob;
        if (git_tree_lookup(out(tree), lease.repository(), &id) < 0) return failure("cannot read a tree");
        const git_tree_entry* entry = git_tree_entry_byname(tree.get(), ".gitmodules");
        if (!entry || git_blob_lookup(out(blob), lease.repository(), git_tree_entry_id(entry)) < 0) return urls;
        std::string path, url;
        const auto finish = [&] {
            if (!path.empty() && !url.empty()) urls[path] = url;
            path.clear();
            url.clear();
        };
        const std::string text(static_cast<const char*>(git_blob_rawcontent(blob.get())), static_cast<std::size_t>(git_blob_rawsize(blob.get())));
        for (const auto& line : split(text, '\n')) {
            const std::string_view trimmed = trim(line);
            if (trimmed.starts_with('[')) finish();
            const auto equals = trimmed.find('=');
            if (equals == std::string_view::npos) continue;
            const auto key = trim(trimmed.substr(0, equals));
            const auto value = std::string(trim(trimmed.substr(equals + 1)));
            if (key == "path") path = value;
            if (key == "url") url = value;
        }
        finish();
        return urls;
    }

    Sources::State& state_;
    const FetchOptions& options_;
    int depth_ = 0;
};

}  // namespace
Result<model::Source> Sources::resolve(const std::string& repository, const Revision& revision, const FetchOptions& options) {
    initialize();
    return Resolver(*state_, options).resolve(repository, revision);
}

}  // namespace cicd::git
