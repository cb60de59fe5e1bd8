#pragma once

#include "common/base/value.hpp"
#include "tests/support/process.hpp"

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cicd::test {

/// A folder that is gone when this is.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

void write_file(const std::filesystem::path& file, std::string_view text);
std::string read_file(const std::filesystem::path& file);

/// A git repository with one commit of the files it was given.
class GitRepository {
public:
    GitRepository(std::initializer_list<std::pair<std::string, std::string>> files) : GitRepository(std::vector(files)) {}
    explicit GitRepository(const std::vector<std::pair<std::string, std::string>>& files);
    [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }
    void write(const std::string& file, std::string_view text) const { write_file(path() / file, text); }
    /// Runs git in the repository; the test fails where git does.
    std::string git(const std::vector<std::string>& arguments) const;
    std::string commit(const std::string& message) const;  ///< everything; gives the commit's id

private:
    TempDir folder_;
};

/// A user of their own: home, state, configuration and, when something needs it, a daemon. The daemon and everything
/// it started are gone when this is.
class World {
public:
    World();
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Outcome cicdctl(const std::vector<std::string>& arguments, RunOptions options = {}) const;
    std::unique_ptr<Background> start_cicdctl(const std::vector<std::string>& arguments, RunOptions options = {}) const;
    /// As cicdctl with `-o json`, parsed; null where that is no JSON.
    Value json(std::vector<std::string> arguments, RunOptions options = {}) const;

    void start_daemon() const;
    void kill_daemon() const;  ///< SIGKILL, as a crash would
    [[nodiscard]] int daemon_pid() const;

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
    [[nodiscard]] std::filesystem::path state() const { return folder_.path() / "state"; }
    /// Where the jobs of a run with `workspace: shared` work. Other jobs' files cannot be reached from outside.
    [[nodiscard]] std::filesystem::path shared_workspace(const std::string& run) const {
        return state() / "runs" / run / "workspace";
    }
    [[nodiscard]] std::filesystem::path config() const { return folder_.path() / "config"; }
    [[nodiscard]] std::filesystem::path socket() const { return state() / "cicdd.sock"; }
    [[nodiscard]] RunOptions in(const std::filesystem::path& directory) const;  ///< as this user, also for what starts `cicdctl` itself

private:
    TempDir folder_;
};

/// A program of the build under test, or of the folder that CICD_TEST_BIN_DIR names.
std::string program(const std::string& name);
/// Built with AddressSanitizer or ThreadSanitizer.
bool is_sanitized(const std::string& name);

}  // namespace cicd::test
