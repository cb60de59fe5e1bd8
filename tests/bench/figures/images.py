"""B9: what a job in an image costs, beside the same image's files in a bare bwrap and beside the plain sandbox."""
import os
import shutil
import subprocess

from .measure import CannotMeasure, in_turn, timed
from .peers import Podman, podman_run
from .world import ROOT, World

JOB = "name: one\nstages:\n  - name: one\n    {}commands: ['true']\n"


def b9(bench):
    if not shutil.which("busybox"):
        raise CannotMeasure("busybox is not installed")
    with World(bench) as world:
        env = dict(world.env, PATH=f"{bench.bin}:{os.environ['PATH']}")
        made = subprocess.run([ROOT / "examples/image/make-image", "bench"], env=env, capture_output=True, text=True)
        if made.returncode != 0:
            raise CannotMeasure(f"the image could not be made: {made.stderr.strip()}")
        root = next((world.state / "images").glob("*/rootfs"))
        bwrap = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
                 "--bind", root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--die-with-parent",
                 "--new-session", "--cap-drop", "ALL", "--", "/bin/sh", "-e", "-c", "true"]
        plain = world.repository("plain", {".cicd.yaml": JOB.format("")})
        image = world.repository("image", {".cicd.yaml": JOB.format("image: bench\n    ")})
        subjects = {"bwrap on the image's files": lambda: timed(bwrap),
                    "cicdctl": lambda: timed(world.command("run"), cwd=image, env=world.env),
                    "cicdctl, plain sandbox": lambda: timed(world.command("run"), cwd=plain, env=world.env)}
        samples = in_turn(subjects, bench.runs)
        bench.report.add("B9", "a job of `true` in an image, from typing to exit", "ms", samples, "bwrap on the image's files", "≤ 2.5× floor")
        pairs = {"cicdctl, plain sandbox": samples["cicdctl, plain sandbox"], "cicdctl": samples["cicdctl"]}
        bench.report.add("B9", "the same beside the plain sandbox", "ms", pairs, "cicdctl, plain sandbox", "≤ 1.5× floor")
        if podman := podman_run():
            slow = in_turn({"cicdctl": subjects["cicdctl"], **podman}, max(3, bench.runs // 10))
            bench.report.add("B9", "the same, beside an engine", "ms", slow, None, "podman run ≥ 1.7×")
        in_container(bench, root)


def in_container(bench, root):
    """The executor `container`, by a Podman of our own that has the same files."""
    with World(bench, start=False) as world:
        try:
            with Podman(world, root) as podman:
                world.config("engine", f"unix://{podman.socket}")
                world.cicdctl("daemon", "start")
                folder = world.repository("container", {".cicd.yaml": JOB.format("executor: container\n    image: localhost/bench:1\n    network: none\n    ")})
                subjects = {**podman.subject(), "cicdctl": lambda: timed(world.command("run"), cwd=folder, env=world.env)}
                samples = in_turn(subjects, max(5, bench.runs // 3))
                bench.report.add("B9", "a job of `true` in a container of Podman's", "ms", samples, "podman run", "≤ 0.6× podman run")
        except CannotMeasure as why:
            print(f"  the executor `container` is left out: {why}")
