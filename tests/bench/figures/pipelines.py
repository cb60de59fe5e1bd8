"""B7: reading, checking and planning large pipelines, in process and as commands."""
import shutil
import subprocess

from .measure import CannotMeasure, in_turn, timed
from .world import World

HEAD = "name: large\nenv: {LEVEL: '3'}\nparameters:\n  deploy: {type: boolean, default: true}\nstages:\n"


def stages(count):
    text = HEAD
    for i in range(count):
        text += f"  - name: stage-{i}\n    timeout: 10m\n"
        if i % 10 == 9:
            text += "    condition: params.deploy && success()\n"
        text += f"    commands:\n      - echo \"stage {i} of ${{{{ run.number }}}}\"\n      - make target-{i}\n"
    return text


def jobs(count):
    text = HEAD
    for stage in range(count // 100):
        text += f"  - name: stage-{stage}\n    jobs:\n"
        for i in range(100):
            text += (f"      job-{i}:\n        env: {{NAME: 'job {i}'}}\n        steps:\n"
                     f"          - run: echo \"${{{{ env.NAME }}}} of ${{{{ git.branch }}}}\"\n"
                     f"          - run: make target-{i}\n")
    return text


def gitlab(count):
    return "".join(f"j{i}:\n  script: ['make target-{i}']\n" for i in range(count))


def b7(bench):
    with World(bench) as world:
        for what, definition, count, target in (("100 stages", stages(100), 100, "≤ 2 ms"),
                                                ("1,000 jobs", jobs(1000), 1000, "≤ 20 ms")):
            repository = world.repository(f"large-{count}", {".cicd.yaml": definition})
            done = subprocess.run([world.bin / "cicd-bench-pipeline", repository / ".cicd.yaml", str(max(20, bench.runs))],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                raise CannotMeasure(done.stderr.strip())
            samples = {"validate": [], "plan": []}
            for line in done.stdout.splitlines():
                name, value = line.split()
                samples[name].append(float(value))
            bench.report.add("B7", f"validate {what}, in process", "ms", {"cicdctl": samples["validate"]}, None, target)
            bench.report.add("B7", f"validate and plan {what}, in process", "ms", {"cicdctl": samples["plan"]}, None, target)
            for verb in ("validate", "plan"):
                subjects = {"true": lambda: timed(["true"]),
                            "cicdctl": lambda: timed(world.command(verb), cwd=repository, env=world.env)}
                if verb == "plan":
                    alone = world.command("--socket", world.folder / "nobody", verb)
                    subjects["cicdctl, no daemon"] = lambda: timed(alone, cwd=repository, env=world.env)
                samples = in_turn(subjects, max(10, bench.runs // 2))
                bench.report.add("B7", f"`cicdctl {verb}` of {what}", "ms", samples, "true", "≤ 15 ms" if count == 100 else None)
            if shutil.which("gitlab-ci-local"):
                folder = world.repository(f"gitlab-{count}", {".gitlab-ci.yml": gitlab(count)})
                subjects = {"cicdctl": lambda: timed(world.command("validate"), cwd=repository, env=world.env),
                            "gitlab-ci-local --list":
                                lambda: timed(["gitlab-ci-local", "--list"], cwd=folder, env=world.env)}
                bench.report.add("B7", f"reading {what}, beside a peer", "ms", in_turn(subjects, max(2, bench.some // 3)))
