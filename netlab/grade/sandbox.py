"""A child process that runs one student's file, has nothing worth attacking, and cannot outstay its welcome.

    with Sandbox(Path("ada.py")) as box:
        hops = box.call("forward", packets, routes, addresses)

The child gets the text of the file over a pipe and sees no file but the interpreter's own. How well it is shut in
depends on the machine: `Sandbox.isolation` says what is in force, and a result carries it.

| level | what it means |
|---|---|
| bubblewrap | namespaces made by ``bwrap``: no network, no other process, a few read-only trees of files |
| namespaces | the same, made by ourselves |
| limits | no namespace can be made here: resource limits, and whatever seccomp and Landlock the kernel offers |
| process | Windows: a process of its own and a time limit, nothing more |
"""

from __future__ import annotations

import contextlib
import marshal
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from netlab.backend.base import SlotFailure
from netlab.backend.slotends import PolledEnds, ThreadedEnds
from netlab.backend.slotpipe import REPLY_LIMIT, SlotPipe
from netlab.errors import Unavailable
from netlab.grade.layout import Layout, layout
from netlab.grade.spare import spare_uid

SHIPPED = ("netlab.backend.plain", "netlab.grade.guard", "netlab.grade.cell", "netlab.grade.child")
"""Modules whose text goes into the child, in the order of their imports."""

START_S = 20.0
"""Seconds for a bare interpreter to come up, on a machine that is very busy."""

SOURCE_LIMIT = 1 << 20

KILLED = 128 + 9
"""Exit code of a child that SIGKILL ended."""

_BOOT = """
import marshal, os, sys
def take(size):
    parts = b""
    while len(parts) < size:
        part = os.read(0, size - len(parts))
        if not part:
            os._exit(0)
        parts += part
    return parts
modules, plan = marshal.loads(take(int.from_bytes(take(4), "big")))
for name, code in modules:
    module = sys.modules[name] = type(sys)(name)
    if code is not None:
        exec(code, module.__dict__)
for name, module in list(sys.modules.items()):
    if name.startswith("netlab.grade."):
        setattr(sys.modules["netlab.grade"], name.rpartition(".")[2], module)
sys.modules["netlab.grade.child"].main(plan)
"""


@dataclass(frozen=True)
class Limits:
    """What a student's code may use. Times in seconds, sizes in bytes."""

    wall: float = 2.0
    """For one call, and for loading the file."""
    total: float = 30.0
    """For all calls of one sandbox together."""
    cpu: int = 20
    """Processor time of one child process over its life."""
    memory: int = 512 << 20
    """Address space."""
    processes: int = 1
    """Processes and threads, itself included."""
    files: int = 32
    """Open files."""
    file_size: int = 0
    """Of a file that is written; there is no place to write one to."""
    output: int = 64 << 10
    """What is kept of stdout and stderr together."""
    reply: int = REPLY_LIMIT
    """One answer."""

    def resources(self) -> dict[str, int]:
        """By the names of setrlimit, without RLIMIT_."""
        return {
            "CPU": self.cpu,
            "AS": self.memory,
            "NPROC": self.processes + 1,  # the supervisor counts as one
            "NOFILE": self.files,
            "FSIZE": self.file_size,
            "CORE": 0,
            "MEMLOCK": 0,
            "MSGQUEUE": 0,
            "SIGPENDING": 64,
        }


