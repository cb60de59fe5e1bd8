#include "common/pipeline/front.hpp"
#include "daemon/planner/fetched_actions.hpp"
#include "tests/support/text.hpp"
#include "tests/unit/daemon/git/repository.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace cicd;
using cicd::test::contains;

// What the steps of a workflow use, and what that uses, found before the run.
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::string composite(const std::vector<std::string>& uses) {
    std::string text = "runs:\n  using: composite\n  steps:\n    - {shell: sh, run: 'true'}\n";
    for (const auto& each : uses) text += "    - uses: " + each + "\n";
    return text;
}

const std::string in_container = "runs: {using: docker, image: Dockerfile}\n";

/// Repositories below a folder that is the server, and the one whose workflow runs.
struct Scene {
    Scene() { servers.server = "file://" + folder.path().string() + "/server"; }
    std::string repository(const std::string& name, const Files& files, const std::string& tag = "v1") {
        const auto path = folder.path() / "server" / name;
        for (const auto& [file, text] : files) tests::write(path / file, text);
        tests::sh(path, "git init -q . && git add -A && git commit -qm one && git tag " + tag);
        return tests::sh(path, "git rev-parse HEAD");
    }
    /// Follows the steps of one job in a repository with these files.
    bool follow(const std::vector<std::string>& uses, const Files& files = {}, const model::Texts& given = {}) {
        const auto own = folder.path() / "own";
        tests::write(own / "README", "own\n");
        for (const auto& [file, text] : files) tests::write(own / file, text);
        tests::sh(own, "git init -q . && git add -A && git commit -qm one");
        const auto source = sources.snapshot(own);
        REQUIRE(source.has_value());
        model::Pipeline pipeline;
        pipeline.stages.emplace_back().jobs.emplace_back();
        for (const auto& each : uses) pipeline.stages[0].jobs[0].steps.emplace_back().uses = each;
        fetched.follow(pipeline, *source, given);
        return pipeline.stages[0].jobs[0].real_workspace;
    }
    std::vector<std::string> found() const {
        std::vector<std::string> names;
        for (const auto& action : fetched.found()) names.push_back(action.name + "@" + action.ref);
        std::sort(names.begin(), names.end());
        return names;
    }
    std::string why_not(const std::string& uses) const { return fetched.missing(uses).value_or(""); }

    tests::Folder folder;
    git::Sources sources{folder.path() / "mirrors"};
    planner::ActionServers servers;
    planner::FetchedActions fetched{sources, servers};
};

}  // namespace

TEST_CASE("what a composite action uses is found with it, of its own repository and of others, by tag, branch and commit") {
    Scene scene;
    const auto commit = scene.repository("last/one", {{"action.yml", composite({})}});
    scene.repository("deep/inner", {{"at/action.yaml", composite({"last/one@" + commit})}});
    scene.repository("wide/outer", {{"action.yml", composite({"deep/inner/at@main"})}}, "v2.1");
    CHECK(!scene.follow({"./mine", "actions/checkout@v4"}, {{"mine/action.yml", composite({"wide/outer@v2.1"})}}));
    CHECK(scene.found() == std::vector<std::string>{"deep/inner@main", "last/one@" + commit, "wide/outer@v2.1"});
    CHECK(scene.fetched.has("Wide/Outer@v2.1"));
    CHECK(scene.fetched.notices().size() == 3);
}

TEST_CASE("a step comes to run in a container however deep that stands") {
    SUBCASE("by an image") { CHECK(Scene().follow({"docker://alpine:3"})); }
    SUBCASE("by a Dockerfile without an action's file") { CHECK(Scene().follow({"./mine"}, {{"mine/Dockerfile", "FROM x\n"}})); }
    SUBCASE("by another repository's action within a composite one") {
        Scene scene;
        scene.repository("some/container", {{"sub/action.yml", in_container}});
        CHECK(scene.follow({"./mine"}, {{"mine/action.yml", composite({"some/container/sub@v1"})}}));
        CHECK(scene.fetched.in_containers().size() == 1);
    }
    SUBCASE("by a folder that is given in the place of a repository") {
        CHECK(Scene().follow({"some/one/sub@v1"}, {{"here/sub/action.yml", in_container}}, {{"Some/One", "here"}}));
    }
    SUBCASE("not where it is a program or steps") {
        CHECK(!Scene().follow({"./js", "./steps"}, {{"js/action.yml", "runs: {using: node20, main: x.js}\n"}, {"steps/action.yml", composite({})}}));
    }
}

TEST_CASE("actions that use each other in a circle, or without an end, are followed so far and no further") {
    Scene scene;
    scene.repository("a/a", {{"action.yml", composite({"b/b@v1"})}});
    scene.repository("b/b", {{"action.yml", composite({"a/a@v1", "./self"})}});
    CHECK(!scene.follow({"a/a@v1", "./self"}, {{"self/action.yml", composite({"./self"})}}));
    CHECK(scene.found() == std::vector<std::string>{"a/a@v1", "b/b@v1"});

    Scene deep;
    Files files;
    for (int i = 0; i < 15; ++i) files.emplace_back("n" + std::to_string(i) + "/action.yml", composite({"./n" + std::to_string(i + 1)}));
    files.emplace_back("n15/action.yml", in_container);
    CHECK(!deep.follow({"./n0"}, files));  // the tenth is the last
    CHECK(Scene().follow({"./n8"}, files));
}

TEST_CASE("what is not there is told where it is asked for, once for each") {
    Scene scene;
    scene.repository("some/one", {{"action.yml", composite({})}});
    CHECK(!scene.follow({"some/one@v9", "some/one/none@v1", "none/such@v1", "some/../x@v1", "some/one@--upload-pack", "./none"}));
    CHECK(contains(scene.why_not("some/one@v9"), "there is no tag, branch or commit 'v9'"));
    CHECK(scene.why_not("some/one/none@v1").empty());  // the repository is there; the step says that the folder is not
    CHECK(!scene.why_not("none/such@v1").empty());
    CHECK(contains(scene.why_not("some/../x@v1"), "no owner/name"));
    CHECK(contains(scene.why_not("some/one@--upload-pack"), "no tag, branch or commit"));
    CHECK(scene.found() == std::vector<std::string>{"some/one@v1"});
    CHECK(!scene.fetched.read("some/one/none/action.yml@v1").has_value());
    CHECK(scene.fetched.read("some/one/action.yml@v1").has_value());
}

TEST_CASE("a server that cannot be reached is asked once") {
    Scene scene;
    scene.servers.server = "https://127.0.0.1:1";  // nobody listens there
    CHECK(!scene.follow({"some/one@v1", "other/two@v1"}));
    CHECK(contains(scene.why_not("some/one@v1"), "https://127.0.0.1:1/some/one"));
    CHECK(scene.why_not("other/two@v1") == scene.why_not("some/one@v1"));
}

TEST_CASE("a workflow that uses more repositories than anybody needs gets no more") {
    Scene scene;
    scene.servers.server.clear();
    std::vector<std::string> uses;
    for (int i = 0; i < 52; ++i) uses.push_back("some/n" + std::to_string(i) + "@v1");
    CHECK(!scene.follow(uses));
    CHECK(contains(scene.why_not("some/n0@v1"), "names no server of actions"));
    CHECK(contains(scene.why_not("some/n51@v1"), "more than 50 repositories"));
}
