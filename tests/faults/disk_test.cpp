#include "tests/faults/mounts.hpp"

using namespace cicd;
using namespace cicd::test;

TEST_CASE("below the reserve new work is refused with the reason, what runs goes on, and so does everything with room again") {
    World world;
    const SmallDisk disk(world.state(), "size=96m");
    if (!disk) return;
    configure(world, "disk: {reserve: 24Mi}\n");
    GitRepository waiting{{".cicd.yaml", waiting_pipeline(world)}}, quick{{".cicd.yaml", quick_pipeline}};
    const auto id = start_waiting(world, waiting);
    disk.fill(12);
    Outcome refused;
    REQUIRE(eventually([&] { return (refused = world.cicdctl({"run", "--detach"}, world.in(quick.path()))).code != 0; }));
    INFO(refused.err);
    CHECK(refused.err.find("are free in " + world.state().string()) != std::string::npos);
    const auto status = world.json({"api", "GET", "/status"});
    CHECK(status["accepting"] == Value(false));
    CHECK(text(status["notAcceptingReason"]).find("24.0 MiB are to stay free") != std::string::npos);

    let_go(world);
    CHECK(world.cicdctl({"watch", id}).code == 0);
    CHECK(world.cicdctl({"logs", id}).out.find("after") != std::string::npos);

    disk.make_room();
    REQUIRE(eventually([&] { return world.json({"api", "GET", "/status"})["accepting"] == Value(true); }));
    CHECK(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
}

TEST_CASE("on a full disk a run is refused and never starts later; what was acknowledged is there, before and after a crash") {
    World world;
    const SmallDisk disk(world.state(), "size=64m");
    if (!disk) return;
    configure(world, "disk: {reserve: 0}\n");
    GitRepository waiting{{".cicd.yaml", waiting_pipeline(world)}}, quick{{".cicd.yaml", quick_pipeline}};
    REQUIRE(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
    const auto id = start_waiting(world, waiting);
    disk.fill_up();
    std::vector<Outcome> refused;
    for (int i = 0; i < 3; ++i) refused.push_back(world.cicdctl({"run", "--detach"}, world.in(quick.path())));
    for (const auto& outcome : refused) {
        INFO(outcome.out, outcome.err);
        CHECK(outcome.code != 0);
        CHECK(outcome.err.find("space") != std::string::npos);  // the system's words, or ours
    }
    CHECK(is_alive(world.daemon_pid()));
    CHECK(status_of(world, id) == "running");
    CHECK(world.cicdctl({"ps", "-a"}).code == 0);

    disk.make_room();
    let_go(world);
    CHECK(world.cicdctl({"watch", id}).code == 0);
    CHECK(world.cicdctl({"logs", id}).out.find("after") != std::string::npos);
    Outcome accepted;
    REQUIRE(eventually([&] { return (accepted = world.cicdctl({"run"}, world.in(quick.path()))).code == 0; }));

    world.kill_daemon();
    world.start_daemon();
    CHECK(status_of(world, id) == "success");
    int succeeded = 0;
    const auto runs = world.json({"ps", "-a"});
    for (const auto& one : (runs.is_array() ? runs : runs["data"]).as_array()) {
        const auto status = text(one["status"]);
        CHECK((status == "success" || status == "cancelled"));
        succeeded += status == "success" ? 1 : 0;
    }
    CHECK(succeeded == 3);  // none of the refused ones
}

TEST_CASE("a daemon that cannot begin on a full disk says so") {
    World world;
    const SmallDisk disk(world.state(), "size=1m");
    if (!disk) return;
    disk.fill_up();
    const auto outcome = world.cicdctl({"daemon", "start"});
    INFO(outcome.err);
    CHECK(outcome.code != 0);
    CHECK(outcome.err.find("pace") != std::string::npos);
    disk.make_room();
    CHECK(world.cicdctl({"daemon", "start"}).code == 0);
}
