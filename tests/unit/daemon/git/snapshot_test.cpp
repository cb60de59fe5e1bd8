#include "daemon/git/source.hpp"
#include "tests/unit/daemon/git/repository.hpp"

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

using namespace cicd;
using namespace cicd::tests;
namespace fs = std::filesystem;

namespace {

const std::string working_tree =
    "git init -q . && mkdir -p src/deep && echo one > a.txt && echo two > src/b.txt && "
    "echo three > src/deep/c.txt && echo dotted > src.txt && printf '#!/bin/sh\\n' > run.sh && "
    "chmod +x run.sh && ln -s a.txt link && printf '*.log\\n' > .gitignore && git add -A && "
    "git commit -q -m 'First commit' -m 'body'";

}  // namespace

TEST_CASE("A clean working tree is its commit's tree") {
    Scene scene(working_tree);
    const auto source = scene.snapshot();
    CHECK(source.tree == sh(scene.repository, "git rev-parse 'HEAD^{tree}'"));
    CHECK(source.commit == sh(scene.repository, "git rev-parse HEAD"));
    CHECK(source.branch == "main");
    CHECK(source.message == "First commit");
    CHECK(source.author == "Ann");
    CHECK_FALSE(source.dirty);
    CHECK(source.name == "work");
}

TEST_CASE("Staged, unstaged, deleted, untracked, executable and linked files are in it; ignored ones are not") {
    Scene scene(working_tree);
    sh(scene.repository,
       "echo staged > staged.txt && git add staged.txt && echo more >> a.txt && rm src/b.txt && echo new > src/new.txt && "
       "echo noise > x.log && mkdir -p src/gen && printf 'out\\n' > src/gen/.gitignore && echo x > src/gen/out && "
       "echo y > src/gen/in && chmod -x run.sh && chmod +x src.txt && rm link && ln -s src link && "
       "git rm -q --cached src/deep/c.txt && echo excluded > secret && echo secret >> .git/info/exclude");
    const std::string index = read(scene.repository / ".git/index");
    const auto source = scene.snapshot();
    CHECK(source.dirty);
    CHECK(source.tree == tree_by_git(scene.repository));
    CHECK(read(scene.repository / ".git/index") == index);
    CHECK(scene.snapshot().tree == source.tree);
}

TEST_CASE("Nothing is written to the user's repository") {
    Scene scene(working_tree);
    sh(scene.repository, "echo more >> a.txt && echo new > new.txt");
    const std::string before = sh(scene.repository, "find .git -type f | sort | xargs sha256sum");
    scene.snapshot();
    CHECK(sh(scene.repository, "find .git -type f | sort | xargs sha256sum") == before);
}

TEST_CASE("Later edits, a gc and even the repository's removal do not touch a snapshot") {
    Scene scene(working_tree);
    sh(scene.repository, "echo mine > own.txt");
    const auto source = scene.snapshot();
    sh(scene.repository, "echo other > own.txt && git gc -q --prune=now");
    fs::remove_all(scene.repository);
    git::Sources later(scene.folder.path() / "mirrors");
    CHECK(*later.read_file(source, "own.txt") == "mine\n");
    CHECK(*later.read_file(source, "./src/deep/c.txt") == "three\n");
    CHECK(later.read_file(source, "nothing").error().kind == ErrorKind::not_found);
    CHECK(later.read_file(source, "src").error().kind == ErrorKind::not_found);
    CHECK(*later.list(source, "src") == std::vector<std::string>{"b.txt", "deep"});
    CHECK(later.list(source, "nothing")->empty());
    const fs::path out = scene.folder.path() / "out";
    fs::create_directories(out);
    REQUIRE(later.checkout(source, out).has_value());
    CHECK(read(out / "src/deep/c.txt") == "three\n");
    CHECK(fs::read_symlink(out / "link") == "a.txt");
    CHECK((fs::status(out / "run.sh").permissions() & fs::perms::owner_exec) != fs::perms::none);
    CHECK((fs::status(out / "a.txt").permissions() & fs::perms::owner_exec) == fs::perms::none);
    CHECK_FALSE(fs::exists(out / ".git"));
}

TEST_CASE("A file that changes between two snapshots changes the tree, also within one clock tick") {
    Scene scene(working_tree);
    std::string last = scene.snapshot().tree;
    for (int i = 0; i < 20; ++i) {
        write(scene.repository / "a.txt", "v" + std::to_string(i % 10) + "\n");
        const std::string tree = scene.snapshot().tree;
        CHECK(tree != last);
        last = tree;
    }
    CHECK(last == tree_by_git(scene.repository));
}

TEST_CASE("A repository without commits, a subfolder, a linked worktree") {
    Scene scene(working_tree);
    const fs::path fresh = scene.folder.path() / "fresh";
    fs::create_directories(fresh / "sub");
    sh(fresh, "git init -q . && echo x > sub/x");
    auto source = scene.sources.snapshot(fresh / "sub");
    REQUIRE(source.has_value());
    CHECK(source->commit.empty());
    CHECK(source->branch == "main");
    CHECK(source->dirty);
    CHECK(source->repository == fresh.string());
    CHECK(*scene.sources.read_file(*source, "sub/x") == "x\n");

    sh(scene.repository, "git worktree add -q -b topic ../linked && echo l > ../linked/l");
    source = scene.sources.snapshot(scene.folder.path() / "linked");
    REQUIRE(source.has_value());
    CHECK(source->branch == "topic");
    CHECK(*scene.sources.read_file(*source, "l") == "l\n");
    CHECK(*scene.sources.read_file(*source, "a.txt") == "one\n");
}

