#include "daemon/images/store.hpp"

#include "daemon/os/files.hpp"

#include "tests/support/image.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <functional>

using namespace cicd;
using images::Store;
using test::Tar;

namespace fs = std::filesystem;

namespace {

struct Scene {
    test::TempDir folder;
    Store store{folder / "images"};

    Result<contract::Image> import(const test::ImageParts& parts, const std::string& name = "tool:1") {
        const auto path = folder / ("layout-" + std::to_string(++count));
        test::write_oci_layout(path, parts);
        return store.import({name, path.string(), ""});
    }
    fs::path root(const contract::Image& image) const { return folder / "images" / image.digest.substr(7) / "rootfs"; }
    /// What lies in the store, besides names.
    std::vector<std::string> entries() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(folder / "images"))
            if (entry.path().filename() != "names") found.push_back(entry.path().filename());
        return found;
    }
    int count = 0;
};

std::string layer(const std::function<void(Tar&)>& fill) {
    Tar tar;
    fill(tar);
    return tar.bytes();
}

}  // namespace

TEST_CASE("A layout, an OCI archive and a docker archive give the same files") {
    Scene scene;
    const test::ImageParts parts{
        {layer([](Tar& t) { t.folder("etc").file("etc/a", "one\n").link("a", "etc/a").hard_link("etc/b", "etc/a"); })},
        R"({"Env":["A=1","PATH=/x:/y"],"User":"app","WorkingDir":"/srv","Entrypoint":["/init"],"Cmd":["run"]})", ""};
    const auto from_layout = test::write_oci_layout(scene.folder / "layout", parts);
    const auto from_archive = test::write_oci_archive(scene.folder / "image.tar", parts);
    const auto from_docker = test::write_docker_archive(scene.folder / "saved.tar", parts);
    CHECK(from_layout == from_archive);

    for (const auto& [path, digest] : {std::pair{"layout", from_layout}, std::pair{"image.tar", from_archive}, std::pair{"saved.tar", from_docker}}) {
        INFO(path);
        const auto image = scene.store.import({std::string("tool:") + path, (scene.folder / path).string(), ""});
        REQUIRE_MESSAGE(image.has_value(), (image ? "" : image.error().message));
        CHECK(image->digest == digest);
        CHECK(image->env == model::Texts{{"A", "1"}, {"PATH", "/x:/y"}});
        CHECK(image->user == "app");
        CHECK(image->working_directory == "/srv");
        CHECK(image->entrypoint == std::vector<std::string>{"/init"});
        CHECK(test::read_file(scene.root(*image) / "a") == "one\n");
        CHECK(fs::hard_link_count(scene.root(*image) / "etc/b") == 2);
    }
    // Unpacked once for each digest; nothing half-made stays.
    CHECK(scene.entries().size() == 2);
    CHECK(scene.store.list().size() == 2);
}

TEST_CASE("The tar of a root is an image of one layer; a tar of something else is none") {
    Scene scene;
    const auto root = layer([](Tar& t) { t.folder("./").folder("./bin").file("./bin/tool", "x", 0755).folder("./etc").file("./etc/a", "one\n"); });
    test::write_file(scene.folder / "root.tar", root);
    const auto image = scene.store.import({"base", (scene.folder / "root.tar").string(), ""});
    REQUIRE(image.has_value());
    CHECK(image->digest == test::sha256(root));
    CHECK(test::read_file(scene.root(*image) / "etc/a") == "one\n");
    CHECK(scene.store.show("base")->files == 5);
    test::write_file(scene.folder / "other.tar", layer([](Tar& t) { t.file("notes", "x"); }));
    test::write_file(scene.folder / "text", "no tar at all, however long this text may be\n");
    for (const char* name : {"other.tar", "text"}) {
        const auto refused = scene.store.import({"x", (scene.folder / name).string(), ""});
        REQUIRE(!refused);
        CHECK(refused.error().code == "IMAGE_003");
    }
    CHECK(scene.entries().size() == 1);
}

