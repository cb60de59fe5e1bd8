#include "daemon/os/cgroup.hpp"
#include "daemon/runner/limits.hpp"
#include "job_fixture.hpp"

#include <sys/mount.h>

using namespace cicd;
using namespace cicd::test;
using model::EndReason;
using model::ExecutorKind;
using model::JobState;

namespace {

constexpr std::uint64_t mib = 1 << 20;

bool have_groups() {
    if (os::limits_method() != "rlimits") return true;
    MESSAGE("skipped: " << os::limits_weakness("memory"));
    return false;
}

const std::string hog = "python3 -c 'b = bytearray(300_000_000)'";

std::size_t groups() {
    std::error_code ignored;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(os::find_group_places(os::own_hierarchies()).memory, ignored))
        count += entry.is_directory() && entry.path().filename().string().starts_with("limits-test-");
    return count;
}

/// Jobs whose groups are told from others'.
TestJob& named(TestJob& job) {
    job.spec.job = JobId("limits-test-" + std::to_string(::getpid()));
    return job;
}

/// What a sanitizer takes for the job's first process is more than these tests give to the whole job.
bool fits_beside_sanitizer() {
#ifdef __SANITIZE_ADDRESS__
    MESSAGE("skipped: what the sanitizer takes for itself is more than the limit");
    return false;
#else
    return true;
#endif
}

}  // namespace

TEST_CASE("a job that takes more memory than it may ends as oom, with peak and limit") {
    if (!have_groups() || !fits_beside_sanitizer()) return;
    for (const auto executor : {ExecutorKind::sandbox, ExecutorKind::host}) {
        TestJob job({run_step("exec " + hog), run_step("echo no")});
        named(job).spec.limits.memory = 64 * mib;
        job.spec.executor = executor;
        CHECK(job.run().state == JobState::failed);
        CHECK(job.exit.end_reason == EndReason::oom);
        CHECK(job.exit.message.find("killed: used 64.0 MiB of 64.0 MiB") != std::string::npos);
        CHECK(job.exit.steps[0].end_reason == EndReason::oom);
        CHECK(job.exit.steps[0].exit_code == 137);
        CHECK(job.system_says("killed: used"));
        CHECK(job.exit.usage.peak_memory <= static_cast<std::int64_t>(64 * mib));
        CHECK(job.log().empty());
    }
}

TEST_CASE("a child's death for want of memory is oom whatever exit code the step makes of it, and no failure where it goes on") {
    if (!have_groups() || !fits_beside_sanitizer()) return;
    for (const auto& [script, code] : {std::pair<std::string, int>{hog + "; exit $?", 137},
                                       std::pair<std::string, int>{"(" + hog + ") || exit 3", 3}}) {
        TestJob job(script);
        named(job).spec.limits.memory = 64 * mib;
        CHECK(job.run().end_reason == EndReason::oom);
        CHECK(job.exit.exit_code == code);
    }
    TestJob lives(hog + " || true; echo lives");
    named(lives).spec.limits.memory = 64 * mib;
    CHECK(lives.run().state == JobState::success);
    CHECK(lives.log() == "lives\n");
    CHECK(lives.system_says("the step went on without a process: killed: used"));
}

TEST_CASE("many processes share the job's memory") {
    if (!have_groups()) return;
    TestJob job("for i in 1 2 3 4 5 6; do python3 -c 'import time; b = bytearray(30_000_000); time.sleep(3)' & done; wait -n; exit $?");
    named(job).spec.limits.memory = 96 * mib;
    CHECK(job.run().end_reason == EndReason::oom);
}

