"""Pipelines of other systems as they are, beside whoever else runs them on this machine."""
import shutil
import subprocess

from .measure import CannotMeasure, in_turn, timed
from .peers import gitlab_ci_local
from .world import ROOT, World

# What GitLab says of each: whether the pipeline succeeds.
OUTCOMES = {
    "rules, and a job that has no place": ("a:\n  rules: [{if: '$CI_COMMIT_BRANCH == \"no\"'}]\n  script: ['false']\nb:\n  script: ['true']\n", True),
    "a failure that is allowed": ("a:\n  allow_failure: true\n  script: ['false']\nb:\n  stage: deploy\n  script: ['true']\n", True),
    "a failure": ("a:\n  script: ['exit 3']\nb:\n  stage: deploy\n  script: ['true']\n", False),
    "a failure within a pipe": ("a:\n  script: ['false | true']\n", False),
    "artifacts": ("a:\n  stage: build\n  script: ['mkdir o', 'echo x > o/f']\n  artifacts: {paths: [o/]}\nb:\n  script: ['grep x o/f']\n", True),
    "extends and references": (".x:\n  script: ['A=1']\na:\n  extends: .x\n  variables: {V: '2'}\n  script: [!reference [.x, script], 'test $A$V = 12']\n", True),
}


def succeeds(command, folder, env):
    done = subprocess.run([str(word) for word in command], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode == 0


def same_outcomes(world):
    """How many end as GitLab says: ours, theirs."""
    ours, theirs = 0, 0
    for number, (what, (text, expected)) in enumerate(OUTCOMES.items()):
        folder = world.repository(f"outcome{number}", {".gitlab-ci.yml": text})
        fine = succeeds(world.command("run"), folder, world.env) == expected
        if not fine:
            print(f"  ours ends {what} otherwise than GitLab", flush=True)
        ours += fine
        if shutil.which("gitlab-ci-local"):
            command = ["gitlab-ci-local", "--shell-executor-no-image", "--force-shell-executor"]
            theirs += succeeds(command, folder, world.env) == expected
    return ours, theirs


def b15(bench):
    definition = (ROOT / "examples/gitlab/.gitlab-ci.yml").read_text()
    with World(bench) as world:
        ours, theirs = same_outcomes(world)
        bench.report.add("B15", f"of {len(OUTCOMES)} GitLab files, those that end as GitLab says", "files",
                         {"cicdctl": [ours]} | ({"gitlab-ci-local (shell)": [theirs]} if shutil.which("gitlab-ci-local") else {}), None,
                         f"{len(OUTCOMES)}")
        if ours < len(OUTCOMES):
            raise CannotMeasure("what ends otherwise is not to be timed")
        repository = world.repository("example", {".gitlab-ci.yml": definition})
        subjects = {"cicdctl": lambda: timed(world.command("run"), cwd=repository, env=world.env)}
        samples = in_turn(subjects | gitlab_ci_local(world, "example", definition), bench.some)
        bench.report.add("B15", "examples/gitlab as it is, 6 jobs, warm daemon", "ms", samples, None, "gitlab-ci-local ≥ 5×")
