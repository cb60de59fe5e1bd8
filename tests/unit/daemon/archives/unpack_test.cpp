#include "common/base/tar.hpp"
#include "daemon/archives/pack.hpp"
#include "daemon/archives/tree.hpp"
#include "daemon/archives/unpack.hpp"
#include "tests/unit/daemon/objects/fixture.hpp"

using namespace cicd;
using namespace cicd::objects;
using archives::UnpackLimits;

namespace {

std::string file(const std::string& path, const std::string& text, unsigned mode = 0644) {
    auto out = tar_header({TarEntry::Kind::file, path, mode, text.size()}) + text;
    out.append(tar_padded(text.size()) - text.size(), '\0');
    return out;
}

std::string special(const std::string& path, char type, const std::string& target = {}) {
    auto header = tar_header({TarEntry::Kind::link, path, 0644, 0, target});
    header[156] = type;
    unsigned sum = 0;
    header.replace(148, 8, "        ");
    for (const char c : header) sum += static_cast<unsigned char>(c);
    for (int place = 5; place >= 0; --place, sum /= 8) header[148 + static_cast<std::size_t>(place)] = static_cast<char>('0' + sum % 8);
    header[154] = '\0';
    return header;
}

const std::string end(tar_end, '\0');

Result<SavedTree> unpacked(const Shop& shop, const std::string& archive, const UnpackLimits& limits = {}) {
    const auto memory = os::memory_file("archive", archive);
    return archives::unpack(shop.store(), memory->get(), limits);
}

std::string why_not(const std::string& archive, const UnpackLimits& limits = {}) {
    const Shop shop;
    const auto outcome = unpacked(shop, archive, limits);
    if (outcome) return "it was taken";
    CHECK(outcome.error().code == "ARTIFACT_006");
    return outcome.error().message;
}

bool says(const std::string& text, const std::string& part) {
    INFO(text);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an archive becomes a tree: folders before what is in them, links, hard links as files, large and small") {
    const Shop shop;
    const auto large = noise(300'000);
    const auto saved = unpacked(shop, file("b/large", large, 0755) + file("./a//x", "small") + special("a/y", '1', "a/x") +
                                          special("a/link", '2', "../b/large") + file("b-c", "") + end);
    REQUIRE(saved.has_value());
    CHECK(saved->files == 4);
    CHECK(saved->size == large.size() + 10);
    const auto manifest = read_manifest(shop.store(), saved->digest);
    REQUIRE(manifest.has_value());
    std::string paths;
    for (const auto& entry : manifest->entries) paths += entry.path + " ";
    CHECK(paths == "a a/link a/x a/y b b/large b-c ");
    CHECK(shop.store().read(manifest->entries[5].digest, 1 << 20).value() == large);
    for (const auto& object : manifest->objects()) CHECK(shop.store().verify(object).has_value());
}

TEST_CASE("what leads out of the archive is refused") {
    CHECK(says(why_not(file("../up", "x") + end), "leads out"));
    CHECK(says(why_not(file("a/../../up", "x") + end), "leads out"));
    CHECK(says(why_not(file("/etc/passwd", "x") + end), "absolute name"));
    CHECK(says(why_not(special("a", '2', "/etc/passwd") + end), "may lead out"));
    CHECK(says(why_not(special("a", '2', "../up") + end), "may lead out"));
    CHECK(says(why_not(special("a/b", '2', "x/../../../up") + end), "may lead out"));
    CHECK(says(why_not(special("a", '1', "/etc/passwd") + end), "absolute name"));
    CHECK(says(why_not(special("a", '1', "../up") + end), "leads out"));
    CHECK(says(why_not(special("a", '1', "later") + file("later", "x") + end), "no file before it"));
    CHECK(says(why_not(special("link", '2', "other") + special("a", '1', "link") + end), "no file before it"));
    CHECK(says(why_not(special("link", '2', "other") + file("link/x", "x") + end), "no folder"));
    CHECK(says(why_not(file("a", "x") + file("a/b", "x") + end), "no folder"));
}

TEST_CASE("what is no file, folder or link, or comes twice, is refused") {
    CHECK(says(why_not(special("a", '3') + end), "device"));
    CHECK(says(why_not(special("a", '4') + end), "device"));
    CHECK(says(why_not(special("a", '6') + end), "pipe"));
    CHECK(says(why_not(file("a", "x") + file("a", "y") + end), "twice"));
    CHECK(says(why_not(file("a", "x") + file("./a", "y") + end), "twice"));
    CHECK(says(why_not(file("a", "x") + special("a", '2', "b") + end), "twice"));
}

TEST_CASE("names that not every system can show are refused") {
    CHECK(says(why_not(file("a\nb", "x") + end), "not every system"));
    CHECK(says(why_not(file("a\\b", "x") + end), "not every system"));
    CHECK(says(why_not(file("\xff\xfe", "x") + end), "not every system"));
    CHECK(says(why_not(file(std::string(300, 'a'), "x") + end), "255 bytes"));
    std::string deep;
    for (int i = 0; i < 250; ++i) deep += "d/";
    CHECK(says(why_not(file(deep + "x", "x") + end), "nested deeper"));
    std::string longer;
    for (int i = 0; i < 30; ++i) longer += std::string(200, 'a') + "/";
    CHECK(says(why_not(file(longer + "x", "x") + end), "too long a path"));
}

TEST_CASE("more than there is room for is refused before it is written: bytes, ratio, entries, names") {
    UnpackLimits limits;
    limits.bytes = 1000;
    CHECK(says(why_not(file("a", std::string(1001, 'x')) + end, limits), "room for"));
    CHECK(says(why_not(file("a", std::string(600, 'x')) + special("b", '1', "a") + end, limits), "room for"));
    limits = {};
    limits.entries = 3;
    CHECK(says(why_not(file("a", "") + file("b", "") + file("c", "") + file("d", "") + end, limits), "more than 3"));
    limits = {};
    limits.names = 10;
    CHECK(says(why_not(file("123456", "") + file("abcdef", "") + end, limits), "names are longer"));
    // A file that only says that it is huge.
    auto liar = tar_header({TarEntry::Kind::file, "a", 0644, std::uint64_t{1} << 50});
    CHECK(says(why_not(liar + end), "too much"));
}

TEST_CASE("what is damaged, cut off, empty or no archive is refused") {
    const auto whole = file("a", noise(100'000)) + file("b", noise(50'000, 2)) + end;
    CHECK(says(why_not(whole.substr(0, 60'000)), "damaged or not complete"));
    CHECK(says(why_not(whole.substr(0, 300)), "damaged or not complete"));
    CHECK(says(why_not(noise(10'000)), "damaged or not complete"));
    CHECK(says(why_not("PK\x03\x04 and no more"), "damaged or not complete"));
    CHECK(says(why_not(""), "empty"));
    auto flipped = whole;
    flipped[100'600 + 20] = static_cast<char>(flipped[100'600 + 20] ^ 1);
    const Shop shop;
    (void)unpacked(shop, flipped);  // inside of content nobody can tell; it must just not crash
}

TEST_CASE("what is packed on its way can be unpacked again, and holds the same") {
    const Shop shop;
    shop.write("dist/a", "hello");
    shop.write("dist/größe", noise(200'000), 0755);
    std::filesystem::create_directories(shop.workspace() / "dist/empty");
    std::filesystem::create_symlink("a", shop.workspace() / "dist/link");
    const auto saved = shop.save();
    REQUIRE(saved.has_value());
    const auto manifest = read_manifest(shop.store(), saved->digest);
    for (const auto format : {archives::Format::zip, archives::Format::tar_zst}) {
        auto packing = archives::Packing::begin(shop.store(), *manifest, format);
        REQUIRE(packing.has_value());
        std::string archive;
        for (;;) {
            const auto piece = packing->next();
            REQUIRE(piece.has_value());
            if (piece->empty()) break;
            archive += *piece;
        }
        const auto again = unpacked(shop, archive);
        INFO((again ? std::string() : again.error().message));
        REQUIRE(again.has_value());
        const auto same = read_manifest(shop.store(), again->digest);
        REQUIRE(same->entries.size() == manifest->entries.size());
        for (std::size_t i = 0; i < same->entries.size(); ++i) {
            CHECK(same->entries[i].path == manifest->entries[i].path);
            CHECK(same->entries[i].digest == manifest->entries[i].digest);
            CHECK(same->entries[i].mode == manifest->entries[i].mode);
            CHECK(same->entries[i].target == manifest->entries[i].target);
        }
    }
}
