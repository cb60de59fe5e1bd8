#include "daemon/git/source.hpp"
#include "tests/unit/daemon/git/repository.hpp"

#include <chrono>
#include <fstream>

using namespace cicd;
using namespace cicd::tests;
namespace fs = std::filesystem;
using git::Revision;

namespace {

const std::string branches =
    "git init -q . && mkdir -p src docs && echo 1 > src/a && echo 1 > docs/a && git add -A && "
    "git commit -q -m one && git tag -a v1.0 -m release && git checkout -q -b topic && "
    "echo 2 > src/b && git add -A && git commit -q -m 'two: topic' && git checkout -q main && "
    "echo 3 > docs/a && git commit -qam three && git update-ref refs/pull/7/head topic";

void check_every_revision(Scene& scene, const std::string& where) {
    auto source = scene.resolve(where, {});
    CHECK(source.commit == scene.rev("main"));
    CHECK(source.branch == "main");
    CHECK(source.tree == scene.rev("main^{tree}"));
    source = scene.resolve(where, {"", "topic", "", 0});
    CHECK(source.commit == scene.rev("topic"));
    CHECK(source.message == "two: topic");
    CHECK(source.branch == "topic");
    CHECK(*scene.sources.read_file(source, "src/b") == "2\n");
    source = scene.resolve(where, {"", "", "v1.0", 0});
    CHECK(source.commit == scene.rev("v1.0^{commit}"));
    CHECK(source.tag == "v1.0");
    CHECK(scene.resolve(where, {scene.rev("topic"), "", "", 0}).commit == scene.rev("topic"));
    CHECK(scene.resolve(where, {scene.rev("topic").substr(0, 8), "", "", 0}).commit == scene.rev("topic"));
    CHECK(scene.resolve(where, {"", "", "", 7}).commit == scene.rev("topic"));

    const auto wrong = scene.sources.resolve(where, {"", "topc", "", 0});
    REQUIRE(wrong.has_error());
    CHECK(wrong.error().kind == ErrorKind::not_found);
    CHECK(wrong.error().hint == "did you mean 'topic'?");
    CHECK(scene.sources.resolve(where, {"", "", "v9", 0}).error().kind == ErrorKind::not_found);
    CHECK(scene.sources.resolve(where, {"", "", "", 8}).error().kind == ErrorKind::not_found);
    CHECK(scene.sources.resolve(where, {"feedbeef00", "", "", 0}).error().kind == ErrorKind::not_found);
    CHECK(scene.sources.resolve(where, {"", "main", "v1.0", 0}).error().kind == ErrorKind::invalid);
}

}  // namespace

TEST_CASE("Branch, tag, commit and pull request of a local repository") {
    Scene scene(branches);
    check_every_revision(scene, scene.repository.string());
}

TEST_CASE("The same of a bare repository, and by URL") {
    Scene scene(branches);
    sh(scene.folder.path(), "git clone -q --mirror work bare.git");
    SUBCASE("bare") { check_every_revision(scene, (scene.folder.path() / "bare.git").string()); }
    SUBCASE("url") { check_every_revision(scene, "file://" + scene.repository.string()); }
}

TEST_CASE("A fetched source survives its origin") {
    Scene scene(branches);
    const auto source = scene.resolve("file://" + scene.repository.string(), {"", "topic", "", 0});
    fs::remove_all(scene.repository);
    CHECK(*scene.sources.read_file(source, "src/b") == "2\n");
}

TEST_CASE("A name is a tag before it is a branch, and what was fetched is found without its origin") {
    Scene scene(branches);
    const auto where = "file://" + scene.repository.string();
    sh(scene.repository, "git tag topic main");
    git::Revision revision;
    revision.name = "topic";
    const auto tag = scene.resolve(where, revision);
    CHECK(tag.commit == scene.rev("main"));
    revision.name = scene.rev("refs/heads/topic");
    CHECK(scene.resolve(where, revision).commit == revision.name);
    fs::remove_all(scene.repository);
    CHECK(scene.resolve(where, revision).commit == revision.name);  // a whole id needs nobody to ask
    revision.name = "main";
    git::FetchOptions options;
    CHECK(scene.sources.resolve(where, revision, options).error().kind == ErrorKind::unavailable);
    options.only_here = true;
    const auto here = scene.sources.resolve(where, revision, options);
    REQUIRE(here.has_value());
    CHECK(here->commit == tag.commit);
    CHECK(!scene.sources.resolve("file:///nowhere/y.git", revision, options).has_value());
}

TEST_CASE("Locks that a killed process left in a mirror are no obstacle later") {
    Scene scene(branches);
    const auto where = "file://" + scene.repository.string();
    (void)scene.resolve(where, {"", "topic", "", 0});
    const fs::path mirrors = scene.folder.path() / "mirrors";
    const fs::path mirror = fs::directory_iterator(mirrors)->path();
    for (const char* name : {"config.lock", "packed-refs.lock", "refs/heads/topic.lock"}) {
        std::ofstream(mirror / name) << "";
        fs::last_write_time(mirror / name, fs::file_time_type::clock::now() - std::chrono::hours(1));
    }
    sh(scene.repository, "git checkout -q topic && echo 4 > src/c && git add -A && git commit -qm four");
    git::Sources later(mirrors);
    const auto source = later.resolve(where, {"", "topic", "", 0});
    if (!source) FAIL(source.error().message);
    CHECK(source->commit == scene.rev("topic"));
    CHECK_FALSE(fs::exists(mirror / "refs/heads/topic.lock"));
}

