"""Other systems that do the same work, where they are installed. None is needed."""
import os
import shutil
import subprocess
import time

from .measure import CannotMeasure, timed, wait_until


GITLAB_CI_LOCAL = ["gitlab-ci-local", "--shell-executor-no-image", "--force-shell-executor"]


def has_gitlab_ci_local():
    """Installed, and able to run here: it wants a Node of its own age, and rsync."""
    if not shutil.which("gitlab-ci-local") or not shutil.which("rsync"):
        return False
    return subprocess.run(["gitlab-ci-local", "--version"], capture_output=True).returncode == 0


def gitlab_ci_local(world, name, definition, *options):
    """{} where it is not installed; else the callable that runs this .gitlab-ci.yml once with its shell executor."""
    if not has_gitlab_ci_local():
        return {}
    folder = world.repository(f"gitlab-{name}", {".gitlab-ci.yml": definition})
    command = [*GITLAB_CI_LOCAL, *options]
    return {"gitlab-ci-local (shell)": lambda: timed(command, cwd=folder, env=world.env)}


def podman_image():
    if not shutil.which("podman"):
        return None
    images = subprocess.run(["podman", "images", "-q"], capture_output=True, text=True).stdout.split()
    return images[0] if images else None


def podman_run():
    """An image that is there already; nothing is fetched."""
    image = podman_image()
    if not image:
        return {}
    return {"podman run": lambda: timed(["podman", "run", "--rm", "--network", "none", image, "true"])}


class Podman:
    """A Podman of our own, served on a socket below the world's folder, with one image: that root."""

    def __init__(self, world, root):
        self.folder, self.process, self.root = world.folder / "podman", None, root
        self.folder.mkdir()
        self.socket = self.folder / "socket"
        # Limits of its own that a machine without CAP_SYS_RESOURCE can set.
        (self.folder / "containers.conf").write_text(
            '[containers]\ndefault_ulimits = ["nofile=1000:1000", "nproc=5000:5000"]\n'
            '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n')
        self.env = dict(world.env, CONTAINERS_CONF=str(self.folder / "containers.conf"))
        self.command = ["podman", "--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"), "--storage-driver", "overlay"]

    def __enter__(self):
        if not shutil.which("podman"):
            raise CannotMeasure("podman is not installed")
        archive = self.folder / "root.tar"
        subprocess.run(["tar", "-C", self.root, "--owner=0", "--group=0", "-cf", archive, "."], check=True)
        made = subprocess.run([*self.command, "import", archive, "localhost/bench:1"], env=self.env, capture_output=True, text=True)
        if made.returncode != 0:
            raise CannotMeasure(f"podman cannot be used: {made.stderr.strip()}")
        self.process = subprocess.Popen([*self.command, "system", "service", "--time", "0", f"unix://{self.socket}"], env=self.env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(self.socket.exists, "podman's start", 20)
        except CannotMeasure:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run([*self.command, "rm", "--all", "--force"], env=self.env, capture_output=True)
        self.process.terminate()
        self.process.wait()
        subprocess.run(["umount", str(self.folder / "root/overlay")], capture_output=True)

    def subject(self):
        return {"podman run": lambda: timed([*self.command, "run", "--rm", "--network", "none", "localhost/bench:1", "true"], env=self.env)}


class Laminar:
    """A laminard of our own with one job. Isolates nothing."""

    def __init__(self, world, script="true", executors=2):
        self.installed = bool(shutil.which("laminard") and shutil.which("laminarc"))
        self.home, self.process = world.folder / "laminar", None
        if not self.installed:
            return
        jobs = self.home / "cfg/jobs"
        jobs.mkdir(parents=True)
        (jobs / "one.run").write_text(f"#!/bin/sh\n{script}\n")
        (jobs / "one.run").chmod(0o755)
        (self.home / "cfg/contexts").mkdir()
        (self.home / "cfg/contexts/default.conf").write_text(f"EXECUTORS={executors}\n")
        rpc = f"unix:{self.home}/rpc"
        self.env = dict(world.env, LAMINAR_HOME=str(self.home), LAMINAR_BIND_RPC=rpc, LAMINAR_HOST=rpc,
                        LAMINAR_BIND_HTTP=f"unix:{self.home}/http")

    def __enter__(self):
        if self.installed:
            self.process = subprocess.Popen(["laminard"], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait_until((self.home / "rpc").exists, "laminard's start", 5)
            except CannotMeasure as failure:
                print(f"  laminar is left out: {failure}")
                self.installed = False
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def subject(self):
        if not self.installed:
            return {}
        return {"laminar (no isolation)": lambda: timed(["laminarc", "run", "one"], env=self.env)}


class Nginx:
    """One worker that answers every path with the same static body over a Unix socket."""

    def __init__(self, world, body):
        self.folder, self.process = world.folder / "nginx", None
        self.socket = self.folder / "http.sock"
        self.program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if self.program:
            (self.folder / "www").mkdir(parents=True, exist_ok=True)
            (self.folder / "www/body.json").write_bytes(body)
            (self.folder / "nginx.conf").write_text(f"""
{"user root; " if os.geteuid() == 0 else ""}daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
  fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
  server {{ listen unix:{self.socket}; root {self.folder}/www; }} }}
""")
            os.chmod(self.folder, 0o755)

    def __enter__(self):
        if self.program:
            self.process = subprocess.Popen([self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")],
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(self.socket.exists, "nginx's start", 5)
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()
