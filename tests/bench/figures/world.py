"""One figure's world below the bench's folder: home, state, a daemon of its own, repositories."""
import contextlib
import http.client
import itertools
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from .measure import CannotMeasure, wait_until

ROOT = Path(__file__).resolve().parents[3]
BIN = ROOT / "build/release/bin"

BWRAP = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
         "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
         "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
         "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--"]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


class World:
    """Use as a context manager: at its end the daemon is stopped, what still ran is killed, the folder is removed."""
    numbers = itertools.count(1)

    def __init__(self, bench, slots=None, start=True):
        self.folder = bench.folder / f"w{next(World.numbers)}"
        self.bin, self.start_daemon = bench.bin, start
        self.state, config = self.folder / "state", self.folder / "config"
        for path in (self.folder, self.folder / "home", config):
            path.mkdir()
        self.env = dict(os.environ, CICD_STATE_DIR=str(self.state), CICD_CONFIG_DIR=str(config), NO_COLOR="1",
                        HOME=str(self.folder / "home"), XDG_CACHE_HOME=str(self.folder / "cache"),
                        GIT_CONFIG_GLOBAL="/dev/null", LC_ALL="C.UTF-8")
        self.env.pop("CICD_SOCKET", None)
        if slots:
            (config / "config.yaml").write_text(f"capacity: {{slots: {slots}}}\n")

    def config(self, key, value):
        """Before the daemon's start."""
        with (self.folder / "config/config.yaml").open("a") as file:
            file.write(f"{key}: {value}\n")

    def __enter__(self):
        if self.start_daemon:
            self.cicdctl("daemon", "start")
        return self

    def __exit__(self, *_):
        subprocess.run([self.bin / "cicdctl", "daemon", "stop"], env=self.env, capture_output=True)
        self.kill_runners()
        self.kill_daemon()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def socket(self):
        return self.state / "cicdd.sock"

    def command(self, *arguments):
        return [self.bin / "cicdctl", *arguments]

    def cicdctl(self, *arguments, cwd=None):
        done = subprocess.run([str(w) for w in self.command(*arguments)], cwd=cwd, env=self.env, capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise CannotMeasure(f"cicdctl {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    @contextlib.contextmanager
    def api(self):
        connection = UnixConnection(self.socket)

        def call(method, path, body=None):
            connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise CannotMeasure(f"{method} {path}: {answer.status} {text[:300].decode(errors='replace')}")
            return json.loads(text) if text else None
        try:
            yield call
        finally:
            connection.close()

    def run(self, repository, *options):
        """Runs a pipeline to its end; gives the run with its jobs."""
        run = json.loads(self.cicdctl("run", "--detach", "-o", "json", *options, cwd=repository))["id"]
        self.cicdctl("watch", run)
        return json.loads(self.cicdctl("show", run, "-o", "json"))

    def repository(self, name, files):
        folder = self.folder / name
        folder.mkdir()
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        git = ["git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0"]
        for step in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
            subprocess.run([*git, *step], cwd=folder, check=True, env=self.env)
        return folder

    def daemon_pid(self):
        return int((self.state / "cicdd.pid").read_text())

    def runner_pids(self):
        """Runners of this world's jobs, by their own command line: a number in a file could be somebody else's by now."""
        mark = str(self.state / "jobs").encode() + b"/"
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if len(words) > 1 and words[0].endswith(b"cicd-runner") and words[1].startswith(mark):
                    found.append(int(entry.name))
        return found

    def kill_runners(self):
        for _ in range(100):
            pids = self.runner_pids()
            if not pids:
                return
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def kill_daemon(self):
        """One that did not stop when it was asked to."""
        mark = str(self.state).encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    if words[0].endswith(b"cicdd") and mark in words:
                        os.kill(int(entry.name), signal.SIGKILL)

    def wait_for_end(self, call, what, seconds):
        wait_until(lambda: call("GET", "/status")["activeRuns"] == 0, what, seconds, 0.05)


def raise_limits(jobs):
    """What so many sleeping jobs need. Gives a list of what could not be raised, in words."""
    missing = []
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16 * jobs + 1024
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, 1024), max(wanted, hard)))
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 4 * jobs:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if hard < 4 * jobs:
            missing.append(f"{hard} open files")
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NPROC, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if resource.getrlimit(resource.RLIMIT_NPROC)[0] not in (resource.RLIM_INFINITY,) and soft < 6 * jobs:
        missing.append(f"{soft} processes")
    needs = {"/proc/sys/kernel/pid_max": 8 * jobs + 4096, "/proc/sys/kernel/threads-max": 8 * jobs + 4096,
             "/proc/sys/fs/inotify/max_user_watches": 4 * jobs + 4096, "/proc/sys/user/max_user_namespaces": 2 * jobs + 64,
             "/proc/sys/user/max_mnt_namespaces": 2 * jobs + 64, "/proc/sys/user/max_pid_namespaces": 2 * jobs + 64}
    for name, needed in needs.items():
        path = Path(name)
        with contextlib.suppress(OSError, ValueError):
            if int(path.read_text()) < needed:
                try:
                    path.write_text(str(needed))
                except OSError:
                    missing.append(f"{name} = {path.read_text().strip()}")
    return missing
