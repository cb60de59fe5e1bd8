#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

/// Workspaces that are git repositories: what tools find there that ask git.
namespace {

constexpr const char* questions = "git log --oneline | wc -l | sed 's/^ */commits /'; echo \"branch $(git rev-parse --abbrev-ref HEAD)\"; "
                                  "echo \"head $(git rev-parse HEAD)\"; echo \"status '$(git status --porcelain)'\"; "
                                  "echo \"tag '$(git describe --tags 2>/dev/null)'\"";

/// Three commits, the first one tagged.
struct Scene {
    World world;
    GitRepository repository{{"a.txt", "one\n"}};
    Scene() {
        repository.git({"tag", "v1"});
        for (const char* text : {"two\n", "three\n"}) {
            repository.write("a.txt", text);
            repository.commit("next");
        }
    }
    void add(const std::string& file, const std::string& text) {
        repository.write(file, text);
        repository.commit("the pipeline");
    }
    std::string says(std::vector<std::string> command = {"run"}) {
        const auto run = world.cicdctl(command, world.in(repository.path()));
        INFO(run.out, run.err);
        CHECK(run.code == 0);
        return run.out;
    }
};

}  // namespace

TEST_CASE("a workflow's checkout is a git repository of one commit, of all where it asks for them") {
    Scene scene;
    const auto job = [](const std::string& name, const std::string& checkout) {
        return "  " + name + ":\n    runs-on: ubuntu-latest\n    steps:\n" + checkout + "      - run: |\n          " + questions + "\n          echo \"same $([ \"$(git rev-parse HEAD)\" = \"$GITHUB_SHA\" ] && echo yes)\"\n";
    };
    scene.add(".github/workflows/ci.yml", "on: push\njobs:\n" + job("one", "      - uses: actions/checkout@v4\n") +
                                              job("all", "      - uses: actions/checkout@v4\n        with: {fetch-depth: 0}\n") +
                                              "  none:\n    runs-on: ubuntu-latest\n    steps: [{run: 'git status 2>/dev/null || echo no repository'}]\n");
    const auto said = scene.says();
    for (const std::string line : {"[one] commits 1\n", "[one] branch main", "[one] status ''", "[one] tag ''", "[one] same yes", "[all] commits 4\n", "[all] tag 'v1-3-g",
                             "[all] same yes", "[none] no repository"}) {
        INFO(line);
        CHECK(contains(said, line));
    }
}

TEST_CASE("what a job changes is told by git, and what the user has not committed") {
    Scene scene;
    scene.add(".github/workflows/ci.yml", "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n"
                                          "      - run: git diff --quiet && echo clean; echo four > a.txt; git diff --quiet || echo changed\n");
    auto said = scene.says();
    CHECK(contains(said, "clean"));
    CHECK(contains(said, "changed"));
    scene.repository.write("a.txt", "mine\n");
    said = scene.says();
    CHECK_FALSE(contains(said, "clean"));
    CHECK(contains(said, "changed"));
    // Of the user's own repository nothing was touched.
    CHECK(scene.repository.git({"status", "--porcelain"}) == " M a.txt");
}

TEST_CASE("our language has gitDepth, for every executor of this machine") {
    Scene scene;
    write_file(scene.world.config() / "config.yaml", "executors: {host: true}\n");
    scene.add(".cicd.yaml", std::string("name: p\nstages:\n  - name: s\n    jobs:\n") +
                                "      plain: {steps: ['[ ! -e .git ] && echo no repository']}\n" +
                                "      two: {gitDepth: 2, steps: [{run: \"" + "git log --oneline | wc -l | sed 's/^ */commits /'" + "\"}]}\n" +
                                "      host: {gitDepth: 0, executor: host, steps: [{run: \"" + "git log --oneline | wc -l | sed 's/^ */commits /'; git status --porcelain | wc -l | sed 's/^ */open /'" + "\"}]}\n");
    const auto said = scene.says();
    for (const std::string line : {"plain] no repository", "two] commits 2\n", "host] commits 4\n", "host] open 0\n"}) {
        INFO(line);
        CHECK(contains(said, line));
    }
}

TEST_CASE("a GitLab job has twenty commits, or what GIT_DEPTH says") {
    Scene scene;
    scene.add(".gitlab-ci.yml", std::string("deep: {script: [\"git log --oneline | wc -l | sed 's/^ */commits /'\"]}\n") +
                                    "flat: {variables: {GIT_DEPTH: '1'}, script: [\"git log --oneline | wc -l | sed 's/^ */commits /'\"]}\n");
    const auto said = scene.says();
    CHECK(contains(said, "deep] commits 4\n"));
    CHECK(contains(said, "flat] commits 1\n"));
}
