#include "daemon/secrets/vault.hpp"

#include "daemon/secrets/scope.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using namespace cicd;
using namespace cicd::secrets;

namespace {

namespace fs = std::filesystem;

constexpr model::SecretScope everywhere;

class Fixture {
public:
    Fixture() {
        char name[] = "/tmp/cicd-vault-XXXXXX";
        folder = ::mkdtemp(name);
        open();
    }
    ~Fixture() {
        vault.reset();
        store.reset();
        fs::remove_all(folder);
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    /// As a daemon that was started again.
    void open() {
        vault.reset();
        store.reset();
        auto opened = store::Store::open(folder / "state.db");
        REQUIRE(opened.has_value());
        store = std::move(*opened);
        vault.emplace(*store, folder, clock);
    }
    void set(const std::string& name, const std::string& value, const model::SecretScope& scope = everywhere) {
        const auto saved = vault->set({name, value, scope, {}}, "ada");
        REQUIRE_MESSAGE(saved.has_value(), (saved ? "" : saved.error().message));
    }
    std::string value(const std::string& name, const model::SecretPlace& place = {}) {
        const auto values = vault->values({name}, place, "job-1");
        REQUIRE_MESSAGE(values.has_value(), (values ? "" : values.error().message));
        REQUIRE(values->size() == 1);
        return values->begin()->second.as_string();
    }
    [[nodiscard]] fs::path key() const { return folder / "keys/secrets.key"; }
    [[nodiscard]] bool is_on_disk(const std::string& text) const {
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            if (!entry.is_regular_file()) continue;
            std::ifstream file(entry.path());
            const std::string all{std::istreambuf_iterator<char>(file), {}};
            if (all.find(text) != std::string::npos) return true;
        }
        return false;
    }

    fs::path folder;
    SystemClock clock;
    std::unique_ptr<store::Store> store;
    std::optional<Vault> vault;
};

}  // namespace

