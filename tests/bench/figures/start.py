"""B8: how soon the command answers, and a daemon with a long history."""
import http.client
import shutil
import subprocess
import time

from .measure import CannotMeasure, in_turn, timed, wait_until
from .world import UnixConnection, World


def fill(world, count):
    """So many ended runs in the state file of a daemon that does not run."""
    world.state.mkdir(exist_ok=True)
    command = [world.bin / "cicd-bench-fill", world.state / "state.db", str(count)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotMeasure(f"the state file could not be filled: {done.stderr.strip()}")


def ready(world):
    try:
        connection = UnixConnection(world.socket)
        connection.request("GET", "/api/v1/readyz")
        status = connection.getresponse().status
        connection.close()
        return status == 200
    except (OSError, http.client.HTTPException):
        return False


def b8(bench):
    with World(bench) as world:
        subjects = {"true": lambda: timed(["true"]), "cicdctl": lambda: timed(world.command("version"), env=world.env)}
        if shutil.which("git"):
            subjects["git --version"] = lambda: timed(["git", "--version"])
        if shutil.which("podman"):
            subjects["podman --version"] = lambda: timed(["podman", "--version"])
        bench.report.add("B8", "`cicdctl version`", "ms", in_turn(subjects, bench.runs), "true", "≤ 3 ms")
        subjects = {"true": lambda: timed(["true"]), "cicdctl": lambda: timed(world.command("status"), env=world.env)}
        bench.report.add("B8", "`cicdctl status`, warm daemon", "ms", in_turn(subjects, bench.runs), "true", "≤ 5 ms")
    count = 10_000 if bench.quick else 100_000
    with World(bench, start=False) as world:
        fill(world, count)

        def cold():
            start = time.perf_counter()
            daemon = subprocess.Popen([world.bin / "cicdd", "serve"], env=world.env, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(lambda: ready(world), "the daemon's start", 30, 0.0005)
            elapsed = (time.perf_counter() - start) * 1000
            daemon.terminate()
            daemon.wait()
            return elapsed

        bench.report.add("B8", f"cold daemon with {count:,} runs, to ready", "ms",
                         in_turn({"cicdctl": cold}, max(5, bench.some)), None, "≤ 150 ms")
        world.cicdctl("daemon", "start")
        listed = in_turn({"cicdctl": lambda: timed(world.command("ps", "--all"), env=world.env)}, max(10, bench.runs // 2))
        bench.report.add("B8", f"`cicdctl ps --all` with {count:,} runs", "ms", listed)