class Sandbox:
    """Slot calls into one student's file. A context manager; leaving it leaves nothing running."""

    def __init__(self, source: Path | bytes, limits: Limits | None = None, *, name: str = "", level: str = "") -> None:
        self.limits = limits or Limits()
        self.name = name or (legible(source) if isinstance(source, Path) else "answer.py")
        self.isolation = ""
        """The level in force and its layers: "bubblewrap, seccomp"; known once entered."""
        self.failure: SlotFailure | None = None
        """Why the file as a whole can't be used, if so; every call repeats it."""
        self._source = source
        self._level = level
        self._child: _Child | None = None
        self._printed = ""
        self._spent = 0.0

    def __enter__(self) -> Sandbox:
        self.fresh()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child and all that it started. A second call does nothing."""
        if self._child is not None:
            self._child.end()
            self._printed = (self._printed + self._child.pipe.printed)[: self.limits.output]
            self._child = None

    @property
    def printed(self) -> str:
        """What the student's code printed so far, up to the limit."""
        now = self._child.pipe.printed if self._child else ""
        return (self._printed + now)[: self.limits.output]

    def fresh(self) -> None:
        """Load the file anew, so that no global keeps what an earlier run left; a child that is lost is replaced.

        What is wrong with the file is kept in `failure`, not raised.
        """
        self.failure = None
        try:
            source = _read(self._source)
            if self._child is None or self._child.pipe.broken:
                self.close()
                self._child = _start(self._level, self.limits)
                self.isolation = self._child.isolation
            self._timed(partial(self._child.pipe.load, self.name, source))
        except SlotFailure as failure:
            self.failure = failure

    def call(self, slot: str, *args: Any) -> Any:
        """What the student's function ``slot`` returns for the arguments; SlotFailure when it gives nothing usable."""
        if self.failure is not None:
            raise SlotFailure(self.failure.kind, self.failure.said)
        if self._child is None:
            raise SlotFailure("died", "its sandbox is closed")
        return self._timed(partial(self._child.pipe.call, slot, args))

    def slot(self, name: str) -> Callable[..., Any]:
        """The student's function of that name, as something to call."""
        return partial(self.call, name)

    def _timed(self, ask: Callable[[float], Any]) -> Any:
        left = self.limits.total - self._spent
        spent = SlotFailure("timeout", f"all its calls together took more than {self.limits.total:g} s")
        if left <= 0:
            raise spent
        began = time.monotonic()
        try:
            return ask(min(left, self.limits.wall))
        except SlotFailure as failure:
            told = self._post_mortem(failure)
            raise (spent if failure.kind == "timeout" and left < self.limits.wall else told) from None
        finally:
            self._spent += time.monotonic() - began

    def _post_mortem(self, failure: SlotFailure) -> SlotFailure:
        """The failure, said better where the end of the child tells more; a child out of step is ended."""
        child = self._child
        if child is None or child.pipe.broken is None:
            return failure
        code = child.end()
        if failure.kind != "died":
            return failure
        return SlotFailure(*_CAUSES.get(code, ("died", f"its process ended with exit code {code}")))


_CAUSES = {
    0: ("died", "it ended its own interpreter (os._exit does that; return instead)"),
    70: ("memory", "it used up its memory, and then nothing could be done any more"),
    71: ("died", "its sandbox was closed in the middle of the call"),
    128 + 6: ("died", "its interpreter aborted"),
    KILLED: ("died", "the system killed it (for memory or for processor time)"),
    128 + 11: ("died", "its interpreter crashed (recursion without an end can do that)"),
    128 + 24: ("timeout", "it used up its processor time"),
}
"""What an exit code of the child says: (kind, sentence)."""


def legible(path: Path) -> str:
    """The file's name as text, whatever bytes the file system has for it."""
    return path.name.encode(errors="replace").decode()


def _read(source: Path | bytes) -> bytes:
    """The student's text; SlotFailure for what can be no Python source."""
    if isinstance(source, Path):
        if source.is_symlink() or not source.is_file():
            raise SlotFailure("invalid", f"{legible(source)} is no regular file")
        try:
            with source.open("rb") as file:
                text = file.read(SOURCE_LIMIT + 1)
        except OSError as error:
            raise SlotFailure("invalid", f"{legible(source)} cannot be read ({error.strerror})") from error
    else:
        text = source
    if len(text) > SOURCE_LIMIT:
        raise SlotFailure("invalid", f"the file is longer than {SOURCE_LIMIT >> 20} MiB")
    if b"\0" in text:
        raise SlotFailure("invalid", "the file is binary, not Python source")
    if not text.strip():
        raise SlotFailure("absent", "the file is empty")
    return text


# ---- the child ------------------------------------------------------------------------------------