TEST_CASE("Later layers replace, remove and hide what earlier ones brought") {
    Scene scene;
    const auto image = scene.import({{layer([](Tar& t) {
                                          t.folder("d").file("d/old", "old").file("d/gone", "x").folder("o").file("o/below", "x")
                                              .file("file", "1").folder("folder").file("folder/in", "x").link("usr", "d");
                                      }),
                                      layer([](Tar& t) {
                                          t.file("d/.wh.gone", "").file("o/new", "n").file("o/.wh..wh..opq", "")
                                              .folder("file").file("file/now", "2").file("folder", "3").file("usr/through", "4")
                                              .device("dev-node").file("suid", "s", 06755);
                                      })}});
    REQUIRE(image.has_value());
    const auto root = scene.root(*image);
    CHECK(test::read_file(root / "d/old") == "old");
    CHECK(!fs::exists(root / "d/gone"));
    CHECK(!fs::exists(root / "o/below"));
    CHECK(test::read_file(root / "o/new") == "n");
    CHECK(test::read_file(root / "file/now") == "2");
    CHECK(test::read_file(root / "folder") == "3");
    CHECK(test::read_file(root / "d/through") == "4");
    CHECK(!fs::exists(root / "dev-node"));
    CHECK(image->skipped == 1);
    struct stat facts {};
    REQUIRE(::stat((root / "suid").c_str(), &facts) == 0);
    CHECK((facts.st_mode & 07777) == 0755);
}

TEST_CASE("Nothing of a hostile image leaves its folder") {
    Scene scene;
    test::write_file(scene.folder / "victim/keep", "safe");
    const auto outside = (scene.folder / "victim").string();
    const auto try_layers = [&](std::vector<std::string> layers) { return scene.import({std::move(layers), "{}", ""}, "evil:1"); };

    SUBCASE("dots are refused") {
        const auto image = try_layers({layer([](Tar& t) { t.file("../../victim/keep", "evil"); })});
        REQUIRE(!image);
        CHECK(image.error().code == "IMAGE_003");
        CHECK(image.error().message.find("leads out of the image") != std::string::npos);
    }
    SUBCASE("an absolute link is the image's own") {
        const auto image = try_layers({layer([&](Tar& t) { t.link("out", outside).file("in" + outside + "/x", "y"); }),
                                       layer([](Tar& t) { t.file("out/keep", "evil"); })});
        // The link's target is not there inside the image, and is not made through the link.
        CHECK(!image);
    }
    SUBCASE("a link with dots is, too") {
        const auto image = try_layers({layer([](Tar& t) { t.folder("victim").link("up", "../../../../victim").file("up/keep", "evil"); })});
        REQUIRE(image.has_value());
        CHECK(test::read_file(scene.root(*image) / "victim/keep") == "evil");
    }
    SUBCASE("a hard link to the outside finds nothing") {
        const auto image = try_layers({layer([&](Tar& t) { t.hard_link("mine", outside + "/keep"); })});
        CHECK(!image);
    }
    SUBCASE("whiteouts remove nothing outside") {
        const auto image = try_layers({layer([](Tar& t) { t.folder("a").link("a/up", "../../../../victim"); }),
                                       layer([](Tar& t) { t.folder("victim").file("a/up/.wh.keep", "").file("a/up/.wh..wh..opq", ""); })});
        CHECK(image.has_value());
        const auto named = try_layers({layer([](Tar& t) { t.file("a/.wh...", ""); })});
        CHECK(!named);
    }
    SUBCASE("a hard link to a link does not follow it") {
        const auto image = try_layers({layer([&](Tar& t) { t.link("l", outside + "/keep").hard_link("h", "l").file("h", "evil"); })});
        CHECK(image.has_value());
    }
    CHECK(test::read_file(scene.folder / "victim/keep") == "safe");
    CHECK(std::distance(fs::directory_iterator(scene.folder / "victim"), fs::directory_iterator()) == 1);
    // What was refused leaves nothing.
    for (const auto& entry : scene.entries()) CHECK(entry.size() == 64);
}

TEST_CASE("A part that is not what its digest says is refused") {
    Scene scene;
    const test::ImageParts parts{{layer([](Tar& t) { t.file("a", "1"); })}, "{}", ""};
    test::write_oci_layout(scene.folder / "l", parts);
    const auto blob = scene.folder / "l/blobs/sha256" / test::sha256(parts.layers[0]).substr(7);
    test::write_file(blob, layer([](Tar& t) { t.file("a", "2"); }));
    const auto image = scene.store.import({"x", (scene.folder / "l").string(), ""});
    REQUIRE(!image);
    CHECK(image.error().message.find("has the sum") != std::string::npos);
    CHECK(scene.entries().empty());
    CHECK(!scene.store.show("x"));
}

