#include "daemon/images/debian.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::images;

using Words = std::vector<std::string>;

TEST_CASE("the machine's own suite and sources, or the mirror that is given") {
    CHECK(own_suite("ID=debian\nVERSION_CODENAME=bookworm\n") == "bookworm");
    CHECK(own_suite("ID=arch\n").empty());
    const std::vector<std::pair<std::string, std::string>> sources{
        {"/a", "deb http://mirror.example/debian bookworm main"}, {"/b", "deb http://other.example/ubuntu bookworm x"},
        {"/c", "URIs: http://mirror.example/debian-security\nSuites: bookworm-security"}, {"/d", "deb http://mirror.example/debian sid main"}};
    CHECK(mirror_arguments({}, "bookworm", sources) == Words{"/a", "/c"});
    contract::BuildImage wanted;
    wanted.mirror = "http://x/debian";
    CHECK(mirror_arguments(wanted, "sid", sources) == Words{"deb http://x/debian sid main"});
    wanted.trusted = true;
    CHECK(mirror_arguments(wanted, "sid", sources) == Words{"deb [trusted=yes] http://x/debian sid main"});
    wanted.mirror = "deb file:/x ./";
    CHECK(mirror_arguments(wanted, "sid", sources) == Words{"deb file:/x ./"});
}

TEST_CASE("what could be taken for mmdebstrap's options is refused") {
    Store store("/nowhere");
    const auto refused = [&](contract::BuildImage wanted) { return !DebianBuild::start(store, "/nowhere", std::move(wanted)).has_value(); };
    CHECK(refused({.name = "../x"}));
    CHECK(refused({.name = "base", .packages = {"--hook"}}));
    CHECK(refused({.name = "base", .packages = {"a;b"}}));
    CHECK(refused({.name = "base", .suite = "--variant=x"}));
    CHECK(refused({.name = "base", .mirror = "-x"}));
}
