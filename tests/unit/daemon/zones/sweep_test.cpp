#include "common/job/runner_files.hpp"
#include "daemon/zones/workspaces.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

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

TEST_CASE("a daemon that starts removes the workspaces of what is over, also where its runner could not say so") {
    const State state;
    const auto ended = state.attempt("job-1");
    std::ofstream(ended.exit()) << "{}";
    const auto dead = state.attempt("job-2");
    { REQUIRE(job::RunnerLock::take(dead).has_value()); }
    const auto alive = state.attempt("job-3");
    const auto lock = job::RunnerLock::take(alive);
    REQUIRE(lock.has_value());
    const auto waiting = state.attempt("job-4");

    zones::sweep_workspaces(zones::Folders{state.root});
    CHECK_FALSE(fs::exists(ended.workspace()));
    CHECK_FALSE(fs::exists(dead.workspace()));
    CHECK(fs::exists(alive.workspace()));
    CHECK(fs::exists(waiting.workspace()));
}
