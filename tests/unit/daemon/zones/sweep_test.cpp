#include "common/job/runner_files.hpp"
#include "daemon/zones/workspaces.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace cicd;
namespace fs = std::filesystem;

namespace {

struct State {
    State() {
        std::string pattern = (fs::temp_directory_path() / "cicd-sweep-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        root = pattern;
    }
    ~State() {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }
    [[nodiscard]] job::Paths attempt(const char* job) const {
        const job::Paths paths{root / "jobs" / job / "1"};
        fs::create_directories(paths.workspace());
        return paths;
    }
    fs::path root;
};

}  // namespace

TEST_CASE("a daemon that starts finds what no runner uses, also where a runner could not say that it ended") {
    const State state;
    const auto ended = state.attempt("job-1");
    std::ofstream(ended.exit()) << "{}";
    std::ofstream(ended.exit().string() + ".tmp") << "{";
    const auto dead = state.attempt("job-2");
    { REQUIRE(job::RunnerLock::take(dead).has_value()); }
    const auto alive = state.attempt("job-3");
    const auto lock = job::RunnerLock::take(alive);
    REQUIRE(lock.has_value());
    const auto never_started = state.attempt("job-4");

    const zones::Folders folders{state.root};
    auto found = zones::attempts_without_runner(folders);
    std::sort(found.begin(), found.end());
    CHECK(found == std::vector<zones::Attempt>{{JobId("job-1"), 1}, {JobId("job-2"), 1}, {JobId("job-4"), 1}});

    std::ofstream(ended.workspace() / "large") << "much";
    zones::set_aside(folders, found);
    for (const auto& paths : {ended, dead}) CHECK_FALSE(fs::exists(paths.workspace()));
    CHECK_FALSE(fs::exists(never_started.root));
    CHECK(fs::exists(ended.exit()));
    CHECK_FALSE(fs::exists(ended.exit().string() + ".tmp"));
    CHECK(fs::exists(alive.workspace()));
    CHECK(fs::exists(folders.aside() / "job-1.1" / "large"));
    zones::remove_set_aside(folders);
    CHECK_FALSE(fs::exists(folders.aside()));
}
