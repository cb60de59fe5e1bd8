#include "tests/unit/daemon/objects/fixture.hpp"

using namespace cicd;
using namespace cicd::objects;

namespace {

const std::function<bool()> never = [] { return false; };

Timestamp in(std::chrono::hours hours) { return SystemClock().now() + hours; }

CacheEntry entry(const std::string& key, const std::string& scope = "branch main") {
    CacheEntry made{.project = "/repo", .scope = scope, .key = key, .paths = {"deps/**"}};
    made.size = 100;
    made.created = SystemClock().now();
    made.boot = boot_id();
    return made;
}

CacheQuery query(const std::string& key, std::vector<std::string> restore_keys = {}, std::vector<std::string> scopes = {"branch main"}) {
    return {"/repo", key, std::move(scopes), std::move(restore_keys), {"deps/**"}};
}

}  // namespace

TEST_CASE("the exact key wins in any scope, then the newest of the first restore key that fits") {
    const Shop shop;
    const CacheIndex index(shop.root);
    std::string why;
    const auto now = SystemClock().now();
    CHECK(!index.find(query("deps-1"), now, why));
    CHECK(why.find("nothing was saved") != std::string::npos);
    auto older = entry("deps-1");
    older.created = now - std::chrono::hours(2);
    REQUIRE(index.put(older).has_value());
    REQUIRE(index.put(entry("deps-2", "branch topic")).has_value());
    REQUIRE(index.put(entry("other-1")).has_value());
    CHECK(index.find(query("deps-1"), now, why)->entry.key == "deps-1");
    CHECK(!index.find(query("deps-2"), now, why));
    CHECK(index.find(query("deps-2", {}, {"branch main", "branch topic"}), now, why)->entry.scope == "branch topic");
    CHECK(index.find(query("deps-9", {"none-", "deps-"}), now, why)->entry.key == "deps-1");
    CHECK(index.find(query("deps-9", {"deps-"}, {"branch topic", "branch main"}), now, why)->entry.key == "deps-2");
    REQUIRE(index.put(entry("deps-3")).has_value());
    CHECK(index.find(query("deps-9", {"deps-"}), now, why)->entry.key == "deps-3");
    auto elsewhere = query("deps-1");
    elsewhere.project = "/another";
    CHECK(!index.find(elsewhere, now, why));
    elsewhere = query("deps-1");
    elsewhere.paths = {"deps/**", "more"};
    CHECK(!index.find(elsewhere, now, why));
}

TEST_CASE("an entry's time ends, and the least recently used go where room is short") {
    const Shop shop;
    const CacheIndex index(shop.root);
    auto brief = entry("brief");
    brief.ttl = std::chrono::hours(1);
    REQUIRE(index.put(brief).has_value());
    std::string why;
    CHECK(index.find(query("brief"), SystemClock().now(), why));
    CHECK(!index.find(query("brief"), in(std::chrono::hours(2)), why));
    CHECK(why.find("over its time") != std::string::npos);
    for (const auto* key : {"one", "two", "three"}) REQUIRE(index.put(entry(key)).has_value());
    const timespec past[2]{{1000, 0}, {1000, 0}};
    for (const auto& cache : index.all())
        if (cache.entry.key == "two") ::utimensat(AT_FDCWD, cache.file.c_str(), past, 0);
    CHECK(index.trim(200, in(std::chrono::hours(2))) == 2);
    std::vector<std::string> left;
    for (const auto& cache : index.all()) left.push_back(cache.entry.key);
    std::sort(left.begin(), left.end());
    CHECK(left == std::vector<std::string>{"one", "three"});
}

TEST_CASE("what is half written or no entry is passed over, and goes in time") {
    const Shop shop;
    const CacheIndex index(shop.root);
    REQUIRE(index.put(entry("good")).has_value());
    const auto folder = index.all().at(0).file.parent_path();
    std::ofstream(folder / ".new-x-1") << "{\"proj";
    std::ofstream(folder / "garbage") << "no entry";
    CHECK(index.all().size() == 1);
    index.remove_leavings(SystemClock().now());
    CHECK(fs::exists(folder / ".new-x-1"));
    index.remove_leavings(in(std::chrono::hours(2)));
    CHECK(!fs::exists(folder / ".new-x-1"));
}

TEST_CASE("what nothing refers to goes after an hour, what anything needs stays") {
    const Shop shop;
    shop.write("a", noise(100'000, 1));
    shop.write("small", "s");
    const auto kept = shop.save();
    REQUIRE(kept.has_value());
    shop.write("a", noise(100'000, 2));
    const auto loose = shop.save();
    REQUIRE(loose.has_value());
    const auto store = shop.store();
    const auto all = shop.objects().size();
    const auto young = collect(store, {{kept->digest, "artifact-1"}}, SystemClock().now(), never);
    REQUIRE(young.has_value());
    CHECK(young->objects == 0);
    const auto old = collect(store, {{kept->digest, "artifact-1"}}, in(std::chrono::hours(2)), never);
    REQUIRE(old.has_value());
    CHECK(old->objects == 2);  // the large file and the manifest; the pack is the same
    CHECK(shop.objects().size() == all - 2);
    CHECK(shop.restore(kept->digest, shop.root / "back").has_value());
    CHECK(shop.restore(loose->digest, shop.root / "gone").has_error());
}

TEST_CASE("where a manifest cannot be read, nothing is removed") {
    const Shop shop;
    shop.write("a", noise(100'000));
    const auto saved = shop.save();
    REQUIRE(saved.has_value());
    const auto file = shop.store().path(saved->digest, false);
    ::chmod(file.c_str(), 0600);
    std::ofstream(file, std::ios::binary) << "cicd-manifest 1\n";
    const auto before = shop.objects().size();
    CHECK(collect(shop.store(), {{saved->digest, "artifact-1"}}, in(std::chrono::hours(2)), never).has_error());
    CHECK(shop.objects().size() == before);
}

TEST_CASE("a flipped bit is found, and what needs it is named") {
    const Shop shop;
    shop.write("large", noise(200'000));
    shop.write("dull", std::string(200'000, 'x'));
    const auto saved = shop.save();
    REQUIRE(saved.has_value());
    const Roots roots{{saved->digest, "artifact-1 (dist)"}, {saved->digest, "cache-12 (deps)"}};
    CHECK(scrub(shop.store(), roots, never).damages.empty());
    for (const auto& object : shop.objects()) {
        auto bytes = text_of(object);
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        const auto sound = text_of(object);
        ::chmod(object.c_str(), 0600);
        std::ofstream(object, std::ios::binary) << bytes;
        const auto found = scrub(shop.store(), roots, never);
        INFO(object.string());
        REQUIRE(found.damages.size() == 1);
        CHECK(found.damages[0].needed_by == std::vector<std::string>{"artifact-1 (dist)", "cache-12 (deps)"});
        std::ofstream(object, std::ios::binary) << sound;
    }
    fs::remove(shop.objects().front());
    CHECK(scrub(shop.store(), roots, never).damages.size() == 1);
}