TEST_CASE("An origin that is not there says so") {
    Scene scene(branches);
    CHECK(scene.sources.resolve("file:///nowhere/x.git", {}).error().kind == ErrorKind::unavailable);
    CHECK(scene.sources.resolve((scene.folder.path() / "nothing").string(), {}).error().kind == ErrorKind::not_found);
}

TEST_CASE("Changed paths: since a base, since the merge base, with uncommitted changes") {
    Scene scene(branches);
    using Paths = std::vector<std::string>;
    const std::string where = scene.repository.string();
    const auto topic = scene.resolve(where, {"", "topic", "", 0});
    CHECK(*scene.sources.changed_paths(topic, "main", false) == Paths{"docs/a", "src/b"});
    CHECK(*scene.sources.changed_paths(topic, "main", true) == Paths{"src/b"});
    CHECK(*scene.sources.changed_paths(topic, "v1.0", false) == Paths{"src/b"});
    CHECK(scene.sources.changed_paths(topic, "mian", false).error().hint.find("main") != std::string::npos);

    sh(scene.repository, "echo x > new && git checkout -q topic && echo y >> src/a");
    const auto dirty = scene.sources.snapshot(scene.repository);
    REQUIRE(dirty.has_value());
    CHECK(*scene.sources.changed_paths(*dirty, "main", true) == Paths{"new", "src/a", "src/b"});
    CHECK(*scene.sources.default_base(*dirty) == scene.rev("topic"));
    CHECK(*scene.sources.default_base(topic) == scene.rev("v1.0^{commit}"));

    const auto fetched = scene.resolve("file://" + where, {"", "topic", "", 0});
    CHECK(*scene.sources.changed_paths(fetched, "main", true) == Paths{"src/b"});
}

TEST_CASE("The upstream branch is what a push is compared with") {
    Scene scene(branches);
    sh(scene.folder.path(), "git clone -q work clone && cd clone && echo z > z && git add z && git commit -qm z && "
                            "echo w > w && git add w && git commit -qm w");
    const auto source = scene.sources.snapshot(scene.folder.path() / "clone");
    REQUIRE(source.has_value());
    const auto base = scene.sources.default_base(*source);
    REQUIRE(base.has_value());
    CHECK(*base == scene.rev("main"));
    CHECK(*scene.sources.changed_paths(*source, **base, false) == std::vector<std::string>{"w", "z"});
}

TEST_CASE("The branch that a pull request asks for is the origin's first one, or the usual one") {
    Scene scene(branches);
    const auto topic = scene.resolve(scene.repository.string(), {"", "topic", "", 0});
    CHECK(scene.sources.default_branch(topic) == "main");
    sh(scene.folder.path(), "cd work && git branch -q -m main trunk && cd .. && git clone -q work clone && cd clone && git checkout -q -b mine");
    const auto clone = scene.sources.snapshot(scene.folder.path() / "clone");
    REQUIRE(clone.has_value());
    CHECK(scene.sources.default_branch(*clone) == "trunk");
    sh(scene.folder.path(), "cd clone && git remote remove origin");
    CHECK(scene.sources.default_branch(*clone) == "mine");
}

TEST_CASE("Submodules come with their files, relative URLs and submodules of their own") {
    Scene scene(branches);
    const fs::path inner = scene.folder.path() / "inner", outer = scene.folder.path() / "outer";
    for (const auto& each : {inner, outer}) fs::create_directories(each);
    sh(inner, "git init -q . && echo inner > i.c && git add -A && git commit -q -m inner");
    sh(outer, "git init -q . && echo outer > o.c && git submodule --quiet add ../inner deps/inner && git add -A && git commit -qm outer");
    sh(scene.repository, "git submodule --quiet add ../outer lib && git commit -qam 'use outer' && "
                         "cd ../inner && echo later > i.c && git commit -qam later");
    const std::string where = scene.repository.string();
    auto source = scene.resolve(where, {}, {.submodules = true});
    CHECK(*scene.sources.read_file(source, "lib/o.c") == "outer\n");
    CHECK(*scene.sources.read_file(source, "lib/deps/inner/i.c") == "inner\n");
    CHECK(*scene.sources.changed_paths(source, source.base_commit, false) == std::vector<std::string>{".gitmodules", "lib"});
    source = scene.resolve(where, {});
    CHECK(source.tree == scene.rev("main^{tree}"));
    CHECK(scene.sources.read_file(source, "lib/o.c").has_error());
    fs::create_directories(scene.folder.path() / "out");
    REQUIRE(scene.sources.checkout(source, scene.folder.path() / "out").has_value());
    CHECK(fs::is_empty(scene.folder.path() / "out/lib"));
}

TEST_CASE("A tree with an unsafe path is refused") {
    Scene scene(branches);
    const std::string blob = sh(scene.repository, "echo evil | git hash-object -w --stdin");
    for (const std::string name : {".git", "..", ".GIT"}) {
        // mktree checks less than the index does.
        const std::string tree = sh(scene.repository, "printf '100644 blob " + blob + "\\t" + name + "\\n' | git mktree");
        const std::string commit = sh(scene.repository, "git commit-tree -m evil " + tree);
        const auto source = scene.sources.resolve(scene.repository.string(), {commit, "", "", 0});
        REQUIRE(source.has_value());
        const fs::path out = scene.folder.path() / ("out" + std::to_string(name.size()) + name.back());
        fs::create_directories(out);
        const auto done = scene.sources.checkout(*source, out);
        REQUIRE(done.has_error());
        CHECK(done.error().message.find("unsafe path") != std::string::npos);
    }
}
