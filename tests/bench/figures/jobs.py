"""B1–B4: what a job costs, alone, in a chain, among many; and that it starts as soon as its needs are met."""
import threading

from .measure import descendants, in_turn, peak_memory, pss, timed
from .peers import Laminar, gitlab_ci_local, podman_image, podman_run
from .world import BWRAP, World

ONE = "name: one\nstages:\n  - name: one\n    commands: ['true']\n"


def b1(bench):
    with World(bench) as world, Laminar(world) as laminar:
        files = {f"src/file{i}.txt": f"{i}\n" for i in range(10)}
        repository = world.repository("one", {".cicd.yaml": ONE, **files})
        subjects = {"bwrap true": lambda: timed([*BWRAP, "true"]),
                    "cicdctl": lambda: timed(world.command("run"), cwd=repository, env=world.env)}
        quick = in_turn(subjects | laminar.subject(), bench.runs)
        bench.report.add("B1", "one step `true`, warm daemon", "ms", quick, "bwrap true", "≤ 2.5× floor")
        # The slow ones in a series of their own, so that they do not cool the caches of the others.
        slow = gitlab_ci_local(world, "one", "one:\n  script: ['true']\n") | podman_run()
        if slow:
            subjects = {"cicdctl": subjects["cicdctl"], **slow}
            samples = in_turn(subjects, max(3, bench.runs // 10))
            bench.report.add("B1", "the same, beside slower peers", "ms", samples, None,
                             "gitlab-ci-local ≥ 40×, podman run ≥ 10×")


def b2(bench):
    count = 100
    with World(bench) as world:
        stages = "".join(f"  - {{name: s{i}, commands: ['true']}}\n" for i in range(count))
        repository = world.repository("chain", {".cicd.yaml": f"name: chain\nstages:\n{stages}"})
        loop = f"i=0; while [ $i -lt {count} ]; do {' '.join(BWRAP)} true; i=$((i+1)); done"
        subjects = {"bwrap true, in a loop": lambda: timed(["sh", "-c", loop]) / count,
                    "cicdctl": lambda: timed(world.command("run"), cwd=repository, env=world.env) / count}
        chain = "".join(f"s{i}:\n  script: ['true']\n" + (f"  needs: [s{i - 1}]\n" if i else "") for i in range(count))
        for name, call in ({} if bench.quick else gitlab_ci_local(world, "chain", chain)).items():
            subjects[name] = lambda call=call: call() / count
        bench.report.add("B2", f"chain of {count} stages of `true`, per stage", "ms", in_turn(subjects, bench.some),
                         "bwrap true, in a loop", "≤ 2.5× floor")


class MemoryWatch(threading.Thread):
    """The most that a daemon and everything below its runners held together, looked at ten times a second."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world, self.most, self.ending = world, 0, threading.Event()

    def run(self):
        while not self.ending.wait(0.1):
            roots = [self.world.daemon_pid(), *self.world.runner_pids()]
            self.most = max(self.most, sum(pss(pid) for pid in descendants(roots)))


def b3(bench):
    count = 200 if bench.quick else 1000
    jobs = "".join(f"      j{i}: {{steps: ['true']}}\n" for i in range(count))
    pipeline = f"name: many\nstages:\n  - name: all\n    jobs:\n{jobs}"
    for slots in (2, 50):
        what = f"{count} independent jobs, {slots} at once"
        with World(bench, slots=slots) as world:
            repository = world.repository("many", {".cicd.yaml": pipeline})
            loop = f"seq {count} | xargs -P{slots} -I+ {' '.join(BWRAP)} true"
            subjects = {f"xargs -P{slots} bwrap true": lambda: count / timed(["sh", "-c", loop]) * 1000,
                        "cicdctl": lambda: count / timed(world.command("run"), cwd=repository, env=world.env) * 1000}
            if not bench.quick:
                same = "".join(f"j{i}:\n  script: ['true']\n" for i in range(count))
                for name, call in gitlab_ci_local(world, "many", same, "--concurrency", str(slots)).items():
                    subjects[name] = lambda call=call: count / call() * 1000
                if image := podman_image():
                    few = f"seq 50 | xargs -P{slots} -I+ podman run --rm --network none {image} true"
                    subjects["podman run (50 of them)"] = lambda: 50 / timed(["sh", "-c", few]) * 1000
            samples = in_turn(subjects, max(2, bench.some // 2))
            bench.report.add("B3", what, "jobs/s", samples, f"xargs -P{slots} bwrap true", "≥ 0.5× floor")
            bench.report.add("B3", what + ": daemon's peak memory", "MB",
                             {"cicdctl": [peak_memory(world.daemon_pid()) / 1e6]}, None, "< 100 MB")
            watch = MemoryWatch(world)
            watch.start()
            timed(world.command("run"), cwd=repository, env=world.env)
            watch.ending.set()
            watch.join()
            bench.report.add("B3", what + ": peak of all processes (Pss)", "MB", {"cicdctl": [watch.most / 1e6]})


DAG = """name: dag
stages:
  - name: first
    jobs:
      a: {steps: ["sleep 1; date +%s.%N"]}
      b: {steps: ["sleep 10"]}
  - name: then
    needs: [first.a]
    jobs:
      c: {steps: ["date +%s.%N"]}
"""


def b4(bench):
    with World(bench) as world:
        repository = world.repository("dag", {".cicd.yaml": DAG.replace("sleep 10", "sleep 3") if bench.quick else DAG})

        def once():
            jobs = {job["name"]: job["id"] for job in world.run(repository)["jobs"]}
            stamp = {name: float(world.cicdctl("logs", jobs[name]).split()[-1]) for name in ("a", "c")}
            return (stamp["c"] - stamp["a"]) * 1000

        bench.report.add("B4", "A(1 s)→C beside B(10 s): from A's last command to C's first", "ms",
                         in_turn({"cicdctl": once}, max(3, bench.some // 2)), None, "≤ 20 ms")
