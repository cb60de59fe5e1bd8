#include "daemon/git/libgit.hpp"

#include <array>
#include <cstdlib>
#include <mutex>

namespace cicd::git {

std::string certificates_file() {
    for (const char* name : {"GIT_SSL_CAINFO", "SSL_CERT_FILE"})
        if (const char* file = std::getenv(name); file && *file) return file;
    return {};
}

void initialize() {
    static std::once_flag once;
    std::call_once(once, [] {
        git_libgit2_init();
        // Git's owner check keeps a foreign repository's configuration from running programs. libgit2 runs none, and a
        // daemon of the system works on its users' repositories.
        git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
        // Neither changes what is read here: per-worktree settings hold sparse checkouts, partial clones lack objects
        // that are then reported one by one.
        std::array<const char*, 2> extensions{"worktreeconfig", "partialclone"};
        git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions.data(), extensions.size());
        // As git and OpenSSL have it; else it is the system's certificates.
        if (const auto file = certificates_file(); !file.empty()) git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file.c_str(), nullptr);
    });
}

std::string last_message() {
    const ::git_error* error = git_error_last();
    return error && error->message ? error->message : "unknown error";
}

Error failure(const std::string& doing, const std::string& hint) {
    return unavailable("SOURCE_005", doing + ": " + last_message(), hint);
}

std::string to_hex(const git_oid& id) {
    std::array<char, GIT_OID_HEXSZ + 1> text{};
    git_oid_tostr(text.data(), text.size(), &id);
    return text.data();
}

}  // namespace cicd::git
