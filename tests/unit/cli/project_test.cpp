#include "cli/project.hpp"
#include "common/pipeline/parse.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

using namespace cicd;
using cicd::test::contains;
using namespace cicd::cli;

namespace {

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "cicd-init-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

Proposal checked(const Folder& folder) {
    auto proposal = propose_pipeline(folder.path());
    const auto parsed = pipeline::parse_pipeline(std::string_view(proposal.yaml), ".cicd.yaml");
    INFO(proposal.yaml);
    for (const auto& problem : parsed.problems) FAIL_CHECK(problem.message);
    CHECK_FALSE(parsed.value.stages.empty());
    return proposal;
}

}  // namespace

TEST_CASE("what is proposed is valid, for every kind of project and for none") {
    for (const auto* name :
         {"CMakeLists.txt", "Makefile", "package.json", "pyproject.toml", "requirements.txt", "setup.py", "go.mod",
          "Cargo.toml", "pom.xml", "build.gradle", "meson.build", "configure"}) {
        Folder folder;
        folder.write(name, "");
        INFO(name);
        CHECK(checked(folder).recognised.size() == 1);
    }
    CHECK(checked(Folder()).recognised.empty());
}

TEST_CASE("a node project runs its own scripts, and installs only what it needs") {
    Folder folder;
    folder.write("package.json", R"({"scripts": {"test": "node --test", "lint": "true"}})");
    const auto plain = checked(folder);
    CHECK(contains(plain.yaml, "npm run test"));
    CHECK(contains(plain.yaml, "npm run lint"));
    CHECK_FALSE(contains(plain.yaml, "npm ci"));
    folder.write("package.json", R"({"scripts": {"test": "jest"}, "devDependencies": {"jest": "1"}})");
    folder.write("package-lock.json", "{}");
    CHECK(contains(checked(folder).yaml, "npm ci"));
}

TEST_CASE("tests are run where there are some; several tools do not wait for each other") {
    Folder folder;
    folder.write("CMakeLists.txt", "project(x)\nenable_testing()\n");
    CHECK(contains(checked(folder).yaml, "ctest"));
    folder.write("pyproject.toml", "[tool.pytest.ini_options]\n");
    const auto both = checked(folder);
    CHECK(both.recognised == std::vector<std::string>{"CMake", "Python"});
    CHECK(contains(both.yaml, "needs: []"));
    CHECK(contains(both.yaml, "python3 -m pytest"));
}

TEST_CASE("a Makefile's check or test target is used") {
    Folder folder;
    folder.write("Makefile", "all:\n\ttrue\ntest: all\n\ttrue\n");
    CHECK(contains(checked(folder).yaml, "make test"));
}