TEST_CASE("a value comes back, also after a restart, and is on disk in no clear form") {
    Fixture fixture;
    fixture.set("TOKEN", "hunter2-hunter2");
    fixture.set("BYTES", std::string("\xff\xfe\n\x01", 4));
    CHECK(fixture.value("token") == "hunter2-hunter2");
    fixture.open();
    CHECK(fixture.value("TOKEN") == "hunter2-hunter2");
    CHECK(fixture.value("BYTES") == std::string("\xff\xfe\n\x01", 4));
    CHECK_FALSE(fixture.is_on_disk("hunter2"));
    struct stat facts {};
    REQUIRE(::stat(fixture.key().c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    fixture.set("token", "another");  // the same secret in other letters
    CHECK(fixture.value("TOKEN") == "another");
    const auto list = *fixture.vault->list();
    REQUIRE(list.size() == 2);
    CHECK(list[1].name == "token");
    CHECK(list[1].version == 2);
    CHECK(list[1].last_used_by == "job-1");
}

TEST_CASE("names, values and scopes that cannot be are refused without telling the value") {
    Fixture fixture;
    const auto refused = [&](const std::string& name, const std::string& value, const model::SecretScope& scope = everywhere) {
        const auto saved = fixture.vault->set({name, value, scope, {}}, "ada");
        REQUIRE(saved.has_error());
        CHECK(saved.error().code == "SECRET_002");
        CHECK(saved.error().message.find("hunter2") == std::string::npos);
    };
    for (const auto* name : {"", "1A", "A-B", "A B", "\xc3\x84", "A\nB"}) refused(name, "hunter2");
    refused(std::string(201, 'A'), "hunter2");
    refused("A", "");
    refused("A", std::string("hunter2\0", 8));
    refused("A", "hunter2" + std::string(largest_value, 'x'));
    refused("A", "hunter2", {"", "", "["});
    refused("A", "hunter2", {"", "", "!main"});
    fixture.set("A", std::string(largest_value, 'x'));
    CHECK_FALSE(fs::exists(fixture.folder / "keys/.new-secrets.key"));
}

TEST_CASE("the nearest secret counts: environment, project, branch, none") {
    Fixture fixture;
    fixture.set("T", "global");
    fixture.set("T", "main", {"", "", "main"});
    fixture.set("T", "any release", {"", "", "release/**"});
    fixture.set("T", "release 1", {"", "", "release/1.*"});
    fixture.set("T", "app", {"/src/app/", "", ""});
    fixture.set("T", "app main", {"/src/app", "", "main"});
    fixture.set("T", "production", {"", "production", ""});
    fixture.set("T", "app production", {"/src/app", "production", ""});
    CHECK(fixture.value("T", {"/src/b", "", ""}) == "global");
    CHECK(fixture.value("T", {"/src/b", "", "main"}) == "main");
    CHECK(fixture.value("T", {"/src/b", "", "release/2"}) == "any release");
    CHECK(fixture.value("T", {"/src/b", "", "release/1.3"}) == "release 1");
    CHECK(fixture.value("T", {"/src/app", "", "x"}) == "app");
    CHECK(fixture.value("T", {"/src/app", "", "main"}) == "app main");
    CHECK(fixture.value("T", {"/src/b", "production", "main"}) == "production");
    CHECK(fixture.value("T", {"/src/app", "production", "main"}) == "app production");
    // Whoever opens a pull request names its branch.
    model::Event event;
    event.type = model::TriggerType::pull_request;
    event.branch = "main";
    CHECK(model::secret_place({}, event).branch.empty());
    event.type = model::TriggerType::push;
    CHECK(model::secret_place({}, event).branch == "main");
    event.tag = "v1";
    CHECK(model::secret_place({}, event).branch.empty());
}

TEST_CASE("what a run may have is known without any key; a missing value names the secret") {
    Fixture fixture;
    fixture.set("A", "1", {"/src/app", "", ""});
    fixture.set("B", "2", {"", "production", ""});
    fixture.set("C", "3", {"", "", "main"});
    fixture.open();
    fs::permissions(fixture.key(), fs::perms::all);
    CHECK(*fixture.vault->known({"/src/app", "", "x"}) == std::vector<model::KnownSecret>{{"A", ""}, {"B", "production"}});
    CHECK(fixture.vault->values({"C"}, {"/src/app", "", "x"}, "job-1").error().code == "SECRET_001");
    fs::permissions(fixture.key(), fs::perms::owner_read);
    const auto all = fixture.vault->values({"A", model::all_secrets}, {"/src/app", "", "main"}, "job-2");
    REQUIRE(all.has_value());
    CHECK(all->size() == 2);
    const auto uses = *fixture.vault->history("A", 10);
    REQUIRE(uses.size() == 2);
    CHECK(uses[0].action == "used");
    CHECK(uses[0].user == "job-2");
    CHECK(uses[1].action == "set");
    CHECK(uses[1].user == "ada");
}

TEST_CASE("a key that others can read, that is damaged, lost or another one is refused with what to do") {
    Fixture fixture;
    fixture.set("A", "value");
    const auto refused = [&](const std::string& says) {
        fixture.open();
        for (const auto& error : {fixture.vault->values({"A"}, {}, "job-1").error(),
                                  fixture.vault->set({"B", "x", {}, {}}, "ada").error()}) {
            CHECK(error.code == "SECRET_003");
            CHECK(error.message.find(says) != std::string::npos);
            CHECK_FALSE(error.hint.empty());
        }
    };
    fs::permissions(fixture.key(), fs::perms::owner_read | fs::perms::group_read);
    refused("can be read by others");
    fs::permissions(fixture.key(), fs::perms::owner_all);
    fs::rename(fixture.key(), fixture.folder / "kept");
    refused("another key");
    CHECK_FALSE(fs::exists(fixture.key()));  // no new one is made over what is there
    fs::create_symlink(fixture.folder / "kept", fixture.key());
    refused("cannot be opened");
    fs::remove(fixture.key());
    std::ofstream(fixture.key()) << "no key";
    fs::permissions(fixture.key(), fs::perms::owner_read | fs::perms::owner_write);
    refused("64 hexadecimal digits");
    fs::rename(fixture.folder / "kept", fixture.key());
    fixture.open();
    CHECK(fixture.value("A") == "value");
}

TEST_CASE("rekey: every value is under a new key, and a crash in between loses none") {
    Fixture fixture;
    fixture.set("A", "one");
    fixture.set("B", "two", {"", "production", ""});
    std::ifstream file(fixture.key());
    const std::string before{std::istreambuf_iterator<char>(file), {}};
    CHECK(*fixture.vault->rekey("bob") == 2);
    std::ifstream again(fixture.key());
    CHECK(before != std::string{std::istreambuf_iterator<char>(again), {}});
    CHECK_FALSE(fs::exists(fixture.folder / "keys/secrets.key.next"));
    CHECK(fixture.value("A") == "one");

    // Killed after the new key was made, before any value was under it.
    fs::copy_file(fixture.key(), fixture.folder / "current");
    std::ofstream(fixture.folder / "keys/secrets.key.next") << std::string(64, 'a') << "\n";
    fs::permissions(fixture.folder / "keys/secrets.key.next", fs::perms::owner_read | fs::perms::owner_write);
    fixture.open();
    CHECK(fixture.value("A") == "one");
    CHECK_FALSE(fs::exists(fixture.folder / "keys/secrets.key.next"));

    // Killed after the values were under it, before it took the other's place.
    fs::rename(fixture.key(), fixture.folder / "keys/secrets.key.next");
    std::ofstream(fixture.key()) << before;
    fs::permissions(fixture.key(), fs::perms::owner_read | fs::perms::owner_write);
    fixture.open();
    CHECK(fixture.value("B", {"", "production", ""}) == "two");
    CHECK_FALSE(fs::exists(fixture.folder / "keys/secrets.key.next"));
    fixture.open();
    CHECK(fixture.value("A") == "one");
    CHECK((*fixture.vault->history("B", 1))[0].action == "used");
}

TEST_CASE("a stored value that was changed, or moved to another name, does not open") {
    Fixture fixture;
    fixture.set("A", "one");
    const auto key = Key::random();
    model::Secret facts;
    facts.name = "B";
    const auto sealed = seal(facts, "two", key);
    CHECK(*unseal(sealed, key) == "two");
    auto moved = sealed;
    moved.facts.name = "A";
    CHECK(unseal(moved, key).error().code == "SECRET_004");
    moved = sealed;
    moved.facts.scope.environment = "production";
    CHECK(unseal(moved, key).has_error());
    moved = sealed;
    moved.facts.version = 2;
    CHECK(unseal(moved, key).has_error());
    moved = sealed;
    moved.sealed[0] = static_cast<char>(moved.sealed[0] ^ 1);
    CHECK(unseal(moved, key).has_error());
    CHECK(unseal(sealed, Key::random()).has_error());
    CHECK(seal(facts, "two", key).sealed != sealed.sealed);  // a nonce of its own each time
}

TEST_CASE("systemd's credential comes first, and rekey takes what was under the file's key") {
    Fixture fixture;
    fixture.set("A", "one");
    const auto credentials = fixture.folder / "credentials";
    fs::create_directory(credentials);
    std::ofstream(credentials / "cicd-secrets-key") << std::string(64, 'b') << "\n";
    ::setenv("CREDENTIALS_DIRECTORY", credentials.c_str(), 1);
    fixture.open();
    CHECK(fixture.value("A") == "one");
    CHECK(*fixture.vault->rekey("ada") == 1);
    fs::remove(fixture.key());
    fixture.open();
    CHECK(fixture.value("A") == "one");
    ::unsetenv("CREDENTIALS_DIRECTORY");
    fixture.open();
    CHECK(fixture.vault->values({"A"}, {}, "job-1").error().code == "SECRET_003");
}

TEST_CASE("what is kept of a request cannot be tried against without the key") {
    Fixture one, other;
    CHECK(*one.vault->fingerprint("x") == *one.vault->fingerprint("x"));
    CHECK(*one.vault->fingerprint("x") != *one.vault->fingerprint("y"));
    CHECK(*one.vault->fingerprint("x") != *other.vault->fingerprint("x"));
}