TEST_CASE("Submodules that are checked out, and nested repositories, come with their files") {
    Scene scene(working_tree);
    const fs::path library = scene.folder.path() / "library";
    fs::create_directories(library);
    sh(library, "git init -q . && echo lib > lib.c && git add -A && git commit -q -m lib");
    sh(scene.repository, "git submodule --quiet add ../library dep && git commit -q -m 'with library'");
    auto source = scene.snapshot();
    CHECK_FALSE(source.dirty);
    CHECK(*scene.sources.read_file(source, "dep/lib.c") == "lib\n");
    sh(scene.repository, "echo changed > dep/lib.c");
    source = scene.snapshot();
    CHECK(source.dirty);
    CHECK(*scene.sources.read_file(source, "dep/lib.c") == "changed\n");
    sh(scene.repository, "mkdir -p vendor/x && cd vendor/x && git init -q . && echo in > inner");
    CHECK(*scene.sources.read_file(scene.snapshot(), "vendor/x/inner") == "in\n");
}

TEST_CASE("A conflict is taken as it lies in the working tree") {
    Scene scene(working_tree);
    sh(scene.repository, "git checkout -q -b other && echo theirs > a.txt && git commit -qam theirs && git checkout -q main && "
                         "echo ours > a.txt && git commit -qam ours && (git merge -q other || true)");
    const auto text = scene.sources.read_file(scene.snapshot(), "a.txt");
    REQUIRE(text.has_value());
    CHECK(text->find("<<<<<<<") != std::string::npos);
}

TEST_CASE("Many objects, packed or not, arrive whole") {
    Scene scene(working_tree);
    sh(scene.repository, "for i in $(seq 1 300); do echo $i > f$i; done; git add -A && git commit -q -m many");
    SUBCASE("loose") {}
    SUBCASE("packed") { sh(scene.repository, "git gc -q"); }
    const auto source = scene.snapshot();
    CHECK(source.tree == sh(scene.repository, "git rev-parse 'HEAD^{tree}'"));
    fs::remove_all(scene.repository);
    fs::create_directories(scene.folder.path() / "out");
    REQUIRE(scene.sources.checkout(source, scene.folder.path() / "out").has_value());
    CHECK(read(scene.folder.path() / "out/f300") == "300\n");
}

TEST_CASE("What a killed process left half-way is completed, and a removed mirror is made again") {
    Scene scene(working_tree);
    const auto source = scene.snapshot();
    fs::path mirror = fs::directory_iterator(scene.folder.path() / "mirrors")->path();
    // The blob of a.txt goes: the tree without it must not count as kept.
    const std::string blob = sh(scene.repository, "git rev-parse HEAD:a.txt");
    fs::remove(mirror / "objects" / blob.substr(0, 2) / blob.substr(2));
    git::Sources later(scene.folder.path() / "mirrors");
    CHECK(later.snapshot(scene.repository)->tree == source.tree);
    CHECK(*later.read_file(source, "a.txt") == "one\n");
    fs::remove_all(mirror);
    CHECK(later.snapshot(scene.repository)->tree == source.tree);
    CHECK(*later.read_file(source, "a.txt") == "one\n");
}

TEST_CASE("A mirror that was half made when its maker was killed is no obstacle") {
    Scene scene(working_tree);
    const auto source = scene.snapshot();
    const fs::path mirrors = scene.folder.path() / "mirrors";
    const fs::path mirror = fs::directory_iterator(mirrors)->path();
    for (const char* part : {"HEAD", "objects", "config"}) fs::remove_all(mirror / part);
    std::ofstream(mirror / "config.lock") << "";
    git::Sources later(mirrors);
    const auto again = later.snapshot(scene.repository);
    if (!again) FAIL(again.error().message);
    CHECK(again->tree == source.tree);
    CHECK(std::distance(fs::directory_iterator(mirrors), fs::directory_iterator()) == 1);
}

TEST_CASE("What is no repository says what to do") {
    Scene scene(working_tree);
    const auto source = scene.sources.snapshot(scene.folder.path());
    REQUIRE(source.has_error());
    CHECK(source.error().kind == ErrorKind::not_found);
    CHECK(source.error().hint.find("git init") != std::string::npos);
    CHECK(scene.sources.snapshot(scene.folder.path() / "nowhere").error().kind == ErrorKind::not_found);
}

TEST_CASE("Threads may take snapshots of one repository at once") {
    Scene scene(working_tree);
    const std::string tree = scene.snapshot().tree;
    std::vector<std::thread> threads;
    std::vector<std::string> trees(4);
    for (std::size_t i = 0; i < trees.size(); ++i)
        threads.emplace_back([&, i] {
            for (int n = 0; n < 10; ++n)
                if (auto source = scene.sources.snapshot(scene.repository)) trees[i] = source->tree;
        });
    for (auto& thread : threads) thread.join();
    for (const auto& each : trees) CHECK(each == tree);
}
