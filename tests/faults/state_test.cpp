#include "tests/faults/mounts.hpp"
#include "tests/support/text.hpp"

#include <fstream>

using namespace cicd;
using namespace cicd::test;

namespace {

/// A world with two ended runs and no daemon.
void fill(const World& world) {
    GitRepository quick{{".cicd.yaml", quick_pipeline}};
    for (int i = 0; i < 2; ++i) REQUIRE(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
}
void stop(const World& world) {
    const int pid = world.daemon_pid();
    REQUIRE(world.cicdctl({"daemon", "stop"}).code == 0);
    REQUIRE(eventually([&] { return !is_alive(pid); }));
}

std::string refusal(const World& world) {
    const auto outcome = world.cicdctl({"daemon", "start"});
    INFO(outcome.err);
    CHECK(outcome.code != 0);
    return outcome.err;
}

void overwrite(const std::filesystem::path& file, std::streamoff at, const std::string& bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at);
    stream << bytes;
    REQUIRE(stream.good());
}

}  // namespace

TEST_CASE("a damaged state file is refused with what to do, and nothing of it is changed") {
    World world;
    fill(world);
    stop(world);
    const auto file = world.state() / "state.db";
    SUBCASE("its header") { overwrite(file, 0, std::string(64, 'x')); }
    SUBCASE("a page in the middle") {
        const auto pages = std::filesystem::file_size(file) / 4096;
        REQUIRE(pages > 8);
        for (std::uintmax_t page = 4; page < pages; ++page)
            overwrite(file, static_cast<std::streamoff>(page * 4096), std::string(4096, '\x5a'));
    }
    SUBCASE("its second half") { std::filesystem::resize_file(file, std::filesystem::file_size(file) / 8192 * 4096); }
    const auto before = read_file(file);
    const auto said = refusal(world);
    CHECK(contains(said, "damaged"));
    CHECK(contains(said, "backup"));
    CHECK(read_file(file) == before);
}

TEST_CASE("what a crash left half-written at the end of the write-ahead log costs nothing that was acknowledged") {
    World world;
    fill(world);
    world.kill_daemon();
    const auto wal = world.state() / "state.db-wal";
    REQUIRE(std::filesystem::exists(wal));
    // A frame's header and a part of its page, as they are when the power goes in the middle of a write.
    std::ofstream(wal, std::ios::app | std::ios::binary) << std::string(24 + 1000, '\x13');
    world.start_daemon();
    const auto runs = world.json({"ps", "-a"});
    CHECK((runs.is_array() ? runs : runs["data"]).as_array().size() == 2);
    CHECK(status_of(world, "run-1") == "success");
    CHECK(status_of(world, "run-2") == "success");
}

TEST_CASE("a state directory that cannot be written is refused by name") {
    World world;
    fill(world);
    stop(world);
    const auto state = world.state().string();
    if (::getuid() != 0 || run({"mount", "--bind", state, state}).code != 0) {
        MESSAGE("skipped: mounting needs root");
        return;
    }
    REQUIRE(run({"mount", "-o", "remount,ro,bind", state}).code == 0);
    const auto said = refusal(world);
    CHECK(contains(said, state));
    CHECK(run({"umount", "-l", state}).code == 0);
    CHECK(world.cicdctl({"daemon", "start"}).code == 0);
}

TEST_CASE("a state file of a newer version is refused, and the older program says which one to start") {
    World world;
    fill(world);
    stop(world);
    overwrite(world.state() / "state.db", 60, std::string("\0\0\0\x63", 4));  // user_version 99
    const auto said = refusal(world);
    CHECK(contains(said, "99"));
    CHECK(contains(said, "newer cicdd"));
}

TEST_CASE("a state file that another program holds is refused at the start, and waited for while working") {
    World world;
    fill(world);
    const auto hold = [&](const char* how) {
        return std::make_unique<Background>(std::vector<std::string>{
            "python3", "-c",
            "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\nc.execute(sys.argv[2])\n"
            "print('held', flush=True)\nimport time\ntime.sleep(600)",
            (world.state() / "state.db").string(), how});
    };
    GitRepository quick{{".cicd.yaml", quick_pipeline}};
    {
        const auto other = hold("BEGIN IMMEDIATE");
        REQUIRE(other->wait_for_output("held"));
        // The daemon waits for some seconds, then refuses; it does not die, and reads go on.
        const auto refused = world.cicdctl({"run", "--detach"}, world.in(quick.path()));
        INFO(refused.err);
        CHECK(refused.code != 0);
        CHECK(contains(refused.err, "holds the state file"));
        CHECK(status_of(world, "run-1") == "success");
    }
    REQUIRE(eventually([&] { return world.cicdctl({"run"}, world.in(quick.path())).code == 0; }));
    stop(world);
    const auto other = hold("BEGIN EXCLUSIVE");
    REQUIRE(other->wait_for_output("held"));
    CHECK(contains(refusal(world), "holds the state file"));
}
