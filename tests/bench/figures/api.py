"""B14: reads of the API under load, with a long history."""
import subprocess

from .measure import CannotMeasure
from .peers import Nginx
from .start import fill
from .world import World


def load(world, socket, path, seconds, clients=16):
    """requests per second, median ms, p99 ms"""
    command = [world.bin / "cicd-bench-load", socket, path, str(seconds), str(clients)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotMeasure(f"{path}: {done.stderr.strip()}")
    return [float(word) for word in done.stdout.split()]


def b14(bench):
    count, seconds, rounds = (5000, 0.5, 2) if bench.quick else (100_000, 2, 5)
    with World(bench, start=False) as world:
        fill(world, count)
        world.cicdctl("daemon", "start")
        with world.api() as call:
            newest = call("GET", "/runs?pageSize=1")["data"][0]["id"]
        measure(bench, world, "GET /healthz", "/api/v1/healthz", seconds, rounds, count)
        measure(bench, world, "GET /runs/ID", f"/api/v1/runs/{newest}", seconds, rounds, count)
        measure(bench, world, "GET /runs?pageSize=20", "/api/v1/runs?pageSize=20", seconds, rounds, count)


def measure(bench, world, what, path, seconds, rounds, count):
    with world.api() as call:
        body = str(call("GET", path.removeprefix("/api/v1"))).encode()
    with Nginx(world, body) as nginx:
        rates, p99s = {"cicdctl": []}, {"cicdctl": []}
        for _ in range(rounds):
            if nginx.process:
                rate, _, p99 = load(world, nginx.socket, "/body.json", seconds)
                rates.setdefault("nginx, a static file", []).append(rate)
                p99s.setdefault("nginx, a static file", []).append(p99)
            rate, _, p99 = load(world, world.socket, path, seconds)
            rates["cicdctl"].append(rate)
            p99s["cicdctl"].append(p99)
    title = f"{what}, 16 clients, {count:,} runs stored"
    bench.report.add("B14", title, "req/s", rates, "nginx, a static file", "≥ 0.3× floor")
    bench.report.add("B14", f"{title}: p99", "ms", p99s, "nginx, a static file", "≤ 10 ms")
