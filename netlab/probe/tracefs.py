"""The kernel's tracer, read through an instance of our own that nobody else's tracing disturbs.

Tracing sees every network namespace of the machine and an event names its device only, so the events are filtered by
the ending that this arena's devices alone have ("~aa"). A `janitor` takes the instance down when this process dies.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from netlab.errors import Unavailable
from netlab.probe import janitor
from netlab.probe.event import OPTIONAL, TRACEPOINTS, Event
from netlab.probe.forks import forget_in_forks
from netlab.probe.pages import Format, PageParser

MOUNTS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
PREFIX = "netlab-"
BUFFERS_KB = 65_536
"""Room for the events of all cores together, about 50 bytes each. The kernel sets it aside when it is asked for."""
LEAST_KB, MOST_KB = 1024, 16_384
"""What a core gets of it at least, and at most."""


class Root:
    """Where the tracer's files are. Where nobody mounted them, they are opened by a mount that has no place.

    Such a mount (fsopen, fsmount) is a file descriptor: nothing on the machine changes, and it ends with its last user.
    """

    def __init__(self, path: str, fd: int = -1) -> None:
        self.path, self.fd = path, fd

    def close(self) -> None:
        """Give the descriptor back, if there is one."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Root:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def find_root() -> Root:
    """The tracer's files, where this process may make an instance; Unavailable says why it may not."""
    if sys.platform != "linux":
        raise Unavailable("kernel tracing exists on Linux only")
    if sys.byteorder != "little":
        raise Unavailable("the tracer's pages are read on little-endian machines only")
    for path in MOUNTS:
        if os.path.isdir(f"{path}/instances"):
            if os.access(f"{path}/instances", os.W_OK):
                return Root(path)
            raise Unavailable(
                "the kernel's tracer may not be read by this user", right="run as root to see inside hosts"
            )
    try:
        fd = _mount_nowhere()
    except OSError as error:
        why = "run as root to see inside hosts" if isinstance(error, PermissionError) else "use a kernel with tracefs"
        raise Unavailable(f"the kernel's tracer cannot be opened ({error.strerror})", right=why) from error
    return Root(f"/proc/self/fd/{fd}", fd)


def _mount_nowhere() -> int:
    """A descriptor of a tracefs mount that is attached to no directory; OSError."""
    import ctypes

    fsopen, fsconfig, fsmount = 430, 431, 432  # the same numbers on every architecture
    cloexec, create = 1, 6
    libc = ctypes.CDLL(None, use_errno=True)

    def call(*args: object) -> int:
        result = int(libc.syscall(*args))
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

    context = call(fsopen, b"tracefs", cloexec)
    try:
        call(fsconfig, context, create, None, None, 0)
        return call(fsmount, context, cloexec, 0)
    finally:
        os.close(context)


def available() -> str | None:
    """None where the kernel can be traced from here, else the sentence that says why not."""
    try:
        root = find_root()
    except Unavailable as error:
        return str(error)
    root.close()
    return None


# ---- names that say whose they are ---------------------------------------------------------------


def instance_name() -> str:
    """A new name for this process's instance: prefix, PID namespace, pid, its start time, and a random part."""
    return f"{PREFIX}{_pid_namespace()}-{os.getpid()}-{_started(os.getpid())}-{secrets.token_hex(3)}"


def _pid_namespace() -> int:
    return os.stat("/proc/self/ns/pid").st_ino


def _started(pid: int) -> int:
    """Clock ticks from boot to the start of ``pid``; 0 when there is no such process, or only its remains."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] in "ZX" else int(fields[19])


def sweep() -> list[str]:
    """Remove the instances whose owners are dead; the names of those removed. Unavailable where none can be."""
    with find_root() as root:
        place = f"{root.path}/instances"
        names = sorted(name for name in os.listdir(place) if name.startswith(PREFIX))
        return [name for name in names if _stale(name) and _swept(f"{place}/{name}", name)]


def _stale(name: str) -> bool:
    parts = name[len(PREFIX) :].split("-")
    if len(parts) != 4 or not all(part.isdigit() for part in parts[:3]):
        return False
    namespace, pid, started = map(int, parts[:3])
    return namespace != _pid_namespace() or _started(pid) != started


def _swept(path: str, name: str) -> bool:
    """Ours: removed, switched off first. Another container's: its owner reads it while it lives, so it is busy then."""
    if name.startswith(f"{PREFIX}{_pid_namespace()}-"):
        return janitor.remove(path, 1.0)
    try:
        os.rmdir(path)
    except OSError:
        return False
    return True


# ---- an instance ---------------------------------------------------------------------------------


