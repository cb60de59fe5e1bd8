#include "tests/unit/daemon/objects/fixture.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

using namespace cicd;
using namespace cicd::objects;

namespace {

bool mentions(const std::vector<std::string>& notes, const std::string& text) {
    return std::any_of(notes.begin(), notes.end(), [&](const auto& note) { return note.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("a tree comes back as it was: bytes, modes, links, empty folders, times where they are kept") {
    const Shop shop;
    const auto large = noise(300'000);
    const std::string dull(200'000, 'a');
    shop.write("bin/tool", "#!/bin/sh\n", 0755);
    shop.write("large", large);
    shop.write("dull", dull, 0600);
    shop.write("empty", "");
    shop.write("name with spaces %", "x");
    fs::create_directories(shop.workspace() / "hollow/inner");
    ::chmod((shop.workspace() / "hollow/inner").c_str(), 0700);
    fs::create_symlink("../bin/tool", shop.workspace() / "hollow/link");
    const timespec times[2]{{0, UTIME_OMIT}, {1'000'000, 5}};
    ::utimensat(AT_FDCWD, (shop.workspace() / "large").c_str(), times, 0);

    const auto saved = shop.save({{"**"}, {}}, {.times = true});
    REQUIRE(saved.has_value());
    CHECK(saved->files == 5);
    CHECK(saved->size == 300'000 + 200'000 + 10 + 1);
    CHECK(saved->notes.empty());
    const auto back = shop.root / "back";
    REQUIRE(shop.restore(saved->digest, back).has_value());
    CHECK(text_of(back / "large") == large);
    CHECK(text_of(back / "dull") == dull);
    CHECK(text_of(back / "bin/tool") == "#!/bin/sh\n");
    CHECK(text_of(back / "name with spaces %") == "x");
    CHECK(fs::is_empty(back / "hollow/inner"));
    CHECK(fs::read_symlink(back / "hollow/link") == "../bin/tool");
    struct stat facts {};
    REQUIRE(::stat((back / "large").c_str(), &facts) == 0);
    CHECK(facts.st_mtim.tv_sec == 1'000'000);
    CHECK(facts.st_mtim.tv_nsec == 5);
    REQUIRE(::stat((back / "dull").c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    REQUIRE(::stat((back / "bin/tool").c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0755);
    REQUIRE(::stat((back / "hollow/inner").c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0700);
}

TEST_CASE("the same content is the same digest and is kept once; small files share one object") {
    const Shop shop;
    for (int i = 0; i < 500; ++i) shop.write("many/" + std::to_string(i), "file " + std::to_string(i));
    shop.write("large", noise(100'000));
    const auto first = shop.save();
    REQUIRE(first.has_value());
    CHECK(shop.objects().size() == 3);  // the pack, the large file, the manifest
    const auto second = shop.save();
    REQUIRE(second.has_value());
    CHECK(first->digest == second->digest);
    CHECK(shop.objects().size() == 3);
    for (const auto& object : shop.objects()) CHECK((fs::status(object).permissions() & fs::perms::owner_write) == fs::perms::none);
}

TEST_CASE("what compresses is compressed, what does not stays as it is") {
    const Shop shop;
    shop.write("dull", std::string(1'000'000, 'x'));
    shop.write("noise", noise(1'000'000));
    REQUIRE(shop.save().has_value());
    std::uint64_t plain = 0, compressed = 0;
    for (const auto& object : shop.objects()) (object.extension() == ".zst" ? compressed : plain) += fs::file_size(object);
    CHECK(plain >= 1'000'000);
    CHECK(compressed < 10'000);
    CHECK(compressed > 0);
}

TEST_CASE("globs choose, later ones decide, a folder stands for all below it") {
    const Shop shop;
    for (const auto* path : {"dist/a.js", "dist/a.js.map", "dist/sub/b.js", "src/c.js", "keep/x", "keep/skip/y"}) shop.write(path, path);
    const auto paths_of = [&](Selection selection) {
        const auto saved = shop.save(selection);
        REQUIRE(saved.has_value());
        std::vector<std::string> paths;
        if (saved->entries == 0) return paths;
        const auto manifest = read_manifest(shop.store(), saved->digest);
        for (const auto& entry : manifest->entries)
            if (entry.kind == Entry::Kind::file) paths.push_back(entry.path);
        return paths;
    };
    using Paths = std::vector<std::string>;
    CHECK(paths_of({{"dist/**"}, {"**/*.map"}}) == Paths{"dist/a.js", "dist/sub/b.js"});
    CHECK(paths_of({{"dist"}, {}}) == Paths{"dist/a.js", "dist/a.js.map", "dist/sub/b.js"});
    CHECK(paths_of({{"./keep/", "!keep/skip"}, {}}) == Paths{"keep/x"});
    CHECK(paths_of({{"**/*.js"}, {"src"}}) == Paths{"dist/a.js", "dist/sub/b.js"});
    CHECK(paths_of({{"nothing/**"}, {}}).empty());
    for (const auto* path : {"/etc", "../up", "a/../../up"}) {
        INFO(path);
        const auto refused = shop.save({{path}, {}});
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == "ARTIFACT_002");
    }
}

TEST_CASE("what could lead out or is no file is left out, and told") {
    const Shop shop;
    shop.write("good", "x");
    fs::create_symlink("/etc/passwd", shop.workspace() / "absolute");
    fs::create_symlink("../outside", shop.workspace() / "up");
    fs::create_directories(shop.workspace() / "d");
    fs::create_symlink("here/../..", shop.workspace() / "d/winding");
    fs::create_symlink("../good", shop.workspace() / "d/fine");
    fs::create_directory_symlink("/etc", shop.workspace() / "folder");
    ::mkfifo((shop.workspace() / "pipe").c_str(), 0644);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (shop.workspace() / "socket").c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(socket);
    const auto saved = shop.save();
    REQUIRE(saved.has_value());
    CHECK(saved->files == 1);
    for (const auto* name : {"absolute", "up", "d/winding", "folder", "pipe", "socket"}) {
        INFO(name);
        CHECK(mentions(saved->notes, std::string("'") + name + "'"));
    }
    REQUIRE(shop.restore(saved->digest, shop.root / "back").has_value());
    CHECK(fs::read_symlink(shop.root / "back/d/fine") == "../good");
    CHECK(!fs::exists(fs::symlink_status(shop.root / "back/absolute")));
}

TEST_CASE("odd names are refused in artifacts and kept in caches") {
    for (const std::string name : {"new\nline", "bad\xff utf", "back\\slash", "bell\a"}) {
        const Shop shop;
        shop.write(name, "content");
        const auto refused = shop.save();
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == "ARTIFACT_003");
        CHECK(refused.error().message.find('\n') == std::string::npos);
        const auto kept = shop.save({{"**"}, {}}, {.any_name = true});
        REQUIRE(kept.has_value());
        REQUIRE(shop.restore(kept->digest, shop.root / "back").has_value());
        CHECK(text_of(shop.root / "back" / name) == "content");
    }
}

TEST_CASE("a sparse giant is refused at once") {
    const Shop shop;
    shop.write("giant", "");
    REQUIRE(::truncate((shop.workspace() / "giant").c_str(), off_t{1} << 40) == 0);
    const auto refused = shop.save();
    REQUIRE(refused.has_error());
    CHECK(refused.error().message.find("sparse") != std::string::npos);
}

TEST_CASE("files that nobody changes any more become the objects themselves") {
    const Shop shop;
    shop.write("large", noise(500'000));
    struct stat before {}, after {};
    REQUIRE(::stat((shop.workspace() / "large").c_str(), &before) == 0);
    const auto saved = shop.save({{"large"}, {}}, {.may_link = true});
    REQUIRE(saved.has_value());
    const auto manifest = read_manifest(shop.store(), saved->digest);
    REQUIRE(::stat(shop.store().path(manifest->entries.at(0).digest, false).c_str(), &after) == 0);
    CHECK(before.st_ino == after.st_ino);
}

TEST_CASE("putting back replaces files and refuses to go through links and over folders") {
    const Shop shop;
    shop.write("a/file", "new");
    const auto saved = shop.save();
    REQUIRE(saved.has_value());
    const auto into = [&](auto prepare) {
        const auto to = shop.root / "to";
        (void)os::remove_all(to);
        fs::create_directories(to);
        prepare(to);
        return shop.restore(saved->digest, to);
    };
    CHECK(into([](const fs::path& to) {
              fs::create_directories(to / "a");
              std::ofstream(to / "a/file") << "old and longer";
          }).has_value());
    CHECK(text_of(shop.root / "to/a/file") == "new");
    const auto elsewhere = shop.root / "elsewhere";
    fs::create_directories(elsewhere);
    const auto through = into([&](const fs::path& to) { fs::create_directory_symlink(elsewhere, to / "a"); });
    REQUIRE(through.has_error());
    CHECK(through.error().code == "ARTIFACT_004");
    CHECK(fs::is_empty(elsewhere));
    std::ofstream(elsewhere / "target") << "mine";
    CHECK(into([&](const fs::path& to) {
              fs::create_directories(to / "a");
              fs::create_symlink(elsewhere / "target", to / "a/file");
          }).has_value());
    CHECK(text_of(elsewhere / "target") == "mine");
    CHECK(into([](const fs::path& to) { fs::create_directories(to / "a/file"); }).has_error());
}

TEST_CASE("a manifest reads back as it was written, and nothing else is read as one") {
    Manifest manifest;
    const std::string digest(64, 'a');
    manifest.packs = {{digest, 30}};
    manifest.entries = {{.kind = Entry::Kind::folder, .path = "d", .mode = 0755},
                        {.path = "d/odd % \n name", .mode = 0640, .size = 10, .digest = digest, .pack = 0, .offset = 20, .time = -5},
                        {.kind = Entry::Kind::link, .path = "d/l", .mode = 0777, .target = "odd name"},
                        {.path = "own", .mode = 0755, .size = 1 << 20, .digest = digest}};
    const auto text = to_text(manifest);
    const auto read = parse_manifest(text);
    REQUIRE(read.has_value());
    CHECK(*read == manifest);
    CHECK(to_text(*read) == text);
    for (const std::string bad :
         {"", "cicd-manifest 2\n", "cicd-manifest 1\nf 644 1 - - - a\n", "cicd-manifest 1\nd 755 ../a\n", "cicd-manifest 1\nd 755 /a\n",
          "cicd-manifest 1\nd 755 a//b\n", "cicd-manifest 1\nd 755 a%0\n", "cicd-manifest 1\nd 7755 a\n", "cicd-manifest 1\nd 755 a",
          "cicd-manifest 1\nl ../../x a/b\n", "cicd-manifest 1\nx 1\n"}) {
        INFO(bad);
        CHECK(parse_manifest(bad).has_error());
    }
    CHECK(parse_manifest("cicd-manifest 1\nf 644 1 " + digest + " 0:0 - a\n").has_error());
    CHECK(parse_manifest("cicd-manifest 1\np " + digest + " 4\nf 644 5 " + digest + " 0:0 - a\n").has_error());
    CHECK(parse_manifest("cicd-manifest 1\np " + digest + " 4\nf 644 1 " + digest + " 0:18446744073709551615 - a\n").has_error());
}

TEST_CASE("a download is whole, can begin anywhere, and as an archive is what tar reads") {
    const Shop shop;
    shop.write("dir/" + std::string(150, 'n') + "/file", noise(70'000));
    shop.write("dir/small", "small");
    shop.write("dull", std::string(300'000, 'd'));
    fs::create_symlink("small", shop.workspace() / "dir/link");
    const auto saved = shop.save();
    REQUIRE(saved.has_value());
    const auto all = [&](Download download) {
        std::string bytes;
        for (;;) {
            const auto piece = download.next();
            REQUIRE(piece.has_value());
            if (piece->empty()) return bytes;
            bytes += *piece;
        }
    };
    const auto manifest = *read_manifest(shop.store(), saved->digest);
    const auto archive = all(Download::tar(shop.store(), manifest));
    CHECK(archive.size() == Download::tar(shop.store(), manifest).size());
    for (const std::uint64_t offset : {std::uint64_t{1}, std::uint64_t{511}, std::uint64_t{70'000}, std::uint64_t{archive.size() / 2}, archive.size() - 3, archive.size()}) {
        auto part = Download::tar(shop.store(), manifest);
        part.begin_at(offset);
        INFO(offset);
        CHECK(all(std::move(part)) == archive.substr(offset));
    }
    std::ofstream(shop.root / "a.tar", std::ios::binary) << archive;
    fs::create_directories(shop.root / "unpacked");
    REQUIRE(std::system(("tar -C " + (shop.root / "unpacked").string() + " -xf " + (shop.root / "a.tar").string()).c_str()) == 0);
    REQUIRE(std::system(("diff -r " + (shop.root / "unpacked").string() + " " + shop.workspace().string()).c_str()) == 0);
    auto one = Download::file(shop.store(), manifest, "dull");
    REQUIRE(one.has_value());
    one->begin_at(299'990);
    CHECK(all(std::move(*one)) == "dddddddddd");
    CHECK(Download::file(shop.store(), manifest, "../etc/passwd").has_error());
}
