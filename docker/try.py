"""Try the workshop image: JupyterLab through a published port, then lab 01 in both worlds, as the image's own user.

Usage: python docker/try.py [IMAGE]. Needs the standard library and docker or podman. Ends with status 1 and a sentence
at the first thing that does not work; the container is removed either way.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LAB = "01-packet-path"
# What the Mininet world needs to make its own namespaces without a capability: see docker/README.md.
ALLOW = {
    "podman": ["--security-opt=unmask=ALL"],
    "docker": [f"--security-opt={what}=unconfined" for what in ("systempaths", "seccomp", "apparmor")],
}
# A machine that is itself confined may run containers only with another runtime, or without raising limits.
RUNTIMES: tuple[list[str], ...] = (
    [],
    ["--runtime", "runc"],
    ["--runtime", "runc", "--ulimit", "nofile=8192:8192", "--ulimit", "nproc=8192:8192"],
)


class Failed(Exception):
    """The image does not do what it should; the message says what."""


def run(*command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, keeping what it prints; it fails the try when it takes longer than `seconds`."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{' '.join(command)} took more than {seconds:g} s") from late


def working_options(engine: str, image: str) -> list[str]:
    """The first options with which this machine runs a container at all."""
    for options in RUNTIMES:
        tried = run(engine, "run", "--rm", *options, image, "true")
        if tried.returncode == 0:
            return [*options, *ALLOW[engine]]
    raise Failed(f"{engine} cannot run {image}: {tried.stderr.strip()}")


class Container:
    """A running container of the image."""

    def __init__(self, engine: str, name: str) -> None:
        self.engine = engine
        self.name = name

    def does(self, *command: str, seconds: float = 60) -> str:
        """Run a command inside; its standard output. Raises Failed with all that it said when its status is not 0."""
        done = run(self.engine, "exec", self.name, *command, seconds=seconds)
        if done.returncode:
            raise Failed(
                f"inside the image, {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def address(self) -> str:
        """Where its port is published; raises Failed with its log when the container has ended."""
        published = run(self.engine, "port", self.name, "8888").stdout.split()
        if not published:
            raise Failed(f"the container ended at once; it said:\n{self.log()}")
        return published[0]

    def log(self) -> str:
        said = run(self.engine, "logs", self.name)
        return said.stdout + said.stderr


@contextmanager
def started(engine: str, image: str, token: str) -> Iterator[Container]:
    """A container that runs the image's own command, with its port published on a free port of 127.0.0.1."""
    name = f"netlab-try-{secrets.token_hex(4)}"
    options = working_options(engine, image)
    try:
        publish = ["--publish", "127.0.0.1::8888", "--env", f"JUPYTER_TOKEN={token}"]
        begun = run(engine, "run", "--detach", "--name", name, *options, *publish, image)
        if begun.returncode:
            raise Failed(f"{engine} run failed: {begun.stderr.strip()}")
        yield Container(engine, name)
    finally:
        run(engine, "rm", "--force", name)


def get(url: str) -> tuple[int, str]:
    """Status and body of a page; a status of 0 means that nothing listens yet."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except (OSError, ValueError):
        return 0, ""


def opens_jupyterlab(container: Container, token: str, patience: float = 60) -> None:
    """JupyterLab answers on the published port, to its token only, in a folder that holds the lab and no answers."""
    url = f"http://{container.address()}"
    deadline = time.monotonic() + patience
    while (status := get(f"{url}/lab?token={token}")[0]) != 200:
        if time.monotonic() > deadline:
            raise Failed(f"{url}/lab answered {status} for {patience:g} s; the container said:\n{container.log()}")
        time.sleep(0.2)
    if get(f"{url}/api/contents")[0] != 403:
        raise Failed(f"{url} answers without its token")
    status, listing = get(f"{url}/api/contents/{LAB}?token={token}")
    names = {entry["name"] for entry in json.loads(listing)["content"]} if status == 200 else set()
    if f"{LAB}.ipynb" not in names:
        raise Failed(f"JupyterLab shows no {LAB}/{LAB}.ipynb, but: {sorted(names)}")
    if names & {"answer.py", "wrong"}:
        raise Failed(f"JupyterLab shows the answers: {sorted(names)}")


def is_an_ordinary_user(container: Container) -> None:
    """What runs in the image is user 1000, without a capability."""
    if container.does("id", "-u").strip() != "1000":
        raise Failed("the image does not run as user 1000")
    effective = container.does("sh", "-c", "sed -n 's/^CapEff:\t//p' /proc/1/status").strip()
    if int(effective, 16):
        raise Failed(f"the image runs with capabilities: CapEff {effective}")


def runs_the_lab(container: Container, backend: str) -> None:
    """`nlab run` of lab 01 in one world ends with status 0, and what it kept can be looked at."""
    kept = f"/tmp/{backend}"
    container.does("nlab", "run", LAB, "--backend", backend, "--seed", "1", "--out", kept, seconds=120)
    container.does("nlab", "view", kept, "--as", "html", seconds=120)
    container.does("test", "-s", f"{kept}/report.html")


def main() -> int:
    """Try each thing in turn, and say how long it took."""
    engine = run(str(Path(__file__).with_name("engine"))).stdout.strip()
    if not engine:
        print("neither docker (with a running daemon) nor podman is here: sudo apt-get install podman")
        return 1
    image = sys.argv[1] if len(sys.argv) > 1 else "netlab:latest"
    token = secrets.token_hex(8)
    steps: dict[str, Callable[[Container], None]] = {
        "JupyterLab opens lab 01": lambda container: opens_jupyterlab(container, token),
        "an ordinary user, no capability": is_an_ordinary_user,
        "lab 01 runs in the simulated world": lambda container: runs_the_lab(container, "sim"),
        "lab 01 runs in the Mininet world": lambda container: runs_the_lab(container, "mininet"),
    }
    try:
        with started(engine, image, token) as container:
            for say, check in steps.items():
                began = time.monotonic()
                check(container)
                print(f"ok  {say} ({time.monotonic() - began:.1f} s)", flush=True)
    except Failed as failed:
        print(f"{image}: {failed}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
