#include "daemon/os/cgroup.hpp"
#include "daemon/os/ownership.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace cicd;
namespace fs = std::filesystem;

namespace {

struct Tree {
    Tree() {
        std::string name = (fs::temp_directory_path() / "cicd-tree-XXXXXX").string();
        root = ::mkdtemp(name.data());
        fs::create_directories(root / "tree/inner");
        for (const char* file : {"outside", "tree/file", "tree/inner/file", "elsewhere"}) std::ofstream(root / file) << file;
        fs::create_symlink(root / "outside", root / "tree/link");
        fs::create_hard_link(root / "elsewhere", root / "tree/shared");
        ::chmod((root / "tree/file").c_str(), 0640);
        ::chmod((root / "outside").c_str(), 0600);
        ::chmod((root / "elsewhere").c_str(), 0600);
        ::chmod((root / "tree/inner").c_str(), 0700);
    }
    ~Tree() { fs::remove_all(root); }
    [[nodiscard]] struct stat facts(const char* path) const {
        struct stat result {};
        REQUIRE(::lstat((root / path).c_str(), &result) == 0);
        return result;
    }
    fs::path root;
};

}  // namespace

TEST_CASE("a tree that is given away is given whole, and nothing outside of it") {
    if (::geteuid() != 0) {
        MESSAGE("skipped: only root gives files away");
        return;
    }
    const Tree tree;
    REQUIRE(os::give_tree(tree.root / "tree", 1234, 5678).has_value());
    for (const char* path : {"tree", "tree/inner", "tree/file", "tree/inner/file", "tree/link"}) {
        INFO(path);
        CHECK(tree.facts(path).st_uid == 1234);
        CHECK(tree.facts(path).st_gid == 5678);
    }
    CHECK(tree.facts("outside").st_uid == 0);
    CHECK(tree.facts("elsewhere").st_uid == 0);
    CHECK(os::give_tree(tree.root / "not there", 1, 1).has_value());
}

TEST_CASE("a tree that is opened lets everybody do what its owner may") {
    const Tree tree;
    REQUIRE(os::open_tree(tree.root / "tree").has_value());
    CHECK((tree.facts("tree/file").st_mode & 0777) == 0666);
    CHECK((tree.facts("tree/inner").st_mode & 0777) == 0777);
    CHECK((tree.facts("outside").st_mode & 0777) == 0600);
    CHECK((tree.facts("elsewhere").st_mode & 0777) == 0600);
}

TEST_CASE("what others' control groups count can be read") {
    const auto group = os::Group::of_process(::getpid());
    CHECK(!os::Group::of_process(0));
    CHECK(!os::Group::of_process(1 << 30));
    if (!group) {
        MESSAGE("skipped: no control group counts memory here");
        return;
    }
    CHECK(group->usage().oom_kills >= 0);
    CHECK(group->entries().empty());
}