TEST_CASE("a fork bomb ends at the job's pids, with or without a declared limit, and nothing of it is left") {
    if (!have_groups()) return;
    CHECK(runner::default_pids < 32'768 / 2);
    for (const auto executor : {ExecutorKind::sandbox, ExecutorKind::host}) {
        const auto marker = "bomb" + std::to_string(::getpid());
        // Counted by itself: how many were born before the kernel refused.
        TestJob job("python3 - " + marker + R"( <<'P'
import os, sys, time
born = 0
try:
    while born < 5000:
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)
        born += 1
except OSError:
    pass
os.write(1, b"born %d\n" % born)
P
)");
        named(job).spec.executor = executor;
        job.spec.limits.pids = 40;
        CHECK(job.run().state == JobState::success);
        const auto log = job.log();
        INFO(log, job.exit.message);
        REQUIRE(log.starts_with("born "));
        CHECK(std::stoi(log.substr(5)) < 40);
        CHECK(std::stoi(log.substr(5)) > 20);
        CHECK(processes_with_argument(marker).empty());
    }
    // The real thing, with the limit that every job has; the machine and the runner stay well.
    TestJob bomb("bomb() { bomb | bomb & }; bomb; echo up; sleep 1000");
    named(bomb).spec.grace = Milliseconds(100);
    bomb.spec.limits.pids = 200;
    bomb.start();
    REQUIRE(eventually([&] { return bomb.log_holds("up"); }));
    bomb.cancel();
    CHECK(bomb.finish().state == JobState::cancelled);
}

TEST_CASE("a job's usage is the whole job's, and its group goes with it") {
    if (!have_groups()) return;
    TestJob job("python3 -c 'b = bytearray(60_000_000)' & python3 -c 'b = bytearray(60_000_000); [i*i for i in range(400000)]' & wait");
    CHECK(named(job).run().state == JobState::success);
    CHECK(job.exit.usage.peak_memory > 60'000'000);
    CHECK(job.exit.usage.cpu_ms > 10);
    CHECK(eventually([] { return groups() == 0; }));
}

TEST_CASE("a killed runner's group is swept, with what a host job left in it") {
    if (!have_groups()) return;
    TestJob job("echo up; sleep 1000");
    named(job).start();
    REQUIRE(eventually([&] { return job.log_holds("up"); }));
    CHECK(groups() == 1);
    ::kill(job.pid, SIGKILL);
    ::waitpid(job.pid, nullptr, 0);
    job.pid = 0;
    CHECK(eventually([] { os::sweep_groups(); return groups() == 0; }));
}