TEST_CASE("An image larger than the limits is refused, and leaves nothing") {
    test::TempDir folder;
    Store store(folder / "images", {.bytes = 10'000, .entries = 20, .reserve = 0});
    test::write_oci_layout(folder / "large", {{layer([](Tar& t) { t.file("a", std::string(20'000, 'x')); })}, "{}", ""});
    test::write_oci_layout(folder / "many", {{layer([](Tar& t) { for (int i = 0; i < 30; ++i) t.file("f" + std::to_string(i), ""); })}, "{}", ""});
    for (const char* name : {"large", "many"}) {
        const auto image = store.import({"x", (folder / name).string(), ""});
        REQUIRE(!image);
        CHECK(image.error().code == "IMAGE_004");
    }
    CHECK(std::distance(fs::directory_iterator(folder / "images"), fs::directory_iterator()) == 1);
}

TEST_CASE("An image goes with its last name, unless a job uses it") {
    Scene scene;
    const test::ImageParts parts{{layer([](Tar& t) { t.file("a", "1"); })}, "{}", ""};
    const auto image = scene.import(parts, "one");
    REQUIRE(image.has_value());
    REQUIRE(scene.import(parts, "registry.example.com:5000/team/two:2").has_value());
    CHECK(scene.store.show("one")->names == std::vector<std::string>{"one:latest", "registry.example.com:5000/team/two:2"});
    REQUIRE(scene.store.remove("one").has_value());
    CHECK(!scene.store.show("one"));
    {
        const auto use = scene.store.use(image->digest, "");
        REQUIRE(use.has_value());
        const auto removed = scene.store.remove("registry.example.com:5000/team/two:2");
        REQUIRE(!removed);
        CHECK(removed.error().code == "IMAGE_005");
        CHECK(scene.store.show("registry.example.com:5000/team/two:2").has_value());
    }
    REQUIRE(scene.store.remove(image->digest).has_value());
    CHECK(scene.store.list().empty());
    CHECK(scene.entries().empty());
}

TEST_CASE("A sweep takes what a crash left, and nothing that somebody is at") {
    Scene scene;
    REQUIRE(scene.import({{layer([](Tar& t) { t.file("a", "1"); })}, "{}", ""}).has_value());
    fs::create_directories(scene.folder / "images/.new-left/rootfs");
    fs::create_directories(scene.folder / "images/.new-busy/rootfs");
    const auto busy = os::hold_directory(scene.folder / "images/.new-busy");
    scene.store.sweep();
    CHECK(!fs::exists(scene.folder / "images/.new-left"));
    CHECK(fs::exists(scene.folder / "images/.new-busy"));
    CHECK(scene.store.list().size() == 1);
}

TEST_CASE("Users are looked up in the image") {
    Scene scene;
    const auto image = scene.import({{layer([](Tar& t) {
                                         t.folder("etc").file("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:12:34::/home/app:/bin/sh\n")
                                             .file("etc/group", "web:x:80:\n");
                                     })}, R"({"User":"app"})", ""});
    REQUIRE(image.has_value());
    const auto user = [&](const std::string& wanted) { return scene.store.use(image->digest, wanted); };
    CHECK((*user(""))->root.user == 12);
    CHECK((*user(""))->root.group == 34);
    CHECK((*user(""))->root.home == "/home/app");
    CHECK((*user("app:web"))->root.group == 80);
    CHECK((*user("77:88"))->root.user == 77);
    CHECK((*user("77:88"))->root.home == "/");
    CHECK((*user("root"))->root.home == "/root");
    CHECK(!user("nobody-knows"));
    CHECK(!user("-1"));
    CHECK(!user("99999999999"));
}

TEST_CASE("References are names with tags and digests, or paths in the repository") {
    const auto text = [](const std::string& t) {
        const auto parsed = images::parse_reference(t);
        return parsed ? parsed->text() : "!";
    };
    const std::string digest = "sha256:" + std::string(64, 'a');
    CHECK(text("debian") == "debian:latest");
    CHECK(text("debian:12") == "debian:12");
    CHECK(text("localhost:5000/a/b:c") == "localhost:5000/a/b:c");
    CHECK(text("localhost:5000/a/b") == "localhost:5000/a/b:latest");
    CHECK(text("debian:12@" + digest) == "debian:12@" + digest);
    CHECK(text("oci:images/base") == "oci:images/base");
    for (const char* bad : {"", ":", "a:", "../x", "/x", "a//b", "A", "a b", "a@sha256:1", "oci:/etc", "oci:../x", "docker-archive:a/../../b",
                            "a/", "a%2Fb", "-x", "a:b:c", "oci:"})
        CHECK_MESSAGE(text(bad) == "!", bad);
}
