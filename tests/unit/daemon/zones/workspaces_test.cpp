#include "daemon/zones/workspaces.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/zones/workspace_method.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

/// Workspaces of real jobs above real trees: what a job does to its files stays its own.

using namespace cicd;
using zones::WorkspaceMethod;
namespace fs = std::filesystem;

namespace {

struct State {
    State() {
        ::chmod(folder.c_str(), 0755);
        fs::create_directories(project / "src/deep");
        for (int i = 0; i < 300; ++i) write("src/file" + std::to_string(i), "file " + std::to_string(i) + "\n");
        write("src/deep/inner", "inner\n");
        write("tool", "#!/bin/sh\necho tool\n");
        fs::permissions(project / "tool", fs::perms(0755));
        fs::create_symlink("src/file1", project / "link");
        sh("git init -q -b main && git add . && git -c user.name=a -c user.email=a@b commit -q -m first");
        sources.emplace(folder / "repos");
    }
    ~State() {
        for (const auto& path : {folder, project}) (void)os::remove_all(path);
    }

    void write(const std::string& path, const std::string& text) const { std::ofstream(project / path) << text; }
    void sh(const std::string& command) const {
        REQUIRE(std::system(("cd '" + project.string() + "' && " + command).c_str()) == 0);
    }
    [[nodiscard]] model::Source snapshot() {
        const auto source = sources->snapshot(project);
        REQUIRE(source.has_value());
        return *source;
    }
    [[nodiscard]] std::shared_ptr<const zones::Trees::Use> use(const model::Source& source) {
        const auto made = trees.use(source, *sources, true);
        REQUIRE(made.has_value());
        return *made;
    }

    /// A job directory, ready for the runner.
    job::Paths make(const std::string& id, const model::Source& source, const std::string& script) {
        zones::Assignment assignment;
        assignment.spec.job = JobId(id);
        assignment.spec.run = RunId("run-1");
        assignment.spec.key = assignment.spec.name = id;
        assignment.spec.executor = model::ExecutorKind::sandbox;
        assignment.spec.contexts = Object();
        assignment.spec.steps.push_back({.id = "one", .name = "one", .run = script});
        assignment.source = source;
        const auto made = zones::make_job_directory({{folder}, runner, *sources, trees, images}, assignment);
        REQUIRE_MESSAGE(made.has_value(), made.error().message);
        layers = made->tree;
        return {folder / "jobs" / id / "1"};
    }
    /// What the job printed.
    static std::string run(const job::Paths& paths, std::vector<std::string> command = {CICD_BIN_DIR "/cicd-runner"}) {
        command.push_back(paths.root.string());
        const auto pid = os::spawn({.argv = command});
        REQUIRE(pid.has_value());
        ::waitpid(*pid, nullptr, 0);
        const auto exit = job::read_exit(paths);
        REQUIRE(exit.has_value());
        REQUIRE(exit->has_value());
        CHECK_MESSAGE((*exit)->state == model::JobState::success, (*exit)->message);
        std::ifstream log(paths.log());
        return {std::istreambuf_iterator<char>(log), {}};
    }
    /// Every path below, with its mode, its time and what it holds.
    static std::string look(const fs::path& root) {
        std::vector<std::string> lines;
        for (const auto& entry : fs::recursive_directory_iterator(root)) {
            struct stat facts {};
            REQUIRE(::lstat(entry.path().c_str(), &facts) == 0);
            std::string line = fs::relative(entry.path(), root).string() + " " + std::to_string(facts.st_mode);
            if (entry.is_symlink()) line += " -> " + fs::read_symlink(entry.path()).string();
            else if (entry.is_regular_file()) {
                std::ifstream file(entry.path());
                line += " " + std::to_string(facts.st_mtim.tv_sec) + " " + std::to_string(facts.st_nlink) + " " +
                        std::string(std::istreambuf_iterator<char>(file), {});
            }
            lines.push_back(std::move(line));
        }
        std::sort(lines.begin(), lines.end());
        std::string text;
        for (const auto& line : lines) text += line + "\n";
        return text;
    }
    [[nodiscard]] bool overlays() const {
        const auto found = zones::workspace_method(folder, runner);
        if (found.method == WorkspaceMethod::overlay) return true;
        MESSAGE("skipped: " << found.why);
        return false;
    }