class _Child:
    """One running child: its process and the pipe to it."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: SlotPipe, level: str) -> None:
        self._process, self.pipe = process, pipe
        self.isolation = level

    def end(self) -> int:
        """Close the pipe, see the process out, by force after a second; its exit code as far as it tells one."""
        code = self._code() if self.pipe.broken and self.pipe.broken.kind == "died" else None
        self.pipe.close()
        try:
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self._kill()
        self._process.wait()
        return self._code() if code is None else code

    def _code(self) -> int:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)
        code = self._process.returncode
        return KILLED if code is None else code

    def _kill(self) -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()


_working: dict[str, str] = {}
"""{"level": the best level that has worked in this process}: found by trying, once."""


def levels() -> tuple[str, ...]:
    """The levels worth a try on this system, best first."""
    if sys.platform == "win32":
        return ("process",)
    if sys.platform != "linux":
        return ("limits",)
    return ("bubblewrap", "namespaces", "limits") if shutil.which("bwrap") else ("namespaces", "limits")


def _start(level: str, limits: Limits) -> _Child:
    """A child at the given level, or at the best that works here."""
    tried = (level,) if level else ((_working["level"],) if "level" in _working else ()) + levels()
    reasons = []
    for candidate in tried:
        try:
            child = _launch(candidate, limits)
        except (SlotFailure, OSError) as error:
            reasons.append(f"{candidate}: {error}")
            continue
        if not level:
            _working["level"] = candidate
        return child
    raise Unavailable(f"no sandbox can be started here ({'; '.join(reasons)})")


def _launch(level: str, limits: Limits) -> _Child:
    """Start a child and see it alive; SlotFailure with what it complained of."""
    lifeline = _lifeline()
    seen = layout()
    uid = spare_uid() if level in ("bubblewrap", "namespaces") or (level == "limits" and seen.is_public()) else 0
    process = subprocess.Popen(
        [*_wrapper(level, seen, uid), seen.python, "-u", "-s", "-S", "-P", "-B", "-X", "utf8", "-c", _BOOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        cwd="/" if os.name == "posix" else None,
        pass_fds=(lifeline,) if lifeline >= 0 else (),
        start_new_session=True,
        bufsize=0,
    )
    if lifeline >= 0:
        os.close(lifeline)
    child = _Child(process, SlotPipe(pipe_ends(process, limits.output), reply_limit=limits.reply), level)
    try:
        boot = marshal.dumps((_texts(), _plan(level, limits, seen, uid, lifeline)))
        layers = child.pipe.hello(boot, START_S)
    except SlotFailure as failure:
        child.end()
        complaint = child.pipe.printed.strip().splitlines()
        raise SlotFailure("died", complaint[-1] if complaint else failure.said) from None
    child.isolation = ", ".join((level, *layers))
    return child


def _plan(level: str, limits: Limits, seen: Layout, uid: int, lifeline: int) -> dict[str, Any]:
    shown = [path for path, target in seen.entries if not target]
    return {
        "level": level,
        "uid": uid,
        "lifeline": lifeline,
        "limits": limits.resources() if level != "process" else {},
        "threads": limits.processes > 1,
        "entries": [*seen.entries, *((device, "") for device in seen.devices)],
        "readable": [*shown, *seen.devices],
        "masks": list(seen.masks),
        "modules": [name for name, _ in _texts()],
    }


def pipe_ends(process: subprocess.Popen[bytes], output_limit: int) -> PolledEnds | ThreadedEnds:
    """Our ends of a process's three pipes, taken over from ``process``."""
    assert process.stdin and process.stdout and process.stderr
    requests, replies, output = (os.dup(end.fileno()) for end in (process.stdin, process.stdout, process.stderr))
    for end in (process.stdin, process.stdout, process.stderr):
        end.close()
    kind = PolledEnds if os.name == "posix" else ThreadedEnds
    return kind(requests, replies, output, output_limit)


def _environment() -> dict[str, str]:
    """Nothing of ours; a fixed hash seed, so that an answer that walks a set behaves the same twice."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", **kept}


def _lifeline() -> int:
    """A descriptor that shows the end of this process (a pidfd), -1 where the system has none."""
    try:
        return os.pidfd_open(os.getpid())
    except (AttributeError, OSError):
        return -1


@cache
def _texts() -> tuple[tuple[str, Any], ...]:
    """(module name, compiled text) of what the child runs; packages have no text."""
    packages = [("netlab.grade", None)]
    return (*packages, *((name, _compiled(name)) for name in SHIPPED if _for_here(name)))


def _for_here(name: str) -> bool:
    return sys.platform == "linux" or name not in ("netlab.grade.guard", "netlab.grade.cell")


def _compiled(name: str) -> Any:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise Unavailable(f"the text of {name} cannot be found", right="install netlab as files, not as a zip")
    return compile(Path(spec.origin).read_bytes(), f"<{name}>", "exec", dont_inherit=True)


def _wrapper(level: str, seen: Layout, uid: int) -> list[str]:
    """The bubblewrap command line in front of the interpreter, or nothing."""
    if level != "bubblewrap":
        return []
    spaces = ["pid", "net", "ipc", "uts", "cgroup-try", *([] if os.geteuid() == 0 else ["user"])]
    words = [
        shutil.which("bwrap") or "bwrap",
        *(f"--unshare-{space}" for space in spaces),
        "--as-pid-1",
        "--hostname",
        "sandbox",
    ]
    words += ["--cap-drop", "ALL"]
    words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if uid else []
    for parent in seen.parents():  # bubblewrap would make some of them for root's eyes only
        words += ["--dir", parent]
    for path, target in seen.entries:
        words += ["--symlink", target, path] if target else ["--ro-bind", path, path]
    for device in seen.devices:
        words += ["--dev-bind", device, device]
    for mask in seen.masks:
        words += ["--tmpfs", mask, "--remount-ro", mask]
    return [*words, "--remount-ro", "/", "--chdir", "/", "--"]
