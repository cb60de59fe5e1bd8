"""B10: a job's start does not grow with the repository."""
import itertools
import subprocess

from .jobs import ONE
from .measure import in_turn, ratio, timed
from .world import World


def tree(count):
    """So many small files, a hundred to a folder."""
    return {f"d{i // 10_000}/d{i // 100 % 100}/f{i}.txt": f"{i}\n" for i in range(count)}


def run_of(world, repository, *options):
    return lambda: timed(world.command("run", *options), cwd=repository, env=world.env)


def worktree_of(world, repository):
    numbers = itertools.count()

    def add():
        place = world.folder / f"{repository.name}-{next(numbers)}"
        elapsed = timed(["git", "worktree", "add", "--detach", "-q", place], cwd=repository, env=world.env)
        subprocess.run(["git", "worktree", "remove", "--force", place], cwd=repository, env=world.env, check=True)
        return elapsed
    return add


def b10(bench):
    sizes = (10, 1000, 10_000) if bench.quick else (10, 10_000, 100_000)
    with World(bench) as world:
        repositories = {n: world.repository(f"files-{n}", {".cicd.yaml": ONE, **tree(n)}) for n in sizes}
        name = "cicdctl, {:,} files".format
        commits = in_turn({name(n): run_of(world, r, "--branch", "main") for n, r in repositories.items()}, bench.some)
        bench.report.add("B10", "one step `true` at a commit, tree cached", "ms", commits)
        bench.report.add("B10", f"the same: {sizes[-1]:,} files against {sizes[0]}", "×",
                         {"cicdctl": [ratio(commits[name(sizes[-1])], commits[name(sizes[0])])]}, None, "≤ 2×")
        trees = in_turn({name(n): run_of(world, r) for n, r in repositories.items()}, max(3, bench.some // 2))
        bench.report.add("B10", "the same of the working tree, which is looked through", "ms", trees)
        copies = in_turn({f"git worktree add, {n:,} files": worktree_of(world, r) for n, r in repositories.items()},
                         max(3, bench.some // 3))
        bench.report.add("B10", "a checkout by git", "ms", copies)