    static fs::path new_folder() {
        std::string name = (fs::temp_directory_path() / "cicd-trees-XXXXXX").string();
        return ::mkdtemp(name.data());
    }

    fs::path folder = new_folder(), project = new_folder();
    fs::path runner = fs::path(CICD_BIN_DIR) / "cicd-runner";
    std::optional<git::Sources> sources;
    zones::Trees trees{folder / "trees"};
    images::Store images{folder / "images"};
    std::shared_ptr<const zones::Trees::Use> layers;
};

constexpr const char* vandal =
    "echo more >> src/file1; rm src/file2; mv src/file3 src/moved; chmod 0700 src/file4; ln src/file5 src/hard; "
    "echo x >> src/hard; rm -r src/deep; ln -sf tool link; mkdir -p src/deep/new; touch src/file6; "
    "truncate -s 0 src/file7; mv src away; echo done";

/// What `find` sees of a checkout, without times.
constexpr const char* census = "find . -not -name . -printf '%P %M %l\\n' | sort; find . -type f | sort | xargs cat | sha256sum";

}  // namespace

TEST_CASE("what a job does to its files changes neither the cached tree nor another job's") {
    State state;
    if (!state.overlays()) return;
    const auto source = state.snapshot();
    const auto first = state.make("job-1", source, vandal);
    const auto second = state.make("job-2", source, "cat src/file1 src/file2 link src/file5 src/deep/inner; ./tool; ls src | wc -l");
    const fs::path tree = state.layers->layers.front();
    const auto before = State::look(tree);
    CHECK(State::run(first) == "done\n");
    CHECK(State::look(tree) == before);
    CHECK(State::run(second) == "file 1\nfile 2\nfile 1\nfile 5\ninner\ntool\n301\n");
    CHECK(State::look(tree) == before);
}

TEST_CASE("an edit costs what it changed, and a job sees exactly the edited tree") {
    State state;
    if (!state.overlays()) return;
    const auto whole = state.use(state.snapshot());
    REQUIRE(whole->layers.size() == 1);
    state.write("src/file10", "edited\n");
    state.sh("rm -r src/deep src/file11 && echo file > src/deep && rm link && mkdir link && echo in > link/below && chmod -x tool");
    const auto edited = state.snapshot();
    const auto seen = State::run(state.make("job-1", edited, census));
    CHECK(state.layers->layers.size() == 2);
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(state.layers->layers.front())) files += entry.is_regular_file();
    CHECK(files == 4);
    const fs::path real = state.folder / "real";
    fs::create_directory(real);
    REQUIRE(state.sources->checkout(edited, real).has_value());
    const auto output = state.folder / "census";
    REQUIRE(std::system(("cd '" + real.string() + "' && export LC_ALL=C.UTF-8 && { " + census + " ; } > '" + output.string() + "'").c_str()) == 0);
    std::ifstream file(output);
    CHECK(seen == std::string(std::istreambuf_iterator<char>(file), {}));
}

TEST_CASE("many who ask at once get one tree; nothing half-made stays") {
    State state;
    const auto source = state.snapshot();
    std::vector<std::thread> askers;
    std::vector<std::string> answers(8);
    for (auto& answer : answers)
        askers.emplace_back([&] {
            const auto use = state.trees.use(source, *state.sources, true);
            if (use) answer = (*use)->layers.front();
        });
    for (auto& asker : askers) asker.join();
    for (const auto& answer : answers) CHECK(answer == (state.folder / "trees" / source.tree / "files").string());
    CHECK(std::distance(fs::directory_iterator(state.folder / "trees"), {}) == 1);
}