class Instance:
    """A trace instance that records what happens to packets on devices whose names end in ``suffix``.

    ``drain`` gives the events that were committed since the last call. ``close`` takes the instance down; so does the
    janitor when this process dies without it.
    """

    def __init__(self, interfaces: Mapping[str, str], suffix: str = "", *, buffer_kb: int = 0) -> None:
        """``interfaces``: kernel name -> plain name; ``buffer_kb`` for each core. Unavailable where none may trace."""
        self.root = find_root()
        self.name = instance_name()
        self.path = f"{self.root.path}/instances/{self.name}"
        self._readers: list[tuple[int, int]] = []
        self._janitor: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        try:
            self._janitor = self._hire()  # first: an owner that is killed in between leaves nothing
            os.mkdir(self.path)
            self.parser = self._parser(interfaces)
            self._set_up(suffix, buffer_kb or _share_of_room(os.cpu_count() or 1))
            forget_in_forks(self)
        except OSError as error:
            self.close()
            raise Unavailable(f"the kernel's tracer refused: {error.strerror}", where=str(error.filename)) from error

    def _hire(self) -> subprocess.Popen[bytes]:
        """Start the janitor, and wait until it keeps watch."""
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", janitor.__file__, self.path, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(self.root.fd,) if self.root.fd >= 0 else (),
            start_new_session=True,
        )
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise OSError(0, "the janitor did not start", self.path)
        process.stdout.close()
        return process

    def _parser(self, interfaces: Mapping[str, str]) -> PageParser:
        formats = {name: Format.parse(self._read(f"events/{name}/format")) for name in self._tracepoints()}
        header = Path(f"{self.root.path}/events/header_page").read_text()
        return PageParser(formats, header, interfaces)

    def _tracepoints(self) -> list[str]:
        return [name for name in TRACEPOINTS if name not in OPTIONAL or os.path.isdir(f"{self.path}/events/{name}")]

    def _set_up(self, suffix: str, buffer_kb: int) -> None:
        self._write("tracing_on", "0")
        self._write("trace_clock", "mono")
        self._write("buffer_size_kb", str(buffer_kb))
        for name in self._tracepoints():
            if suffix and name.startswith("net/"):
                self._write(f"events/{name}/filter", f'name ~ "*{suffix}"')
            if name == "sock/sk_data_ready":
                self._write(
                    f"events/{name}/filter", "(family == 2 || family == 10) && (protocol == 6 || protocol == 17)"
                )
            self._write(f"events/{name}/enable", "1")
        for entry in sorted(os.listdir(f"{self.path}/per_cpu")):
            fd = os.open(f"{self.path}/per_cpu/{entry}/trace_pipe_raw", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._readers.append((int(entry[3:]), fd))
        self._write("tracing_on", "1")

    def drain(self, pages: int = 1 << 30) -> tuple[list[Event], int | None]:
        """The events that are in the buffers now, of each core at most so many pages; in order within a core only.

        The second value is None when that was all, else the time up to which it was.
        """
        out: list[Event] = []
        complete: int | None = None
        size, parse = self.parser.page_size, self.parser.parse
        for cpu, fd in self._readers:
            last = 0
            for _ in range(pages):
                page = _page(fd, size)
                if not page:
                    break
                last = parse(page, cpu, out)
            else:
                complete = last if complete is None else min(last, complete)
        return out, complete

    def lost(self) -> int:
        """Events that the kernel overwrote or dropped because nobody read them in time."""
        total = 0
        for cpu, _ in self._readers:
            for line in self._read(f"per_cpu/cpu{cpu}/stats").splitlines():
                label, _, value = line.partition(":")
                if label in ("overrun", "dropped events"):
                    total += int(value)
        return total

    def pause(self) -> None:
        """Record nothing more; what is in the buffers can still be drained."""
        self._write("tracing_on", "0")

    def close(self) -> None:
        """Take the instance down and let the janitor go. A second call does nothing, nor does one in a fork."""
        if os.getpid() != self._owner:
            return
        self._close_readers()
        janitor.remove(self.path, 2.0)
        if self._janitor is not None:
            assert self._janitor.stdin is not None
            self._janitor.stdin.close()
            self._janitor.wait()
            self._janitor = None
        self.root.close()

    def forget(self) -> None:
        """In a fork: let go of what would keep the instance when this process's parent is dead."""
        self._close_readers()
        if self._janitor is not None and self._janitor.stdin is not None:
            self._janitor.stdin.close()
        self.root.close()

    def _close_readers(self) -> None:
        for _, fd in self._readers:
            os.close(fd)
        self._readers.clear()

    def _read(self, name: str) -> str:
        return Path(f"{self.path}/{name}").read_text()

    def _write(self, name: str, value: str) -> None:
        fd = os.open(f"{self.path}/{name}", os.O_WRONLY)
        try:
            os.write(fd, value.encode())
        except OSError as error:
            error.filename = name
            raise
        finally:
            os.close(fd)


def _share_of_room(cores: int) -> int:
    return min(max(BUFFERS_KB // cores, LEAST_KB), MOST_KB)


def _page(fd: int, size: int) -> bytes:
    try:
        return os.read(fd, size)
    except BlockingIOError:
        return b""
