#include "daemon/upkeep/backup.hpp"
#include "daemon/upkeep/archive.hpp"
#include "tests/unit/daemon/upkeep/fixture.hpp"

#include <sys/stat.h>

#include <cstdlib>

using namespace cicd;
using namespace cicd::test;

namespace {

contract::BackupReport backed_up(const StateFolder& folder, store::Store& store, const fs::path& file) {
    contract::Backup request;
    request.path = file.string();
    const auto report = upkeep::back_up(store, folder.path, noon, request);
    REQUIRE_MESSAGE(report.has_value(), (report ? std::string() : report.error().message));
    return *report;
}

/// An archive with these files and right checksums.
void pack(const fs::path& file, const std::vector<std::pair<std::string, std::string>>& files, bool with_sums = true) {
    auto writer = *upkeep::ArchiveWriter::create(file);
    std::string sums;
    for (const auto& [name, text] : files) {
        const auto added = *writer->add_text(name, text);
        sums += added.sha256 + " " + std::to_string(added.size) + " " + name + "\n";
    }
    if (with_sums) REQUIRE(writer->add_text("checksums", sums).has_value());
    REQUIRE(writer->finish().has_value());
}

constexpr auto manifest = R"({"format": 1})";

}  // namespace

TEST_CASE("a state comes back as it was, and what is there is put aside") {
    const StateFolder folder, other, outside;
    const auto file = outside.path / "backup.tar.zst";
    auto store = folder.open();
    const auto ended = add_run(folder, *store, noon, "kept\n");
    const auto active = add_run(folder, *store, std::nullopt, "so far\n");
    write(folder.job(active.jobs[0].id) / "lock", "");
    write(folder.job(active.jobs[0].id) / "pid", "999999 1\n");
    write(folder.job(active.jobs[0].id) / "workspace/big", "not kept");
    write(folder.path / "keys/master", "secret");
    const auto report = backed_up(folder, *store, file);
    CHECK(report.runs == 2);
    CHECK(report.logs == 2);
    CHECK(report.bytes == static_cast<std::int64_t>(fs::file_size(file)));
    CHECK(report.sha256.size() == 64);
    struct stat facts {};
    REQUIRE(::stat(file.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    CHECK(std::distance(fs::directory_iterator(outside.path), {}) == 1);  // nothing unfinished beside it

    {
        auto there = other.open();
        add_run(other, *there, noon);
        add_run(other, *there, noon);
        add_run(other, *there, noon);
    }
    const auto restored = upkeep::restore(file, other.path, noon);
    REQUIRE_MESSAGE(restored.has_value(), (restored ? std::string() : restored.error().message));
    CHECK(restored->runs == 2);
    auto back = other.open();
    CHECK(*back->run(ended.id) == ended);
    CHECK(back->runs({})->pagination.total_count == 2);
    CHECK(*back->definition(ended.id) == "name: build\n");
    CHECK(read(other.job(ended.jobs[0].id) / "log") == "kept\n");
    CHECK(read(other.path / "keys/master") == "secret");
    CHECK(job::runner_status({other.job(active.jobs[0].id)}).liveness == job::RunnerLiveness::dead);
    CHECK(!fs::exists(other.job(active.jobs[0].id) / "workspace"));
    CHECK(fs::exists(restored->before / "state.db"));
    CHECK(fs::exists(restored->before / "jobs/job-3"));
    CHECK(upkeep::refuse_half_restored(other.path).has_value());
}

TEST_CASE("a backup never replaces what is there, unless that is wanted") {
    const StateFolder folder, outside;
    auto store = folder.open();
    const auto file = outside.path / "b";
    write(file, "precious");
    contract::Backup request;
    request.path = file.string();
    CHECK(upkeep::back_up(*store, folder.path, noon, request).error().kind == ErrorKind::conflict);
    CHECK(read(file) == "precious");
    request.overwrite = true;
    CHECK(upkeep::back_up(*store, folder.path, noon, request).has_value());
    CHECK(read(file) != "precious");
    request.path = "relative";
    CHECK(upkeep::back_up(*store, folder.path, noon, request).error().kind == ErrorKind::invalid);
    request.path = outside.path.string();
    CHECK(upkeep::back_up(*store, folder.path, noon, request).error().kind == ErrorKind::invalid);
    request.path = (outside.path / "no/such/folder/b").string();
    CHECK(upkeep::back_up(*store, folder.path, noon, request).error().kind == ErrorKind::invalid);
}

TEST_CASE("a damaged archive changes nothing, wherever it is damaged") {
    const StateFolder folder, other, outside;
    const auto file = outside.path / "b";
    {
        auto store = folder.open();
        for (int i = 0; i < 5; ++i) add_run(folder, *store, noon, std::string(5000, static_cast<char>('a' + i)));
        backed_up(folder, *store, file);
        auto there = other.open();
        add_run(other, *there, noon);
    }
    const auto whole = read(file);
    const auto state_before = read(other.path / "state.db");
    const auto refused = [&](const std::string& bytes) {
        write(file, bytes);
        const auto restored = upkeep::restore(file, other.path, noon);
        REQUIRE(!restored.has_value());
        CHECK(restored.error().code == "BACKUP_002");
        CHECK(read(other.path / "state.db") == state_before);
        CHECK(!fs::exists(other.path / "restore.unpacked"));
        CHECK(!fs::exists(other.path / "restore.unfinished"));
    };
    for (int part = 0; part < 12; ++part) {
        auto bytes = whole;
        bytes[whole.size() * static_cast<std::size_t>(part) / 12 + 3] ^= 0x20;
        INFO("a bit turned in part ", part);
        if (bytes != whole) refused(bytes);
    }
    for (const auto size : {std::size_t{0}, std::size_t{10}, whole.size() / 2, whole.size() - 20}) {
        INFO("cut off at ", size);
        refused(whole.substr(0, size));
    }
    refused("something else entirely");
    CHECK(upkeep::restore(outside.path / "nothing", other.path, noon).error().kind == ErrorKind::not_found);
}

TEST_CASE("an archive with another checksum, without one, or with more than a state has is refused") {
    const StateFolder folder, outside;
    const auto refuse = [&](const char* name, const std::vector<std::pair<std::string, std::string>>& files, bool sums = true) {
        INFO(name);
        const auto file = outside.path / name;
        pack(file, files, sums);
        const auto restored = upkeep::restore(file, folder.path, noon);
        REQUIRE(!restored.has_value());
        CHECK(restored.error().code == "BACKUP_002");
        return restored.error().message;
    };
    CHECK(refuse("no-state", {{"manifest.json", manifest}}).find("no state") != std::string::npos);
    CHECK(refuse("no-sums", {{"manifest.json", manifest}, {"state.db", "x"}}, false).find("end is missing") != std::string::npos);
    CHECK(refuse("no-manifest", {{"state.db", "x"}}).find("manifest") != std::string::npos);
    CHECK(refuse("newer", {{"manifest.json", R"({"format": 2})"}, {"state.db", "x"}}).find("newer") != std::string::npos);
    refuse("elsewhere", {{"manifest.json", manifest}, {"../state.db", "x"}});
    refuse("absolute", {{"manifest.json", manifest}, {"/etc/passwd", "x"}});
    refuse("hidden", {{"manifest.json", manifest}, {"jobs/../../x", "x"}});
    refuse("unknown", {{"manifest.json", manifest}, {"cicdd.lock", "x"}});
    refuse("twice", {{"manifest.json", manifest}, {"keys/a", "x"}, {"keys/a", "y"}});
    refuse("wrong-sum", {{"manifest.json", manifest}, {"state.db", "x"}, {"checksums", "00 1 state.db\n"}}, false);
    CHECK(!fs::exists(outside.path.parent_path() / "state.db"));
    CHECK(fs::is_empty(folder.path));
}

TEST_CASE("links and devices in an archive are refused") {
    const StateFolder folder, outside, staged;
    write(staged.path / "manifest.json", manifest);
    fs::create_directories(staged.path / "keys");
    fs::create_symlink("/etc/passwd", staged.path / "keys/link");
    const auto file = outside.path / "links";
    const auto command = "cd " + staged.path.string() + " && tar -cf " + file.string() + " manifest.json keys/link";
    REQUIRE(std::system(command.c_str()) == 0);
    const auto restored = upkeep::restore(file, folder.path, noon);
    CHECK(restored.error().message.find("no ordinary file") != std::string::npos);
}

TEST_CASE("a state of a newer schema is refused before anything is replaced") {
    const StateFolder folder, other, outside;
    const auto file = outside.path / "b";
    auto store = folder.open();
    backed_up(folder, *store, file);
    store.reset();
    // user_version, at byte 60 of the file, big-endian.
    auto bytes = std::string();
    {
        auto copy = folder.open();
        REQUIRE(copy->copy_to(outside.path / "copy.db").has_value());
        bytes = read(outside.path / "copy.db");
        bytes[63] = 99;
    }
    const auto newer = outside.path / "newer";
    pack(newer, {{"manifest.json", manifest}, {"state.db", bytes}});
    CHECK(upkeep::restore(newer, other.path, noon).error().code == "STATE_005");
    CHECK(fs::is_empty(other.path));
}

TEST_CASE("half a restore is refused by the next daemon") {
    const StateFolder folder;
    write(folder.path / "restore.unfinished", "what was there is in /x\n");
    const auto refused = upkeep::refuse_half_restored(folder.path);
    CHECK(refused.error().code == "BACKUP_004");
    CHECK(refused.error().message.find("/x") != std::string::npos);
}