TEST_CASE("what a crash left half-made is never used, and goes; a tree of another boot is made again") {
    State state;
    const auto source = state.snapshot();
    const auto half = state.folder / "trees/.new-abcdef";
    fs::create_directories(half / "files/src");
    std::ofstream(half / "files/src/file1") << "fi";
    const auto tree = state.folder / "trees" / source.tree;
    fs::create_directories(tree / "files");
    std::ofstream(tree / "facts") << "boot of-old\nrepository x\nbase \nfiles 1\nbytes 1\n";
    const auto use = state.use(source);
    CHECK(fs::file_size(fs::path(use->layers.front()) / "src/file1") == 7);
    REQUIRE(zones::trim_trees(state.folder, ~0ull, 100).has_value());
    CHECK(!fs::exists(half));
    CHECK(fs::exists(tree / "files/tool"));
}

TEST_CASE("trees beyond the limit go, those unused for the longest time first, but never one in use") {
    State state;
    auto first = state.snapshot(), second = first, third = first;
    auto used = state.use(first);
    state.write("src/file1", "second\n");
    second = state.snapshot();
    (void)state.use(second);
    state.sh("rm -r src && mkdir src && for i in $(seq 250); do echo $i > src/$i; done");
    third = state.snapshot();
    (void)state.use(third);
    const auto there = [&](const model::Source& source) { return fs::exists(state.folder / "trees" / source.tree); };
    CHECK(*zones::trim_trees(state.folder, ~0ull, 2) > 0);
    CHECK(there(first));
    CHECK(!there(second));
    CHECK(there(third));
    CHECK(*zones::trim_trees(state.folder, 0, 0) > 1'000'000);
    CHECK(there(first));
    CHECK(!there(third));
    used.reset();
    CHECK(*zones::trim_trees(state.folder, 0, 0) > 1'000'000);
    CHECK(!there(first));
}

TEST_CASE("an ordinary user has the same workspaces") {
    if (::geteuid() != 0) return;  // then every other test has shown it
    State state;
    if (!state.overlays()) return;
    const auto paths = state.make("job-1", state.snapshot(), vandal);
    const auto copy = state.folder / "cicd-runner";
    fs::copy_file(state.runner, copy);
    const fs::path tree = state.layers->layers.front();
    const auto before = State::look(tree);
    REQUIRE(std::system(("chown -R 65534:65534 '" + state.folder.string() + "'").c_str()) == 0);
    CHECK(State::run(paths, {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", copy.string()}) == "done\n");
    CHECK(State::look(tree) == before);
    CHECK(fs::exists(paths.workspace() / "upper/away"));
}

TEST_CASE("hashFiles reads the workspace as the job sees it") {
    State state;
    if (!state.overlays()) return;
    const auto paths = state.make("job-1", state.snapshot(), "echo ${{ hashFiles('src/**') }} | wc -c");
    CHECK(State::run(paths) == "65\n");
}

TEST_CASE("where neither overlay nor reflink works, the workspace is a copy") {
    State state;
    ::setenv("CICD_WORKSPACE", "copy", 1);
    const auto paths = state.make("job-1", state.snapshot(), "cat src/file1; echo mine > src/file1");
    ::unsetenv("CICD_WORKSPACE");
    CHECK(fs::exists(paths.workspace() / "src/file2"));
    CHECK(state.layers == nullptr);
    CHECK(State::run(paths) == "file 1\n");
}

TEST_CASE("a copied tree is equal, and shares no file") {
    State state;
    const auto use = state.use(state.snapshot());
    const auto copy = state.folder / "copy";
    fs::create_directory(copy);
    REQUIRE(zones::copy_tree(use->layers.front(), copy).has_value());
    const auto before = State::look(use->layers.front());
    CHECK(State::look(copy) == before);
    std::ofstream(copy / "src/file1") << "changed\n";
    CHECK(State::look(use->layers.front()) == before);
}
