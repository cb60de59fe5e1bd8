#include "common/base/text.hpp"
#include "job_fixture.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstddef>
#include <optional>

/// What a hostile step tries, against the real cicd-runner.
using namespace cicd;
using namespace cicd::test;
using model::JobState;

namespace {

/// The step's attempts, in Python; each prints what came of it.
const std::string attempts = R"(
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *arguments):
    ctypes.set_errno(0)
    answer = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    print(name, "worked" if answer >= 0 else errno.errorcode.get(ctypes.get_errno(), "?"))
)";

std::string python(const std::string& code) { return "python3 - <<'END'\n" + attempts + code + "\nEND\n"; }

class Listener {
public:
    explicit Listener(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path, sizeof address.sun_path - 1);
        if (name[0] == '@') address.sun_path[0] = 0;
        REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address),
                       static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())) == 0);
        REQUIRE(::listen(fd_.get(), 4) == 0);
    }

private:
    os::Fd fd_;
};

}  // namespace

TEST_CASE("system calls that reach for the machine are refused") {
#ifdef __x86_64__
    TestJob job(python(R"(
null = ctypes.c_void_p(None)
call("kexec_load", 246, 0, 0, null, 0)
call("init_module", 175, null, 0, null)
call("finit_module", 313, -1, null, 0)
call("bpf", 321, 0, null, 0)
call("perf_event_open", 298, null, 0, -1, -1, 0)
call("userfaultfd", 323, 0)
call("keyctl", 250, 0, -3, 0)
call("add_key", 248, b"user", b"x", b"y", 1, -3)
call("open_by_handle_at", 304, -1, null, 0)
call("io_uring_setup", 425, 1, null)
call("mount", 165, b"none", b"/tmp", b"tmpfs", 0, null)
call("umount2", 166, b"/usr", 2)
call("open_tree", 428, -100, b"/usr", 1)
call("fsopen", 430, b"tmpfs", 0)
call("unshare user", 272, 0x10000000)
call("unshare mounts", 272, 0x20000)
call("clone user", 56, 0x10000000 | 17, 0, 0, 0, 0)
call("clone3", 435, null, 0)
call("pivot_root", 155, b"/", b"/tmp")
call("clock_settime", 227, 0, null)
call("reboot", 169, 0xfee1dead, 672274793, 0)
call("swapon", 167, b"/tmp", 0)
call("quotactl", 179, 0, null, 0, null)
call("acct", 163, null)
call("sethostname", 170, b"x", 1)
call("ioctl TIOCSTI", 16, 0, 0x5412, b"x")
call("ioctl TIOCSTI, upper bits", 16, 0, 0x100005412, b"x")
call("vsock", 41, 40, 1, 0)
call("x32", 0x40000000 + 39)
)"));
    CHECK(job.run().state == JobState::success);
    for (const auto& line : split(trim(job.log()), '\n')) {
        CAPTURE(line);
        const bool absent = line.starts_with("clone3") || line.starts_with("x32");
        CHECK(line.ends_with(absent ? " ENOSYS" : " EPERM"));
    }
    CHECK(split(trim(job.log()), '\n').size() == 29);
#endif
}

TEST_CASE("what builds and debuggers need works under the filter") {
    TestJob job(python(R"(
import subprocess, threading
threading.Thread(target=lambda: print("thread")).start()
print(subprocess.run(["sh", "-c", "exit 7"]).returncode)
import signal
child = os.fork()
if child == 0:
    libc.ptrace(0, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(3)
_, status = os.waitpid(child, 0)
print("traced", os.WIFSTOPPED(status))
libc.ptrace(7, child, 0, 0)
print(os.WEXITSTATUS(os.waitpid(child, 0)[1]))
os.mkfifo("fifo"); print("fifo")
socket.socketpair(); print("sockets")
)"));
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "thread\n7\ntraced True\n3\nfifo\nsockets\n");
}

TEST_CASE("no device nodes, no file rights that count, and no devices but the harmless ones") {
    TestJob job("set +e; mknod disk b 254 0 2>/dev/null && echo made a disk; mknod null c 1 3 2>/dev/null && echo made null; "
                "cp /bin/sleep mine; chmod u+s mine; chown 0 mine 2>/dev/null && echo chowned; "
                "grep NoNewPrivs /proc/self/status | tr -d '\\t'; "
                "for s in su mount passwd; do f=$(command -v $s) && [ -u $f ] && $f --version > /dev/null 2>&1; done; "
                "echo $(ls /dev); ls /dev/mem /dev/kmsg /dev/sda /dev/vda /dev/kvm /dev/fuse 2>/dev/null; "
                "ls -d /sys /boot /root /proc/1/root/root 2>/dev/null; "
                "for f in sysrq-trigger sys/kernel/core_pattern sys/vm/drop_caches; do (echo h > /proc/$f) 2>/dev/null && echo wrote $f; done; id -u");
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "NoNewPrivs:1\nfd full null ptmx pts random shm stderr stdin stdout tty urandom zero\n1000\n");
}

TEST_CASE("a set-user-id program gives nobody anything") {
    TestJob job("set +e; f=$(command -v su || command -v mount); ls -l $f | cut -c4; "
                "python3 -c 'import os,subprocess; print(subprocess.run([\"grep\", \"-c\", \"^Uid:.1000.1000.1000.1000\", \"/proc/self/status\"], capture_output=True).stdout.decode().strip())'; "
                "cp $(command -v id) mine && chmod 4755 mine && ./mine -u");
    CHECK(job.run().state == JobState::success);
    CHECK(job.log().ends_with("1\n1000\n"));
}

TEST_CASE("two jobs do not see, trace or signal each other, nor anything of the host") {
    TestJob victim("echo up; while [ ! -e go ]; do sleep 0.02; done; echo unharmed");
    victim.spec.job = JobId("victim");
    victim.start();
    REQUIRE(eventually([&] { return victim.log_holds("up"); }));
    const auto host_pid = std::to_string(::getpid());
    TestJob attacker("set +e; kill -9 -1 2>/dev/null; echo alive");
    attacker.spec.steps.push_back(run_step(
        "set +e; ls /proc | grep -c '^[0-9]' ; "
        "for p in $(seq 2 400) " + host_pid + " " + std::to_string(victim.pid) + "; do [ $p = $$ ] || [ ! -e /proc/$p ] || echo $p >> seen; done; "
        "kill -9 " + host_pid + " 2>/dev/null && echo killed; "
        "python3 -c 'import ctypes; print(ctypes.CDLL(None).ptrace(16, " + std::to_string(victim.pid) + ", 0, 0))'; "
        "cat /proc/1/environ /proc/1/maps 2>/dev/null | wc -c"));
    attacker.spec.steps[1].condition = "always()";
    attacker.run();
    const auto log = attacker.log();
    CHECK(log.find("killed") == std::string::npos);
    CHECK(log.find("-1\n0\n") != std::string::npos);
    std::ofstream(victim.paths.workspace() / "go") << "";
    CHECK(victim.finish().state == JobState::success);
    CHECK(victim.log() == "up\nunharmed\n");
}

TEST_CASE("neither state, keys and sockets of the daemon nor other jobs' folders can be reached, not even by name") {
    char name[] = "/tmp/cicd-state-XXXXXX";
    const std::filesystem::path state = ::mkdtemp(name);
    std::filesystem::create_directories(state / "keys");
    std::filesystem::create_directories(state / "jobs/other/1/workspace");
    std::ofstream(state / "keys/secret") << "hidden-words";
    std::ofstream(state / "jobs/other/1/workspace/file") << "hidden-words";
    std::ofstream(state / "state.db") << "hidden-words";
    const Listener socket((state / "cicdd.sock").string());
    TestJob job("set +e; for f in state.db keys/secret jobs/other/1/workspace/file; do cat " + state.string() + "/$f; done 2>/dev/null; "
                "cat ../spec.json /workspace/../journal " + state.string() + "/../*/spec.json 2>/dev/null; "
                "grep -rl hidden-word[s] /tmp /run /home /var /etc 2>/dev/null; " +
                python("s = socket.socket(socket.AF_UNIX)\ntry:\n  s.connect('" + (state / "cicdd.sock").string() +
                       "')\n  print('connected')\nexcept OSError as e: print(errno.errorcode[e.errno])") +
                "echo end");
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "ENOENT\nend\n");
    (void)os::remove_all(state);
}

