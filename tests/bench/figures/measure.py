"""How things are measured: whole processes, samples in turn, memory as the kernel counts it."""
import os
import statistics
import subprocess
import time
from pathlib import Path


class CannotMeasure(Exception):
    """Says why a figure, or one of its subjects, is left out."""


def timed(command, cwd=None, env=None, stdout=subprocess.DEVNULL):
    """Wall milliseconds from start to exit of a whole process."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                               stdout=stdout, stderr=subprocess.PIPE)
    _, err = process.communicate()
    elapsed = (time.perf_counter() - start) * 1000
    if process.returncode != 0:
        last = (err.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise CannotMeasure(f"{command[0]} ended with {process.returncode}: {last}")
    return elapsed


def in_turn(subjects, runs):
    """subjects: name → callable that gives one sample. A B C A B C …, after one warm-up of each.

    A floor or ours that fails stops the figure; a peer that fails is left out, and that is said."""
    working = {}
    for name, call in subjects.items():
        try:
            call()
            working[name] = call
        except CannotMeasure as failure:
            if name.startswith("cicdctl") or not working:
                raise
            print(f"  {name} is left out: {failure}", flush=True)
    samples = {name: [] for name in working}
    for _ in range(runs):
        for name, call in working.items():
            samples[name].append(call())
    return samples


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def ratio(ours, theirs):
    """Of pairs taken in turn; of the medians where the series have different lengths."""
    if len(ours) == len(theirs):
        return statistics.median(a / b for a, b in zip(ours, theirs))
    return statistics.median(ours) / statistics.median(theirs)


def wait_until(condition, what, seconds=60.0, pause=0.005):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise CannotMeasure(f"{what} did not happen within {seconds:.0f} s")


def processes():
    """pid → parent, of everything that runs."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path("/proc", entry, "stat").read_bytes()
                parents[int(entry)] = int(stat[stat.rindex(b")") + 2:].split()[1])
            except (OSError, ValueError):
                continue  # it has just ended
    return parents


def descendants(roots):
    children = {}
    for pid, parent in processes().items():
        children.setdefault(parent, []).append(pid)
    found, rest = [], list(roots)
    while rest:
        pid = rest.pop()
        found.append(pid)
        rest += children.get(pid, [])
    return found


def pss(pid):
    """Bytes: private memory, and its share of what is shared. 0 where the process has ended."""
    try:
        for line in Path("/proc", str(pid), "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def peak_memory(pid):
    """Bytes: the most that a process has held since it started (VmHWM)."""
    for line in Path("/proc", str(pid), "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise CannotMeasure(f"/proc/{pid}/status has no VmHWM")


def used_memory():
    """Bytes in use on the whole machine, the kernel's own included, caches not."""
    facts = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return (int(facts["MemTotal"].split()[0]) - int(facts["MemAvailable"].split()[0])) * 1024
