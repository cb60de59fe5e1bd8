#include "common/client/client.hpp"
#include "tests/faults/mounts.hpp"

#include <csignal>

using namespace cicd;
using namespace cicd::test;

namespace {

contract::BackupReport back_up(const World& world, const std::filesystem::path& file) {
    client::Client client(world.socket());
    contract::Backup request;
    request.path = file.string();
    const auto report = client.backup(request);
    REQUIRE_MESSAGE(report.has_value(), (report ? std::string() : report.error().message));
    return *report;
}

Outcome restore(const World& world, const std::filesystem::path& file) {
    return run({program("cicdd"), "restore", file.string(), "--state-dir", world.state().string()});
}

void stop(const World& world) {
    const int pid = world.daemon_pid();
    REQUIRE(world.cicdctl({"daemon", "stop"}).code == 0);
    REQUIRE(eventually([&] { return !is_alive(pid); }));
}

}  // namespace

TEST_CASE("a backup taken while a job runs is restored elsewhere: ended runs with their logs, the running one as lost") {
    World world, other;
    TempDir outside;
    GitRepository waiting{{".cicd.yaml", waiting_pipeline(world)}}, quick{{".cicd.yaml", quick_pipeline}};
    REQUIRE(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
    const auto id = start_waiting(world, waiting);
    const auto file = outside / "backup.tar.zst";
    const auto report = back_up(world, file);
    CHECK(report.runs == 2);
    CHECK(report.sha256 == run({"sha256sum", file.string()}).out.substr(0, 64));
    CHECK(status_of(world, id) == "running");

    const auto refused = restore(world, file);
    CHECK(refused.code == 7);
    CHECK(refused.err.find("stop it first") != std::string::npos);

    const auto restored = restore(other, file);
    INFO(restored.err);
    REQUIRE(restored.code == 0);
    CHECK(restored.out.find("restored 2 runs") != std::string::npos);
    other.start_daemon();
    CHECK(status_of(other, "run-1") == "success");
    CHECK(other.cicdctl({"logs", "run-1"}).out.find("hello") != std::string::npos);
    CHECK(other.cicdctl({"watch", id}).code != 0);
    CHECK(text(only_job(other.json({"show", id}))["endReason"]) == "lost");
    CHECK(other.cicdctl({"logs", id}).out.find("before") != std::string::npos);
    CHECK(other.cicdctl({"run"}, other.in(quick.path())).code == 0);

    let_go(world);
    CHECK(world.cicdctl({"watch", id}).code == 0);
}

TEST_CASE("a restore puts aside what was there, and a damaged file changes nothing") {
    World world;
    TempDir outside;
    GitRepository quick{{".cicd.yaml", quick_pipeline}};
    REQUIRE(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
    const auto file = outside / "backup";
    back_up(world, file);
    REQUIRE(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
    stop(world);

    auto bytes = read_file(file);
    bytes[bytes.size() / 2] ^= 1;
    write_file(outside / "damaged", bytes);
    const auto refused = restore(world, outside / "damaged");
    CHECK(refused.code == 2);
    CHECK(refused.err.find("nothing was changed") != std::string::npos);
    world.start_daemon();
    CHECK(status_of(world, "run-2") == "success");
    stop(world);

    const auto restored = restore(world, file);
    INFO(restored.err);
    REQUIRE(restored.code == 0);
    CHECK(restored.out.find("before-restore-") != std::string::npos);
    world.start_daemon();
    CHECK(status_of(world, "run-1") == "success");
    CHECK(world.cicdctl({"show", "run-2"}).code == 5);
}
