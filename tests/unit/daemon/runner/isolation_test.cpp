#include "job_fixture.hpp"

#include <sys/stat.h>

using namespace cicd;
using namespace cicd::test;
using model::JobState;

TEST_CASE("a sandboxed job sees nothing of the host but its programs") {
    std::ofstream("/tmp/cicd-host-secret-" + std::to_string(::getpid())) << "x";
    TestJob job("ls /etc/shadow /etc/gshadow /etc/sudoers /etc/ssh /root /home/* /tmp/cicd-host-secret-* /var/lib /sys 2>&1 | grep -v 'No such' ; "
                "ps -e -o pid= | wc -l; id -un; hostname; pwd; ls /workspace | wc -l");
    CHECK(job.run().state == JobState::success);
    ::unlink(("/tmp/cicd-host-secret-" + std::to_string(::getpid())).c_str());
    CHECK(job.log() == "/home/ci:\n4\nci\nci\n/workspace\n0\n");
}

TEST_CASE("a sandboxed job writes to its workspace and private places only") {
    TestJob job("for f in /usr/x /bin/x /opt/x /etc/ssl/certs/x /proc/sys/kernel/hostname; do "
                "if (echo x > $f) 2>/dev/null; then echo \"wrote $f\"; fi; done; "
                "for f in /workspace/x /tmp/x /home/ci/x /var/tmp/x /run/x; do (echo x > $f) || echo \"cannot write $f\"; done");
    CHECK(job.run().state == JobState::success);
    CHECK(job.log().empty());
    CHECK(std::filesystem::exists(job.paths.workspace() / "x"));
    CHECK(!std::filesystem::exists("/usr/x"));
}

TEST_CASE("network none leaves the loopback, which is up; host has the host's") {
    TestJob none("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; [ -e /etc/resolv.conf ] || echo no resolver");
    none.spec.network = model::NetworkMode::none;
    CHECK(none.run().state == JobState::success);
    CHECK(none.log() == "lo\nno resolver\n");

    TestJob loopback("python3 -c 'import socket; s=socket.create_server((\"127.0.0.1\",0)); c=socket.create_connection(s.getsockname()); print(\"up\")'");
    loopback.spec.network = model::NetworkMode::none;
    loopback.run();
    CHECK(loopback.log() == "up\n");

    std::ifstream file("/proc/net/dev");
    const std::string devices{std::istreambuf_iterator<char>(file), {}};
    TestJob host("cat /proc/net/dev | wc -l");
    host.run();
    CHECK(std::stol(host.log()) == std::count(devices.begin(), devices.end(), '\n'));
}

TEST_CASE("steps have no capabilities, and cannot touch the process that watches them") {
    TestJob job("grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status | tr -d '\\t'; kill -9 1; "
                "cat /proc/1/environ 2>/dev/null | wc -c; readlink /proc/1/fd/3 || true; cat /proc/1/mem /proc/1/fd/3 2>/dev/null | wc -c; echo alive");
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "CapEff:0000000000000000\nCapBnd:0000000000000000\nNoNewPrivs:1\n0\n0\nalive\n");
}

TEST_CASE("nothing of the daemon's environment or descriptors reaches a step") {
    TestJob job("env | grep -c SECRET_OF_DAEMON || true; ls /proc/self/fd | tr '\\n' ' '");
    job.start({"SECRET_OF_DAEMON=1"});
    CHECK(job.finish().state == JobState::success);
    CHECK(job.log() == "0\n0 1 2 3 \n");
}

TEST_CASE("an ordinary user has the same sandbox") {
    if (::geteuid() != 0) return;  // then every other test has shown it
    TestJob job("id -u; echo made > file; cat /etc/hosts > /dev/null && echo read");
    for (const auto& folder : {job.paths.root, job.paths.workspace()}) REQUIRE(::chown(folder.c_str(), 65534, 65534) == 0);
    // The runner must be readable to that user, wherever the build is.
    const auto copy = job.paths.root / "cicd-runner";
    std::filesystem::copy_file(CICD_BIN_DIR "/cicd-runner", copy);
    REQUIRE(job::write_spec(job.paths, job.spec).has_value());
    ::chmod(job.paths.root.c_str(), 0755);
    const auto pid = os::spawn({.argv = {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", copy.string(), job.paths.root.string()}});
    REQUIRE(pid.has_value());
    job.pid = *pid;
    CHECK(job.finish().state == JobState::success);
    CHECK(job.log() == "1000\nread\n");
    struct stat facts {};
    REQUIRE(::stat((job.paths.workspace() / "file").c_str(), &facts) == 0);
    CHECK(facts.st_uid == 65534);
}

TEST_CASE("a host job runs without isolation, as the user, in the real workspace") {
    TestJob job("pwd; echo $UNTOUCHED; id -u");
    job.spec.executor = model::ExecutorKind::host;
    job.start({"UNTOUCHED=yes"});
    CHECK(job.finish().state == JobState::success);
    CHECK(job.log() == job.paths.workspace().string() + "\nyes\n" + std::to_string(::getuid()) + "\n");
}
