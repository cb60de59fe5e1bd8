"""B6 and B11: what jobs keep, saved and put back by cicd-store as a runner has it done."""
import json
import os
import shutil
import subprocess
import time

from .measure import CannotMeasure, in_turn


def keep(bench, folder, request):
    """Milliseconds of one cicd-store, whole, and what it answered."""
    question, answer = os.memfd_create("request"), os.memfd_create("answer")
    workspace = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    os.write(question, json.dumps(request).encode())

    def place():
        high = [os.dup2(fd, 100 + i) for i, fd in enumerate((question, answer, workspace))]
        for number, fd in zip((3, 4, 5), high):
            os.dup2(fd, number)
    try:
        start = time.perf_counter()
        done = subprocess.run([bench.bin / "cicd-store"], preexec_fn=place, close_fds=False, capture_output=True)
        elapsed = (time.perf_counter() - start) * 1000
        told = json.loads(os.pread(answer, os.fstat(answer).st_size, 0) or b"{}")
        if done.returncode != 0 or told.get("error"):
            raise CannotMeasure(f"cicd-store ended with {done.returncode}: {told.get('error')} {done.stderr.decode()}")
        return elapsed, told
    finally:
        for fd in (question, answer, workspace):
            os.close(fd)


def timed_of(*commands):
    start = time.perf_counter()
    for command in commands:
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def emptied(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def b6(bench):
    size = (64 if bench.quick else 1024) << 20
    root = emptied(bench.folder / "b6")
    state, work, source, scratch = root / "state", root / "work", root / "source", root / "scratch"
    with open(source, "wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
    artifact = {"name": "model", "paths": ["model.bin"]}

    def save(link):
        def once():
            emptied(state), emptied(work)
            shutil.copyfile(source, work / "model.bin")
            elapsed, told = keep(bench, work, {"operation": "save", "store": str(state), "mayLink": link, "artifacts": [artifact]})
            once.digest = told["artifacts"][0]["digest"]
            return elapsed
        return once

    def floor():
        emptied(work)
        return timed_of(["cp", source, work / "copy"], ["sha256sum", work / "copy"])

    linked, copied = save(True), save(False)
    samples = in_turn({"cp + sha256sum": floor, "cicdctl, copied": copied, "cicdctl": linked}, max(3, bench.some // 2))
    bench.report.add("B6", f"artifact of {size >> 20} MiB saved, synced to disk", "ms", samples, "cp + sha256sum", "≤ 1.3× floor")

    def restore():
        emptied(scratch)
        return keep(bench, scratch, {"operation": "put_back", "store": str(state),
                                     "needed": [{"jobKey": "a.b", "name": "model", "digest": linked.digest}]})[0]

    def copy():
        emptied(scratch)
        return timed_of(["cp", source, scratch / "copy"])

    samples = in_turn({"cp": copy, "cicdctl": restore}, max(3, bench.some // 2))
    bench.report.add("B6", f"artifact of {size >> 20} MiB put back", "ms", samples, "cp", "≤ 1.2× floor")
    shutil.rmtree(root)


def b11(bench):
    count = 5_000 if bench.quick else 50_000
    root = emptied(bench.folder / "b11")
    state, work, scratch = root / "state", root / "work", root / "scratch"
    modules = work / "node_modules"
    for package in range(count // 25):
        inner = modules / f"package-{package}" / "lib"
        inner.mkdir(parents=True)
        for i in range(25):
            text = f"'use strict';\nmodule.exports = require('./file-{i}-{package}');\n" * (1 + (package * 7 + i * 13) % 90)
            (inner / f"file-{i}.js").write_text(text)
    cache = {"key": "deps", "paths": ["node_modules/**"]}
    places = [{"project": "/app", "read": ["branch main"], "write": "branch main"}]
    state.mkdir()

    def save():
        emptied(state)
        return keep(bench, work, {"operation": "save", "store": str(state), "caches": [cache], "places": places,
                                  "outcomes": [{"key": "deps", "hit": "miss"}]})[0]

    def restore():
        emptied(scratch)
        elapsed, told = keep(bench, scratch, {"operation": "put_back", "store": str(state), "caches": [cache], "places": places})
        if told["caches"][0]["hit"] != "exact":
            raise CannotMeasure(f"no hit: {told['caches']}")
        return elapsed

    def copy():
        emptied(scratch)
        return timed_of(["cp", "-a", "--reflink=auto", modules, scratch])

    samples = in_turn({"cp -a": copy, "cicdctl": save}, max(3, bench.some // 2))
    bench.report.add("B11", f"cache of {count:,} small files saved", "ms", samples, "cp -a")
    samples = in_turn({"cp -a": copy, "cicdctl": restore}, max(3, bench.some // 2))
    bench.report.add("B11", f"cache of {count:,} small files put back", "ms", samples, "cp -a", "≤ 1.2× floor")
    shutil.rmtree(root)
