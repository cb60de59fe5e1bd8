#include "common/model/mount.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using model::Mount;
using model::parse_mount;

TEST_CASE("volumes are a name, a folder or nothing, and where they are seen") {
    CHECK((*parse_mount("data:/srv/data/") == Mount{"data", "/srv/data", false}));
    CHECK((*parse_mount("/a//b:/c:ro,z") == Mount{"/a/b", "/c", true}));
    CHECK((*parse_mount("/only") == Mount{"", "/only", false}));
    CHECK(parse_mount("/dev/shm:/dev/shm")->is_folder());
    for (const auto* wrong : {"", "data", "data:srv", ":/x", "../up:/x", "/a/../b:/x", "a:/x/..", "a b:/x", "-a:/x", "a:/x:ro:more", "a:/x:exec", "a:/x,ro"})
        CHECK_MESSAGE(!parse_mount(wrong), wrong);
}

TEST_CASE("a volume hides nothing that a job needs") {
    for (const auto* taken : {"/", "//", "/workspace", "/run/cicd", "/run/.cicd/place", "/etc/hosts", "/proc/1", "/sys", "/dev"})
        CHECK_MESSAGE(!parse_mount("a:" + std::string(taken)), taken);
    CHECK(parse_mount("a:/workspace/sub").has_value());
    CHECK(parse_mount("a:/etc/app").has_value());
}

TEST_CASE("a folder is below another by whole names") {
    CHECK(model::is_below("/srv/a", {"/srv/a/"}));
    CHECK(model::is_below("/srv/a/b", {"/x", "/srv/a"}));
    CHECK(!model::is_below("/srv/ab", {"/srv/a"}));
    CHECK(!model::is_below("/srv", {"/srv/a"}));
    CHECK(model::is_below("/srv", {"/"}));
    CHECK(!model::is_below("/srv", {}));
}
