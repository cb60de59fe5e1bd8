#include "tests/faults/support.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

TEST_CASE("a cancel whose daemon died between the request and its signal is carried out by the next daemon") {
    const GitRepository repository{{".cicd.yaml", "name: c\nstages:\n  - {name: one, commands: ['echo ready; sleep 86.875']}\n"}};
    const World world;
    const auto run = world.json({"run", "--detach"}, world.in(repository.path()));
    REQUIRE(run["id"].is_string());
    const auto id = run["id"].as_string();
    REQUIRE(eventually([&] { return world.cicdctl({"logs", id}).out.find("ready") != std::string::npos; }));
    world.kill_daemon();
    // What a daemon leaves that gets no further than this.
    std::filesystem::path job_directory;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(world.state() / "jobs"))
        if (entry.path().filename() == "journal") job_directory = entry.path().parent_path();
    REQUIRE(!job_directory.empty());
    write_file(job_directory / "cancel", "cancelled\nenough of it\n");
    REQUIRE(!processes_with_argument("86.875").empty());
    world.start_daemon();
    static_cast<void>(world.cicdctl({"watch", id}));
    const auto shown = world.json({"show", id});
    const auto& job = shown["jobs"].as_array().at(0);
    CHECK(job["status"] == Value("cancelled"));
    CHECK(job["endReason"] == Value("cancelled"));
    CHECK(job["message"].as_string().find("enough of it") != std::string::npos);
    CHECK(processes_with_argument("86.875").empty());
}
