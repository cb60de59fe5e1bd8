"""B13: thousands of sleeping runs at once, what each holds, and how soon one more starts."""
import json
import time

from .measure import CannotMeasure, descendants, in_turn, pss, used_memory, wait_until
from .world import World, raise_limits

SLEEP = "name: sleep\nstages:\n  - {name: one, commands: ['sleep 3600']}\n"
STAMP = "name: stamp\nstages:\n  - {name: one, commands: ['date +%s.%N']}\n"


def b13(bench):
    for count in (200,) if bench.quick else (1000, 5000):
        try:
            sleeping(bench, count)
        except CannotMeasure as failure:
            print(f"  B13 with {count:,} runs is left out: {failure}", flush=True)


def one_more(world, repository):
    """Milliseconds from asking for a run to its first command."""
    begin = time.time()
    run = json.loads(world.cicdctl("run", "--detach", "-o", "json", cwd=repository))["id"]
    world.cicdctl("watch", run)
    job = json.loads(world.cicdctl("show", run, "-o", "json"))["jobs"][0]["id"]
    return (float(world.cicdctl("logs", job).split()[-1]) - begin) * 1000


def sleeping(bench, count):
    missing = raise_limits(count)
    if missing:
        print(f"  limits that may be too low for {count:,} runs: {', '.join(missing)}", flush=True)
    with World(bench, slots=count + 10) as world:
        sleep = world.repository("sleep", {".cicd.yaml": SLEEP})
        stamp = world.repository("stamp", {".cicd.yaml": STAMP})
        alone = in_turn({"cicdctl": lambda: one_more(world, stamp)}, max(5, bench.some))["cicdctl"]
        before, started = used_memory(), time.monotonic()
        with world.api() as call:
            for _ in range(count):
                call("POST", "/runs", {"repository": str(sleep), "branch": "main"})
            accepted = time.monotonic() - started
            wait_until(lambda: call("GET", "/status")["runningJobs"] >= count, f"the start of {count} runs", 600, 0.2)
            wait_until(lambda: sleepers(world) >= count, f"{count} sleeping processes", 300, 0.5)
        print(f"  {count:,} runs accepted in {accepted:.1f} s, all asleep after {time.monotonic() - started:.1f} s", flush=True)
        whole = used_memory() - before
        pids = descendants([world.daemon_pid(), *world.runner_pids()])
        memory = sum(pss(pid) for pid in pids)
        what = f"{count:,} sleeping runs"
        bench.report.add("B13", f"{what}: memory of each, all processes (Pss)", "MB",
                         {"cicdctl": [memory / count / 1e6]}, None, "≤ 2 MB")
        bench.report.add("B13", f"{what}: memory of each, the kernel's included", "MB", {"cicdctl": [whole / count / 1e6]})
        bench.report.add("B13", f"{what}: the daemon alone", "MB", {"cicdctl": [pss(world.daemon_pid()) / 1e6]})
        delays = in_turn({"cicdctl": lambda: one_more(world, stamp)}, max(5, bench.some))["cicdctl"]
        bench.report.add("B13", f"{what}: from asking for one more to its first command", "ms",
                         {"with nothing else": alone, "cicdctl": delays}, "with nothing else", "≤ 50 ms")


def sleepers(world):
    found = 0
    for pid in descendants(world.runner_pids()):
        try:
            with open(f"/proc/{pid}/comm") as file:
                found += file.read() == "sleep\n"
        except OSError:
            pass
    return found
