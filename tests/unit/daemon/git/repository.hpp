#pragma once

#include "daemon/git/source.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

/// A folder that goes with its owner, and git repositories in it made by the real git.
namespace cicd::tests {

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "cicd-git-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = std::filesystem::canonical(name);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline std::string sh(const std::filesystem::path& directory, const std::string& command) {
    const std::string whole =
        "cd '" + directory.string() +
        "' && export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=Ann "
        "GIT_AUTHOR_EMAIL=ann@example.com GIT_COMMITTER_NAME=Ann GIT_COMMITTER_EMAIL=ann@example.com "
        "GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=init.defaultBranch GIT_CONFIG_VALUE_0=main "
        "GIT_CONFIG_KEY_1=protocol.file.allow GIT_CONFIG_VALUE_1=always && { " + command + " ; } 2>&1";
    FILE* pipe = ::popen(whole.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string output;
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, n);
    const int status = ::pclose(pipe);
    INFO(command << "\n" << output);
    REQUIRE(status == 0);
    while (output.ends_with('\n')) output.pop_back();
    return output;
}

inline void write(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
}

inline std::string read(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

/// The tree git itself would write for everything in the working tree, by an index of its own.
inline std::string tree_by_git(const std::filesystem::path& repository) {
    return sh(repository, "I=$(mktemp -u); export GIT_INDEX_FILE=$I; git add -A . && git write-tree; rm -f $I");
}

/// A repository whose history a script makes, and sources that keep their mirrors beside it.
struct Scene {
    explicit Scene(const std::string& history) {
        std::filesystem::create_directories(repository);
        sh(repository, history);
    }
    std::string rev(const std::string& name) const { return sh(repository, "git rev-parse '" + name + "'"); }
    model::Source snapshot() {
        auto source = sources.snapshot(repository);
        if (!source) FAIL(source.error().message);
        return *source;
    }
    model::Source resolve(const std::string& where, const git::Revision& revision, const git::FetchOptions& options = {}) {
        auto source = sources.resolve(where, revision, options);
        if (!source) FAIL(source.error().message);
        return *source;
    }

    Folder folder;
    std::filesystem::path repository = folder.path() / "work";
    git::Sources sources{folder.path() / "mirrors"};
};

}  // namespace cicd::tests