TEST_CASE("the job's own record cannot be touched from inside") {
    TestJob job("set +e; ls /run/cicd; "
                "for f in journal log exit lock pid spec.json cancel; do ls /run/cicd/$f /workspace/../$f 2>/dev/null; done; true");
    CHECK(job.run().state == JobState::success);
    CHECK(job.log() == "0-env\n0-output\n0-path\n0-summary\n0.sh\n");  // in memory; none of the host's
    CHECK_FALSE(std::filesystem::exists(job.paths.root / "files"));
}

TEST_CASE("abstract sockets belong to the network: the host's are there with its network, and not without it") {
    const auto name = "@cicd-abstract-" + std::to_string(::getpid());
    const Listener socket(name);
    const auto script = python("s = socket.socket(socket.AF_UNIX)\ntry:\n  s.connect('\\0" + name.substr(1) +
                               "')\n  print('connected')\nexcept OSError as e: print(errno.errorcode[e.errno])");
    TestJob none(script), host(script);
    none.spec.network = model::NetworkMode::none;
    none.run();
    CHECK(none.log() == "ECONNREFUSED\n");
    host.run();
    CHECK(host.log() == "connected\n");
}

TEST_CASE("whoever daemonises dies with the job") {
    const auto marker = "daemonised" + std::to_string(::getpid());
    for (const auto executor : {model::ExecutorKind::sandbox, model::ExecutorKind::host}) {
        TestJob job("m=" + marker + "\nsetsid sh -c 'trap \"\" HUP TERM; exec sleep 1000; : '$m &\nnohup sh -c 'sleep 1000; : '$m > /dev/null 2>&1 &\n"
                    "python3 - $m <<'END'\nimport os, sys, time\nfor _ in range(2):\n    if os.fork(): os._exit(0)\n    os.setsid()\n"
                    "os.execvp('sh', ['sh', '-c', 'sleep 1000; :', sys.argv[1]])\nEND\n"
                    "echo done");
        job.spec.executor = executor;
        CHECK(job.run().state == JobState::success);
        CHECK(job.log() == "done\n");
        CHECK(processes_with_argument(marker).empty());
    }
}
