#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

// Images of Debian's packages, from a mirror that the test makes: nothing of the network.
namespace {

namespace fs = std::filesystem;

bool has(const std::string& program) {
    if (run({"sh", "-c", "command -v " + program}).code == 0) return true;
    MESSAGE("skipped: " << program << " is not installed");
    return false;
}

/// One package in a flat repository.
std::string make_mirror(const fs::path& folder) {
    write_file(folder / "tiny/DEBIAN/control", "Package: cicd-tiny\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: tiny\n");
    write_file(folder / "tiny/usr/share/tiny/file", "of the package\n");
    REQUIRE(run({"dpkg-deb", "--root-owner-group", "-b", (folder / "tiny").string(), (folder / "cicd-tiny_1.0_all.deb").string()}).code == 0);
    fs::remove_all(folder / "tiny");
    RunOptions options;
    options.directory = folder;
    const auto index = run({"dpkg-scanpackages", "--multiversion", "."}, options);
    INFO(index.err);
    REQUIRE(index.code == 0);
    write_file(folder / "Packages", index.out);
    return "deb [trusted=yes] copy:" + folder.string() + " ./";
}

}  // namespace

TEST_CASE("an image is made of packages") {
    if (!has("mmdebstrap") || !has("dpkg-scanpackages") || !has("dpkg-deb")) return;
    World world;
    // apt reads it as a user of its own.
    fs::permissions(world.folder(), fs::perms{0755});
    const auto mirror = make_mirror(world.folder() / "mirror");
    const auto made = world.cicdctl({"image", "build", "tiny", "--variant", "extract", "--suite", "bookworm", "--mirror", mirror, "--packages", "cicd-tiny"});
    INFO(made.out, made.err);
    REQUIRE(made.code == 0);
    CHECK(contains(made.err, "I: "));
    const auto image = world.json({"image", "show", "tiny"});
    CHECK(image["source"].as_string() == "Debian's bookworm: cicd-tiny");
    const auto digest = image["digest"].as_string();
    CHECK(read_file(world.state() / "images" / digest.substr(7) / "rootfs/usr/share/tiny/file") == "of the package\n");

    const auto missing = world.cicdctl({"image", "build", "tiny", "--variant", "extract", "--suite", "bookworm", "--mirror", mirror, "--packages", "no-such-package"});
    INFO(missing.err);
    CHECK(missing.code == 69);
    CHECK(contains(missing.err, "no-such-package"));
    // Nothing half-made is left, once the daemon has let go of it.
    CHECK(eventually([&] {
        for (const auto& entry : fs::directory_iterator(world.state() / "images"))
            if (entry.path().filename().string().starts_with(".new-")) return false;
        return true;
    }));
}

TEST_CASE("a mirror that is not there, and mmdebstrap that is not installed, are told with what to do") {
    World world;
    if (has("mmdebstrap")) {
        const auto outcome = world.cicdctl({"image", "build", "x", "--suite", "bookworm", "--mirror", "http://127.0.0.1:1/debian"});
        INFO(outcome.err);
        CHECK(outcome.code == 69);
        CHECK(contains(outcome.err, "mmdebstrap could not make the image"));
        CHECK(contains(outcome.err, "--mirror"));
    }
    CHECK(world.cicdctl({"image", "build", "x", "--packages", "--evil"}).code == 2);
    world.kill_daemon();
    RunOptions nothing_there;
    nothing_there.env["PATH"] = "/nowhere";
    REQUIRE(world.cicdctl({"daemon", "start"}, nothing_there).code == 0);
    const auto outcome = world.cicdctl({"image", "build", "x"}, nothing_there);
    INFO(outcome.err);
    CHECK(outcome.code == 69);
    CHECK(contains(outcome.err, "apt-get install mmdebstrap"));
}
