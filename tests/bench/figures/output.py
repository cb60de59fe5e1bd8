"""B5: much output, and how soon a printed line is seen."""
import json
import subprocess
import sys
import time

from .measure import CannotMeasure, in_turn, timed
from .peers import gitlab_ci_local
from .world import World

LINE = "x" * 99

# Prints when each line was printed; what reads them knows when it arrived. CLOCK_MONOTONIC is one for all of a machine.
TICKS = """import sys, time
for i in range(int(sys.argv[1])):
    time.sleep(0.002)
    sys.stdout.write(f"tick {time.monotonic_ns()}\\n")
    sys.stdout.flush()
"""


def b5(bench):
    volume(bench)
    masked(bench)
    latency(bench)


def volume(bench):
    megabytes = 20 if bench.quick else 200
    lines = megabytes * 10_000
    flood = f"yes {LINE} | head -n {lines}"
    with World(bench) as world:
        pipeline = f"name: flood\nstages:\n  - {{name: one, commands: ['{flood}']}}\n"
        repository = world.repository("flood", {".cicd.yaml": pipeline})
        target = world.folder / "file"

        def stored():
            run = world.run(repository)
            job = run["jobs"][0]
            size = (world.state / "jobs" / job["id"] / "1/log").stat().st_size
            if size != lines * 100:
                raise CannotMeasure(f"the log holds {size} bytes instead of {lines * 100}")
            return job["steps"][0]["usage"]["wallMs"]

        subjects = {"> file": lambda: timed(["sh", "-c", f"{flood} > {target}"]),
                    "cicdctl": lambda: timed(world.command("run"), cwd=repository, env=world.env)}
        if not bench.quick:
            subjects |= gitlab_ci_local(world, "flood", f"one:\n  script: ['{flood}']\n")
        bench.report.add("B5", f"a step printing {megabytes} MB in lines, followed by `cicdctl run`", "ms",
                         in_turn(subjects, max(3, bench.some // 2)), "> file", "≤ 2.5× floor")
        del subjects["cicdctl"]
        bench.report.add("B5", f"the step itself, its {megabytes} MB checked", "ms",
                         in_turn({"> file": subjects["> file"], "cicdctl": stored}, max(3, bench.some // 2)), "> file")


def masked(bench):
    """The log's throughput with secrets to hide, against the same job without any."""
    megabytes = 20 if bench.quick else 200
    # Text as builds print it: what a masker looks at closely depends on it.
    text = "[ 42%] Building CXX object src/CMakeFiles/core.dir/parser/lexer.cpp.o -- checking for sys/types.h... yes, found 12"
    flood = f"yes '{text[:99]}' | head -n {megabytes * 10_000}"
    sizes = {"20 secrets of 24 letters": ("none of them is printed %d", 20), "20 secrets of 4 letters": ("%04d", 20)}
    with World(bench) as world:
        repository = world.repository("masked", {f"{n}.yaml": text for n, text in pipelines(flood, sizes).items()})
        for name, (form, count) in sizes.items():
            for number in range(count):
                subprocess.run(world.command("secret", "set", secret(name, number)), input=(form % (number * 37)).encode(),
                               env=world.env, check=True, capture_output=True)

        def step(name):
            job = world.run(repository, "-f", f"{name}.yaml")["jobs"][0]
            return job["steps"][0]["usage"]["wallMs"]

        for name in sizes:
            bench.report.add("B5", f"a step printing {megabytes} MB of a build's text, {name} hidden", "ms",
                             in_turn({"none hidden": lambda: step("none"), "cicdctl": lambda: step(name.replace(" ", "-"))},
                                     max(5, bench.some)), "none hidden", "≤ 1.1× floor")


def secret(name, number):
    return f"S_{name.replace(' ', '_').upper()}_{number}"


def pipelines(flood, sizes):
    texts = {"none": f"name: none\nstages:\n  - name: one\n    commands:\n      - \"{flood}\"\n"}
    for name, (_, count) in sizes.items():
        env = ", ".join(f"V{n}: '${{{{ secrets.{secret(name, n)} }}}}'" for n in range(count))
        texts[name.replace(" ", "-")] = (f"name: hidden\nstages:\n  - name: one\n    env: {{{env}}}\n    commands:\n"
                                         f"      - \"{flood}\"\n")
    return texts


def delays(process):
    """Milliseconds from printing to arrival of each tick that the process gives."""
    found = []
    for line in iter(process.stdout.readline, b""):
        now = time.monotonic_ns()
        if line.startswith(b"tick "):
            found.append((now - int(line[5:])) / 1e6)
    process.wait()
    return found[5:]


def started(command, env=None):
    return subprocess.Popen([str(word) for word in command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, bufsize=65536)


def latency(bench):
    ticks = 300 if bench.quick else 2000
    with World(bench) as world:
        # It begins once the follower is there: a follower that comes late would see old lines.
        wait = "while [ ! -e go ]; do sleep 0.01; done"
        pipeline = f"name: ticks\nworkspace: shared\nstages:\n  - {{name: one, commands: ['{wait}; python3 ticks.py {ticks}']}}\n"
        repository = world.repository("ticks", {"ticks.py": TICKS, ".cicd.yaml": pipeline})
        script = repository / "ticks.py"

        def followed():
            run = json.loads(world.cicdctl("run", "--detach", "-o", "json", cwd=repository))["id"]
            job = json.loads(world.cicdctl("show", run, "-o", "json"))["jobs"][0]["id"]
            process = started(world.command("logs", "-f", job), world.env)
            workspace = world.state / "runs" / run / "workspace"
            while not workspace.exists():
                time.sleep(0.01)
            time.sleep(0.3)
            (workspace / "go").touch()
            found = delays(process)
            world.cicdctl("watch", run)
            if len(found) < ticks // 2:
                raise CannotMeasure(f"only {len(found)} of {ticks} lines arrived")
            return found

        samples = {"a pipe": [], "cicdctl": []}
        for _ in range(1 if bench.quick else 3):
            samples["a pipe"] += delays(started([sys.executable, script, str(ticks)]))
            samples["cicdctl"] += followed()
        bench.report.add("B5", "from printing a line to a following `cicdctl logs -f`", "ms", samples, "a pipe",
                         "≤ 0.3 ms, p99 ≤ 1 ms")
