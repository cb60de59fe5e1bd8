#include "common/job/runner_files.hpp"
#include "common/job/spare.hpp"
#include "daemon/os/enclosure.hpp"
#include "tests/unit/daemon/runner/job_fixture.hpp"

#include <sys/socket.h>

/// A runner that is there before its job: common/job/spare.hpp.

using namespace cicd;
using namespace cicd::test;

namespace {

struct Spare {
    Spare() {
        char name[] = "/tmp/cicd-spare-XXXXXX";
        cache = ::mkdtemp(name);
        auto sockets = os::make_socket_pair();
        REQUIRE(sockets.has_value());
        gate = std::move(sockets->first);
        os::SpawnOptions options;
        options.argv = {CICD_BIN_DIR "/cicd-runner", "--spare", cache.string(), "--gate-fd", "3"};
        options.fds = {{sockets->second.get(), 3}, {2, 2}};
        const auto started = os::spawn(options);
        REQUIRE(started.has_value());
        pid = *started;
    }
    ~Spare() {
        gate.reset();
        if (pid > 0) ::waitpid(pid, nullptr, 0);
        (void)os::remove_all(cache);
    }
    Spare(const Spare&) = delete;
    Spare& operator=(const Spare&) = delete;

    /// Its place is made but for the workspace: the child that will be its init waits.
    [[nodiscard]] bool is_ready() const { return processes_with_argument(cache.string()).size() == 2; }
    void give(TestJob& job, const os::Enclosure::Entry& workspace) {
        job.spec.cache = cache.string();
        REQUIRE(job::write_spec(job.paths, job.spec).has_value());
        const auto order = os::pack_later(workspace) + job::directory_for_order(job.paths.root.string());
        const auto lock = job::lock_for_runner(job.paths);
        REQUIRE(lock.has_value());
        REQUIRE(os::send_packet(gate.get(), order.data(), order.size(), {lock->fd()}).has_value());
        job.pid = std::exchange(pid, 0);
    }
    void open_gate() const { REQUIRE(os::send_packet(gate.get(), &job::gate_open, 1).has_value()); }

    std::filesystem::path cache;
    os::Fd gate;
    int pid = 0;
};

os::Enclosure::Entry workspace_of(const TestJob& job) {
    return os::workspace_entry({}, job.spec.workspace, job.spec.workspace_layers);
}

}  // namespace

TEST_CASE("a spare runs the job that it is given as any runner would") {
    Spare spare;
    TestJob job("echo hello; pwd; cat given; echo made > made; test ! -e /tmp/left; touch /tmp/left; id -u; cat /proc/1/comm");
    std::ofstream(job.paths.workspace() / "given") << "what was there\n";
    SUBCASE("that waits already") { CHECK(eventually([&] { return spare.is_ready(); })); }
    SUBCASE("that is still being made") {}
    spare.give(job, workspace_of(job));
    // `ps` names the job, as it does with a runner that was started for it.
    CHECK(eventually([&] { return !processes_with_argument(job.paths.root.string()).empty(); }));
    spare.open_gate();
    const auto& exit = job.finish();
    CHECK((exit.state == model::JobState::success));
    CHECK(job.log_holds("hello\n/workspace\nwhat was there\n1000\n"));
    CHECK(std::filesystem::exists(job.paths.workspace() / "made"));
    CHECK_FALSE(std::filesystem::exists("/tmp/left"));
}

TEST_CASE("a spare lays its workspace over layers") {
    Spare spare;
    TestJob job("cat below; echo changed > below; cat below");
    const auto tree = job.paths.root / "tree" / "files";
    std::filesystem::create_directories(tree);
    std::ofstream(tree / "below") << "as it was\n";
    for (const char* name : {"upper", "work"}) std::filesystem::create_directory(job.paths.workspace() / name);
    job.spec.workspace_layers = {tree.string()};
    CHECK(eventually([&] { return spare.is_ready(); }));
    spare.give(job, workspace_of(job));
    spare.open_gate();
    const auto& exit = job.finish();
    INFO(exit.message);
    if (exit.message.find("overlay") != std::string::npos) {
        MESSAGE("skipped: an overlay cannot be mounted here");
        return;
    }
    CHECK((exit.state == model::JobState::success));
    CHECK(job.log_holds("as it was\nchanged\n"));
    std::ifstream file(tree / "below");
    CHECK(std::string{std::istreambuf_iterator<char>(file), {}} == "as it was\n");
}

TEST_CASE("a spare whose place does not fit its job makes another one") {
    Spare spare;
    TestJob job("cat given; ulimit -f"), other("true");
    std::ofstream(job.paths.workspace() / "given") << "mine\n";
    std::ofstream(other.paths.workspace() / "given") << "another's\n";
    CHECK(eventually([&] { return spare.is_ready(); }));
    SUBCASE("another workspace") { spare.give(job, workspace_of(other)); }
    SUBCASE("a limit") {
        job.spec.limits.storage = 1 << 20;
        spare.give(job, workspace_of(job));
    }
    SUBCASE("a workspace that is not there") { spare.give(job, os::workspace_entry({}, "/no/such/folder", {})); }
    spare.open_gate();
    const auto& exit = job.finish();
    CHECK((exit.state == model::JobState::success));
    CHECK(job.log_holds(job.spec.limits.storage ? "mine\n1024\n" : "mine\nunlimited\n"));
}

TEST_CASE("a spare that nobody wants any more leaves, and takes everything with it") {
    std::filesystem::path cache;
    TestJob job("echo never");
    {
        Spare spare;
        cache = spare.cache;
        CHECK(eventually([&] { return spare.is_ready(); }));
        SUBCASE("before it has a job") {}
        SUBCASE("before its job's turn") {
            spare.give(job, workspace_of(job));
            CHECK(eventually([&] { return job::runner_status(job.paths).liveness == job::RunnerLiveness::alive; }));
            spare.gate.reset();
            int status = -1;
            ::waitpid(std::exchange(job.pid, 0), &status, 0);
            CHECK(status == 0);
            CHECK_FALSE(std::filesystem::exists(job.paths.pid()));
        }
    }
    CHECK(eventually([&] { return processes_with_argument(cache.string()).empty(); }));
    CHECK_FALSE(std::filesystem::exists(job.paths.exit()));
}

TEST_CASE("a spare whose daemon has died meanwhile touches nothing: the next daemon may be making the job anew") {
    Spare spare;
    TestJob job("echo never");
    CHECK(eventually([&] { return spare.is_ready(); }));
    ::kill(spare.pid, SIGSTOP);
    spare.give(job, workspace_of(job));
    spare.gate.reset();
    std::filesystem::remove(job.paths.spec());  // not written yet by the next one
    ::kill(job.pid, SIGCONT);
    int status = -1;
    ::waitpid(std::exchange(job.pid, 0), &status, 0);
    CHECK(status == 0);
    CHECK(std::filesystem::exists(job.paths.workspace()));
    CHECK_FALSE(std::filesystem::exists(job.paths.exit()));
    CHECK_FALSE(std::filesystem::exists(job.paths.pid()));
}

TEST_CASE("an order that makes no sense ends the spare") {
    Spare spare;
    CHECK(eventually([&] { return spare.is_ready(); }));
    REQUIRE(os::send_packet(spare.gate.get(), "nonsense", 8).has_value());
    int status = 0;
    ::waitpid(std::exchange(spare.pid, 0), &status, 0);
    CHECK(WEXITSTATUS(status) == 3);
}