TEST_CASE("a job that fills the disk is ended by policy, whatever way it fills it") {
    const std::string ways[] = {
        "for i in $(seq 1000); do head -c 1M /dev/zero > f$i; done; sleep 1000",                    // many files
        "head -c 500M /dev/zero > big; sleep 1000",                                                 // one
        "cd /tmp; for i in $(seq 1000); do head -c 1M /dev/zero > f$i || sleep 1000; done",         // not in the workspace
        "mkdir d; for i in $(seq 25); do head -c 1M /dev/zero > d/f$i; done; chmod 0 d; sleep 1000"};           // in secret
    for (const auto& way : ways) {
        CAPTURE(way);
        TestJob job({run_step(way), run_step("echo no")});
        named(job).spec.limits.storage = 20 * mib;
        job.spec.timeout = Milliseconds(120'000);
        CHECK(job.run().state == JobState::failed);
        CHECK(job.exit.end_reason == EndReason::policy);
        CHECK(job.exit.message.find("may write 20.0 MiB") != std::string::npos);
        CHECK(job.log().empty());
    }
}

TEST_CASE("an ordinary user's job hides nothing by taking away its own right to look") {
    if (::geteuid() != 0) return;  // then every other test is one of an ordinary user
    TestJob job("mkdir d d/e; for i in $(seq 15); do head -c 1M /dev/zero > d/e/f$i; done; chmod 0 d/e d; "
                "for i in $(seq 10); do head -c 1M /dev/zero > f$i; done; sleep 1000");
    named(job).spec.limits.storage = 20 * mib;
    for (const auto& folder : {job.paths.root, job.paths.workspace()}) REQUIRE(::chown(folder.c_str(), 65534, 65534) == 0);
    const auto copy = job.paths.root / "cicd-runner";
    std::filesystem::copy_file(CICD_BIN_DIR "/cicd-runner", copy);
    REQUIRE(job::write_spec(job.paths, job.spec).has_value());
    std::filesystem::permissions(job.paths.root, std::filesystem::perms(0755));
    const auto pid = os::spawn({.argv = {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", copy.string(),
                                         job.paths.root.string()}});
    REQUIRE(pid.has_value());
    job.pid = *pid;
    CHECK(job.finish().end_reason == EndReason::policy);
    // The job's own rights are as it left them.
    CHECK((std::filesystem::status(job.paths.workspace() / "d").permissions() & std::filesystem::perms(0777)) == std::filesystem::perms(0));
}

TEST_CASE("without a cgroup each process is limited, the job's processes are counted, and the log says what is not held") {
    if (::geteuid() != 0) return;
#ifdef __SANITIZE_ADDRESS__
    MESSAGE("skipped: what the sanitizer takes for itself is more than the limit");
    return;
#endif
    TestJob job({run_step("set +e; python3 -c 'bytearray(300_000_000)' 2>&1 | tail -1; "
                          "(for i in $(seq 60); do sleep 5 & done) 2>&1 | grep -c -m1 'Resource temporarily'; echo end")});
    named(job).spec.limits.memory = 128 * mib;
    job.spec.limits.pids = 30;
    job.spec.limits.cpu = 1.0;
    for (const auto& folder : {job.paths.root, job.paths.workspace()}) REQUIRE(::chown(folder.c_str(), 65534, 65534) == 0);
    const auto copy = job.paths.root / "cicd-runner";
    std::filesystem::copy_file(CICD_BIN_DIR "/cicd-runner", copy);
    REQUIRE(job::write_spec(job.paths, job.spec).has_value());
    std::filesystem::permissions(job.paths.root, std::filesystem::perms(0755));
    const auto pid = os::spawn({.argv = {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", copy.string(),
                                         job.paths.root.string()}});
    REQUIRE(pid.has_value());
    job.pid = *pid;
    job.finish();
    CHECK(job.log() == "MemoryError\n1\nend\n");
    CHECK(job.system_says("memory is limited for each process, not for the job, cpu is not limited: no writable cgroup"));
}

TEST_CASE("what was in the workspace before the job came does not count") {
    TestJob job("head -c 5M /dev/zero > more; rm before; echo fine");
    std::ofstream(job.paths.workspace() / "before") << std::string(30 * mib, 'x');
    named(job).spec.limits.storage = 20 * mib;
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "fine\n");
}

TEST_CASE("a job that leaves no room on the disk is ended, one that wrote little goes on") {
    char name[] = "/tmp/cicd-small-XXXXXX";
    const std::filesystem::path disk = ::mkdtemp(name);
    if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=256m") != 0) {
        MESSAGE("skipped: cannot mount a small disk: " << std::strerror(errno));
        std::filesystem::remove(disk);
        return;
    }
    {
        TestJob filler("echo up; cat /dev/zero > big || sleep 1000"), modest("echo up; while [ ! -e go ]; do sleep 0.02; done; echo fine");
        for (auto* job : {&filler, &modest}) {
            job->spec.workspace = (disk / (job == &filler ? "a/workspace" : "b/workspace")).string();
            (void)os::remove_all(job->paths.root);
            job->paths.root = std::filesystem::path(job->spec.workspace).parent_path();
            std::filesystem::create_directories(job->spec.workspace);
            named(*job);
        }
        modest.start();
        REQUIRE(eventually([&] { return modest.log_holds("up"); }));
        CHECK(filler.run().end_reason == EndReason::policy);
        CHECK(filler.exit.message.find("are free on the disk") != std::string::npos);
        std::ofstream(std::filesystem::path(modest.spec.workspace) / "go") << "";
        CHECK(modest.finish().state == JobState::success);
    }
    ::umount2(disk.c_str(), MNT_DETACH);
    std::filesystem::remove(disk);
}
