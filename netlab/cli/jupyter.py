"""JupyterLab on this machine alone, in a student's work folder: started, found again, and how to reach it from afar."""

from __future__ import annotations

import getpass
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from netlab.errors import Unavailable

PORT = 8888
PATIENCE = 60.0
"""Seconds until a JupyterLab that does not answer is given up; on a cold disk it has taken 20."""
LOG = ".jupyterlab.log"
"""What JupyterLab says, in the work folder: a student need not read it."""
SETTINGS = Path(__file__).parent / "jupyterlab_settings"


@dataclass(frozen=True)
class Server:
    """A running JupyterLab."""

    port: int
    token: str

    def url(self, path: str) -> str:
        """The address that opens a file, with the token that lets one in."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{quote(path)}?token={self.token}"


def command(root: Path, page: str, *, browser: bool, extra: Sequence[str] = ()) -> list[str]:
    """The command line. The token is no part of it: everybody on a machine may read those."""
    return [
        *(sys.executable, "-m", "jupyterlab"),
        *(["--allow-root"] if _is_root() else []),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={PORT}",
        "--ServerApp.port_retries=100",
        f"--ServerApp.root_dir={root}",
        f"--ServerApp.default_url=/lab/tree/{quote(page)}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.answer_yes=True",
        "--log-level=WARN",
        f"--LabApp.app_settings_dir={SETTINGS}",
        *extra,
    ]


def serve(root: Path, page: str, *, browser: bool, extra: Sequence[str] = ()) -> int:
    """Start JupyterLab, say where it is, and stay until it ends (Ctrl-C ends it)."""
    environment = {**os.environ, "JUPYTER_TOKEN": secrets.token_urlsafe(24)}
    log = root / LOG
    with log.open("wb") as words:
        process = subprocess.Popen(
            command(root, page, browser=browser, extra=extra),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            # In a group of its own: Ctrl-C is ours alone, and JupyterLab ends in order when we tell it to.
            process_group=0 if os.name == "posix" else None,
        )
    endings = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    previous = {number: signal.signal(number, _ended) for number in endings}
    try:
        server = _wait_for(process, log)
        print(directions(server, page), flush=True)
        process.wait()
        return 0
    except KeyboardInterrupt:
        return 0
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        _end(process)


def running(root: Path) -> Server | None:
    """The JupyterLab that already serves this folder, if there is one."""
    for file in sorted(_runtime().glob("jpserver-*.json")):
        about = _read(file)
        if about and Path(about.get("root_dir", "")) == root and _answers(about):
            return Server(int(about["port"]), str(about["token"]))
    return None


def directions(server: Server, page: str, *, ours: bool = True, environment: Mapping[str, str] = os.environ) -> str:
    """Where to go; on a machine one has reached by ssh, the line that brings the port to one's own."""
    lines = [f"JupyterLab is at  {server.url(page)}"]
    if here := environment.get("SSH_CONNECTION", "").split():
        address = here[2] if len(here) == 4 else "THIS-MACHINE"
        tunnel = f"ssh -L {server.port}:127.0.0.1:{server.port} {getpass.getuser()}@{address}"
        lines = [f"On your own computer run  {tunnel}", "and open the address below there.", *lines]
    return "\n".join([*lines, "Ctrl-C here ends it." if ours else "It was running already."])


def browser_here(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a browser can be opened: not over ssh, and on Linux only where there is a display."""
    if environment.get("SSH_CONNECTION"):
        return False
    return sys.platform != "linux" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> Server:
    file = _runtime() / f"jpserver-{process.pid}.json"
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise Unavailable(f"JupyterLab ended at once ({last})", right=f"all that it said is in {log}")
        about = _read(file)
        if about and _answers(about):
            return Server(int(about["port"]), str(about["token"]))
        time.sleep(0.05)
    raise Unavailable(f"JupyterLab did not answer within {PATIENCE:.0f} s", right=f"what it said is in {log}")


def _runtime() -> Path:
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def _read(file: Path) -> dict[str, str] | None:
    """What a server wrote about itself; None while it is still writing."""
    try:
        about = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return about if isinstance(about, dict) and {"port", "token"} <= about.keys() else None


def _answers(about: Mapping[str, str]) -> bool:
    """Whether it is really there, and takes its token: the file of a killed server stays behind."""
    from urllib.request import ProxyHandler, Request, build_opener

    request = Request(
        f"http://127.0.0.1:{about['port']}/api/status", headers={"Authorization": f"token {about['token']}"}
    )
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it as it likes to be ended, so that it ends its kernels; by force when it does not."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ended(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
