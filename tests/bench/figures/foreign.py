"""Pipelines of other systems as they are, beside whoever else runs them on this machine."""
import json
import re
import shutil
import subprocess

from .measure import CannotMeasure, in_turn, timed
from .peers import GITLAB_CI_LOCAL, gitlab_ci_local, has_gitlab_ci_local
from .world import ROOT, World

CASES = ROOT / "tests/conformance/gitlab"
# The file is written for the sandbox; or what it says is no failure to us: see common/pipeline/README.md.
ENDS_OTHERWISE = {("failures", "codes"): "passed"}


def run(command, folder, env):
    return subprocess.run([str(word) for word in command], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def worst(jobs, name, ending):
    """Of the instances of a matrix, the one that did not pass."""
    if jobs.get(name, "passed") == "passed":
        jobs[name] = ending


def ours(world, folder):
    id_ = json.loads(run(world.command("run", "--detach", "-o", "json"), folder, world.env).stdout)["id"]
    ended = run(world.command("watch", id_), folder, world.env).returncode
    jobs = {}
    for job in json.loads(run(world.command("show", id_, "-o", "json"), folder, world.env).stdout)["jobs"]:
        name = re.sub(r" \(.*\)$", "", job["key"].split(".", 1)[1])
        failed = "allowed" if job.get("allowFailure") else "failed"
        worst(jobs, name, {"success": "passed", "failed": failed}.get(job["status"], "not run"))
    return ended == 0, jobs


def theirs(world, folder):
    done = run(GITLAB_CI_LOCAL + ["--shell-isolation"], folder, world.env)
    jobs, words = {}, {"PASS": "passed", "WARN": "allowed", "FAIL": "failed"}
    for word, name in re.findall(r"^ *(PASS|WARN|FAIL) +(\S+)", re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr), re.M):
        worst(jobs, name.rstrip(":"), words[word])
    return done.returncode == 0, jobs


def difference(name, case, ended):
    """What ends otherwise than GitLab says, in words; empty: nothing."""
    success, jobs = ended
    found = [f"{job}: {jobs.get(job, 'not run')} for {ending}" for job, ending in case["jobs"].items()
             if jobs.get(job, "not run") not in (ending, ENDS_OTHERWISE.get((name, job)))]
    if success != (case["outcome"] == "success"):
        found.append(f"the pipeline {'succeeds' if success else 'fails'}")
    return ", ".join(found)


def compare(world):
    """Those that end as GitLab says, with their folders: ours, theirs."""
    cases = json.loads((CASES / "cases.json").read_text())
    runners = {"cicdctl": ours} | ({"gitlab-ci-local (shell)": theirs} if has_gitlab_ci_local() else {})
    same = {name: [] for name in runners}
    folders = {}
    for name, case in cases.items():
        files = {str(path.relative_to(CASES / name)): path.read_text() for path in (CASES / name).rglob("*") if path.is_file()}
        folders[name] = world.repository(f"case-{name}", files)
        for runner, look in runners.items():
            wrong = difference(name, case, look(world, folders[name]))
            if wrong:
                print(f"  {runner} ends {name} otherwise than GitLab: {wrong}", flush=True)
            else:
                same[runner].append(name)
    return cases, folders, same


def run_all(commands, folders, env):
    """One after the other, whatever they end with."""
    return sum(timed_any(command, folder, env) for command, folder in zip(commands, folders))


def timed_any(command, folder, env):
    return timed(["sh", "-c", '"$@" || true', "sh", *map(str, command)], cwd=folder, env=env)


def b15(bench):
    definition = (ROOT / "examples/gitlab/.gitlab-ci.yml").read_text()
    with World(bench) as world:
        cases, folders, same = compare(world)
        bench.report.add("B15", f"of {len(cases)} GitLab files, those whose jobs all end as GitLab says", "files",
                         {name: [len(found)] for name, found in same.items()}, None, f"{len(cases)}")
        if len(same["cicdctl"]) < len(cases):
            raise CannotMeasure("what ends otherwise is not to be timed")
        both = [name for name in cases if all(name in found for found in same.values())]
        places = [folders[name] for name in both]
        subjects = {"cicdctl": lambda: run_all([world.command("run")] * len(both), places, world.env)}
        if has_gitlab_ci_local():
            subjects["gitlab-ci-local (shell)"] = lambda: run_all([GITLAB_CI_LOCAL + ["--shell-isolation"]] * len(both), places, world.env)
        bench.report.add("B15", f"the {len(both)} that end alike with both, one after the other, warm daemon", "ms", in_turn(subjects, max(2, bench.some // 3)),
                         None, "gitlab-ci-local ≥ 5×")
        repository = world.repository("example", {".gitlab-ci.yml": definition})
        subjects = {"cicdctl": lambda: timed(world.command("run"), cwd=repository, env=world.env)}
        samples = in_turn(subjects | gitlab_ci_local(world, "example", definition), bench.some)
        bench.report.add("B15", "examples/gitlab as it is, 6 jobs, warm daemon", "ms", samples, None, "gitlab-ci-local ≥ 5×")
