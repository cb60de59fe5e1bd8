#include "tests/faults/mounts.hpp"

using namespace cicd;
using namespace cicd::test;

namespace {

/// A world whose daemon sees the time that a file names, as an offset; its monotonic clock stays real.
class JumpingClock {
public:
    explicit JumpingClock(const World& world) : world_(world) {
        for (const char* candidate : {"/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
                                      "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"})
            if (std::filesystem::exists(candidate)) library_ = candidate;
        // A program with a sanitizer in it cannot have anything loaded before that.
        if (library_.empty() || is_sanitized("cicdd")) {
            MESSAGE("skipped: libfaketime is not installed, or the daemon is built with a sanitizer");
            library_.clear();
            return;
        }
        configure(world);
        jump("+0");
        RunOptions options;
        options.env = {{"LD_PRELOAD", library_}, {"FAKETIME_TIMESTAMP_FILE", file().string()}, {"FAKETIME_NO_CACHE", "1"},
                       {"DONT_FAKE_MONOTONIC", "1"}, {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}};
        const auto outcome = world.cicdctl({"daemon", "start"}, options);
        INFO(outcome.err);
        REQUIRE(outcome.code == 0);
    }
    explicit operator bool() const { return !library_.empty(); }
    void jump(const std::string& offset) const { write_file(file(), offset + "\n"); }

private:
    [[nodiscard]] std::filesystem::path file() const { return world_.folder() / "time"; }
    const World& world_;
    std::string library_;
};

/// Its steps see the real time: each program that is killed under libfaketime would leave a semaphore named by its number,
/// which refuses the next one of that number.
std::string with_timeout(const World& world, const std::string& timeout) {
    return "timeout: " + timeout + "\nenv: {LD_PRELOAD: ''}\n" + waiting_pipeline(world);
}

}  // namespace

TEST_CASE("a clock set forward by days ends nothing early and removes nothing") {
    World world;
    const JumpingClock clock(world);
    if (!clock) return;
    GitRepository waiting{{".cicd.yaml", with_timeout(world, "1h")}}, quick{{".cicd.yaml", "timeout: 1h\n" + quick_pipeline}};
    REQUIRE(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
    const auto id = start_waiting(world, waiting);
    clock.jump("+200d");
    // Another run makes the scheduler look at its timers again.
    CHECK(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
    CHECK(status_of(world, id) == "running");
    const auto cleaned = world.json({"api", "POST", "/daemon/cleanup"});
    CHECK(status_of(world, "run-1") == "success");
    let_go(world);
    CHECK(world.cicdctl({"watch", id}).code == 0);
}

TEST_CASE("a clock set back by days holds up no timeout") {
    World world;
    const JumpingClock clock(world);
    if (!clock) return;
    GitRepository waiting{{".cicd.yaml", with_timeout(world, "6s")}};
    const auto id = start_waiting(world, waiting);
    clock.jump("-3d");
    const auto ended = world.cicdctl({"watch", id});
    INFO(ended.out, ended.err);
    CHECK(ended.code != 0);
    const auto run = world.json({"show", id});
    CHECK(text(run["message"]).find("timeout of 6s") != std::string::npos);
    CHECK(text(only_job(run)["endReason"]) == "timeout");
}
