"""What a hostile answer tries, at each level of isolation that this machine offers, and what becomes of it.

Run as root these tests run a second time as an ordinary user, in a process of its own (the last test).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from netlab.errors import Unavailable
from netlab.grade.sandbox import Limits, Sandbox, levels
from netlab.stack.slot import SlotFailure

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="run it on Linux: elsewhere there are no namespaces")

ORDINARY = 54321
"""A user id that owns nothing."""

PATIENT = Limits(wall=20, total=60, memory=256 << 20)
QUICK = replace(PATIENT, wall=0.3)
"""For what never comes to an end anyway."""

Open = Callable[..., Sandbox]


@cache
def _lacks(level: str) -> str:
    """What keeps this machine from the level; empty when nothing does."""
    if level not in levels():
        return "install bubblewrap: apt-get install bubblewrap"
    try:
        with Sandbox(b"x = 1", level=level):
            return ""
    except Unavailable as lack:
        return f"allow unprivileged user namespaces, or run as root ({lack})"


@pytest.fixture(params=["bubblewrap", "namespaces", "limits"])
def level(request: pytest.FixtureRequest) -> str:
    wanted: str = request.param
    if lack := _lacks(wanted):
        pytest.skip(lack)
    return wanted


@pytest.fixture
def sandbox(level: str) -> Iterator[Open]:
    """Open an answer with this text at this level."""
    opened: list[Sandbox] = []

    def start(text: str, limits: Limits = PATIENT) -> Sandbox:
        box = Sandbox(text.encode(), limits, level=level)
        opened.append(box)
        box.__enter__()
        return box

    yield start
    for box in opened:
        box.close()


def failure(box: Sandbox, *args: object) -> SlotFailure:
    with pytest.raises(SlotFailure) as caught:
        box.call("slot", *args)
    return caught.value


def descendants(pid: int) -> set[int]:
    """Every living process below ``pid``, zombies left out."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            child = int(stat.parent.name)
            found |= {child} | descendants(child)
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run, once they have had a moment to go."""
    until(lambda: not any(map(_runs, pids)), 2)
    return {pid for pid in pids if _runs(pid)}


def until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it becomes true in that time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


# ---- what it may not use up -----------------------------------------------------------------------

ENDINGS = {
    "an endless loop": ("def slot(): \n while True: pass", "timeout"),
    "an endless loop that catches everything": (
        "def slot():\n while True:\n  try:\n   while True: pass\n  except BaseException: pass",
        "timeout",
    ),
    "deaf to every signal": (
        "import signal\nfor n in range(1, 65):\n"
        " try: signal.signal(n, signal.SIG_IGN)\n except (OSError, ValueError): pass\n"
        "def slot():\n while True: pass",
        "timeout",
    ),
    "sleeps for ever": ("import time\ndef slot(): time.sleep(10**6)", "timeout"),
    "leaves": ("import os\ndef slot(): os._exit(0)", "died"),
    "leaves politely": ("def slot(): raise SystemExit(0)", "raised"),
    "leaves as if done": ("import os\ndef slot(): os._exit(3)", "died"),
    "crashes": ("import ctypes\ndef slot(): ctypes.string_at(0)", "died"),
    "recurses without end": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef slot(): return slot()",
        "memory timeout died",
    ),
    "wants 10 GB": ("def slot(): return len(bytearray(10 * 2**30))", "memory"),
    "wants everything, bit by bit": (
        "kept = []\ndef slot():\n while True:\n  try: kept.append(bytearray(65536))\n  except MemoryError: pass",
        "timeout memory died",
    ),
    "a fork bomb": ("import os\ndef slot():\n while True: os.fork()", "raised"),
    "a patient fork bomb": (
        "import os\ndef slot():\n while True:\n  try: os.fork()\n  except OSError: pass",
        "timeout",
    ),
    "threads without end": (
        "import threading\ndef slot():\n while True: threading.Thread(target=print).start()",
        "raised",
    ),
    "another program": ("import subprocess\ndef slot(): subprocess.run(['/bin/sh', '-c', 'true'])", "raised"),
    "prints without end": ("def slot():\n while True: print('x' * 10000)", "timeout"),
    "a vast answer": ("def slot(): return bytes(60 << 20)", "invalid"),
    "a live object": ("def slot(): return object()", "invalid"),
    "a list in itself": ("def slot():\n a = []\n a.append(a)\n return a", "invalid"),
    "closes everything": ("import os\ndef slot():\n os.closerange(0, 64)\n return 1", "died"),
    "writes to every descriptor": (
        "import os\ndef slot():\n for fd in range(64):\n"
        "  try: os.write(fd, b'\\xff' * 99)\n  except OSError: pass\n return 1",
        "invalid",
    ),
    "an error that cannot be shown": (
        "class E(Exception):\n def __str__(self): raise E\ndef slot(): raise E",
        "raised",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_whatever_it_does_there_is_an_end_and_a_sentence(sandbox: Open, name: str) -> None:
    text, kinds = ENDINGS[name]
    box = sandbox(text, QUICK if "timeout" in kinds else PATIENT)
    before = descendants(os.getpid())
    got = failure(box)
    assert got.kind in kinds.split()
    assert got.said
    box.close()
    assert not alive(before)


def test_what_is_printed_is_kept_up_to_a_limit(sandbox: Open) -> None:
    box = sandbox("import sys\ndef slot():\n print('to stdout')\n print('to stderr', file=sys.stderr)\n return 1")
    assert box.call("slot") == 1
    assert box.printed == "to stdout\nto stderr\n"
    loud = sandbox("def slot():\n while True: print('x' * 10000)", QUICK)
    assert failure(loud).kind == "timeout"
    assert 0 < len(loud.printed) <= QUICK.output


def test_processor_time_is_limited_too(level: str) -> None:
    with Sandbox(b"def slot():\n while True: pass", Limits(wall=30, cpu=1), level=level) as box:
        got = failure(box)
    assert (got.kind, got.said) == ("timeout", "it used up its processor time")


def test_all_calls_together_have_a_limit(level: str) -> None:
    text = b"import time\ndef slot(): time.sleep(0.06)"
    with Sandbox(text, Limits(wall=5, total=0.1), level=level) as box:
        box.fresh()
        with pytest.raises(SlotFailure) as caught:
            for _ in range(3):
                box.call("slot")
    assert caught.value.kind == "timeout"


def test_after_a_loss_a_fresh_start_serves_again(sandbox: Open) -> None:
    box = sandbox("import os\ndef slot(n):\n if n: os._exit(1)\n return 'fine'")
    assert failure(box, 1).kind == "died"
    assert failure(box, 0).kind == "died"
    box.fresh()
    assert box.call("slot", 0) == "fine"


# ---- what it may not see or touch -----------------------------------------------------------------

REFUSED = {
    "a connection": "import socket\ndef slot(): socket.create_connection(('127.0.0.1', 9), 0.2)",
    "a listening socket": "import socket\ndef slot(): socket.socket().listen()",
    "a unix socket": "import socket\ndef slot(): socket.socketpair()",
    "a file of its own": "def slot(): open('/tmp/mine', 'w')",
    "a file where it stands": "def slot(): open('mine', 'w')",
    "the passwords": "def slot(): open('/etc/shadow')",
    "the users": "def slot(): open('/etc/passwd').read()",
    "this machine's processes": "import os\ndef slot(): return [open(f'/proc/{os.getppid()}/environ').read()]",
    "its parent's end": "import os\ndef slot(): os.kill(os.getppid(), 9)",
    "everybody's end": "import os\ndef slot(): os.kill(-1, 9)",
    "a session of its own": "import os\ndef slot(): os.setsid()",
    "memory that nobody counts": "import os\ndef slot(): os.memfd_create('x')",
    "an end to its neighbours' time": "import resource, os\ndef slot(): resource.prlimit(os.getppid(), 0, (1, 1))",
    "a change of what a file may": "import os\ndef slot(): os.chmod(os.__file__, 0)",
    "root": "import os\ndef slot(): os.setuid(0)",
    "netlab": "def slot(): import netlab.grade",
    "installed packages": "def slot(): import pytest",
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(sandbox: Open, name: str) -> None:
    box = sandbox(REFUSED[name])
    assert failure(box).kind == "raised"


def test_no_limit_can_be_raised(sandbox: Open) -> None:
    text = (
        "import resource\ndef slot():\n gained = []\n"
        " for name in ('CPU', 'AS', 'NPROC', 'NOFILE', 'FSIZE'):\n"
        "  n = getattr(resource, 'RLIMIT_' + name)\n"
        "  try: resource.setrlimit(n, (resource.getrlimit(n)[1] + 1,) * 2)\n"
        "  except (OSError, ValueError): continue\n"
        "  gained.append(name)\n"
        " return gained"
    )
    assert sandbox(text).call("slot") == []


def test_a_new_user_namespace_gains_it_nothing(sandbox: Open) -> None:
    text = "import ctypes\ndef slot(): return ctypes.CDLL(None, use_errno=True).unshare(0x10000000)"
    assert sandbox(text).call("slot") == -1


def test_its_environment_says_nothing_of_ours(sandbox: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLAB_TOKEN", "sesame")
    environment = sandbox("import os\ndef slot(): return dict(os.environ)").call("slot")
    assert set(environment) <= {"PYTHONHASHSEED", "LC_ALL", "PWD"}


def test_no_file_of_this_checkout_can_be_read(sandbox: Open) -> None:
    root = Path(__file__).resolve().parents[2]
    text = (
        "def slot(paths):\n seen = []\n"
        " for path in paths:\n  try: open(path).read()\n  except OSError: continue\n  seen.append(path)\n return seen"
    )
    files = [__file__, str(root / "pyproject.toml"), *map(str, root.glob("labs/*/answer.py"))]
    assert sandbox(text).call("slot", files) == []


def test_no_module_that_is_installed_here_can_be_read(sandbox: Open) -> None:
    text = "def slot(path):\n try: return open(path).read()\n except OSError: return ''"
    assert sandbox(text).call("slot", pytest.__file__) == ""


@pytest.mark.parametrize("level", ["bubblewrap", "namespaces"], indirect=True)
def test_in_namespaces_there_is_no_other_process_and_nothing_to_see(sandbox: Open) -> None:
    text = "import os\ndef slot(): return os.getpid(), os.listdir('/'), os.path.exists('/proc/1'), os.getuid()"
    pid, root, proc, uid = sandbox(text).call("slot")
    assert pid == 2
    assert set(root) <= {"dev", "etc", "lib", "lib64", "lib32", "usr", "opt", "home", "root", "nix"}
    assert not proc
    assert uid != 0


# ---- when netlab itself goes away -----------------------------------------------------------------


@pytest.mark.parametrize("text", ["import time\ndef slot(): time.sleep(10**6)", "def slot():\n while True: pass"])
def test_nothing_outlives_a_killed_netlab(level: str, text: str) -> None:
    program = (
        "import sys\nfrom netlab.grade.sandbox import Limits, Sandbox\n"
        f"with Sandbox({text.encode()!r}, Limits(wall=60, total=60), level={level!r}) as box:\n"
        "    print('up', flush=True)\n    box.call('slot')\n"
    )
    netlab = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert netlab.stdout is not None
    assert netlab.stdout.readline() == b"up\n"
    below = descendants(netlab.pid)
    assert below
    netlab.send_signal(signal.SIGKILL)
    netlab.wait()
    netlab.stdout.close()
    assert not alive(below)


def test_nothing_outlives_a_killed_netlab_whose_own_child_holds_the_pipes(level: str) -> None:
    program = (
        "import os, sys, time\nfrom netlab.grade.sandbox import Limits, Sandbox\n"
        f"box = Sandbox(b'', level={level!r})\n"
        f"box = Sandbox(b'def slot(): pass', level={level!r}).__enter__()\n"
        "heir = os.fork()\nif not heir: time.sleep(60)\nprint(heir, flush=True)\ntime.sleep(60)\n"
    )
    netlab = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert netlab.stdout is not None
    heir = int(netlab.stdout.readline())
    below = descendants(netlab.pid) - {heir}
    assert below
    netlab.send_signal(signal.SIGKILL)
    netlab.wait()
    netlab.stdout.close()
    try:
        assert not alive(below)
    finally:
        os.kill(heir, signal.SIGKILL)


GRADER = """
import sys
from pathlib import Path
from netlab.grade.crew import grade_folder
from netlab.grade.sandbox import Limits
from netlab.lab.catalogue import load_lab

limits = Limits(wall=60, total=60)
grade_folder(load_lab("01"), Path(sys.argv[1]), bytes(32), workers=2, limits=limits, budget=60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_grader_that_ends_early_leaves_nothing_running(tmp_path: Path, how: signal.Signals) -> None:
    for student in ("ada", "bob", "eve"):
        (tmp_path / f"{student}.py").write_text("def forward(packets, routes, addresses):\n    while True: pass\n")
    grader = subprocess.Popen([sys.executable, "-c", GRADER, str(tmp_path)], stderr=subprocess.DEVNULL)
    at_work = 2 * 3  # two workers, each with a supervisor and an answer below it
    assert until(lambda: len(descendants(grader.pid)) >= at_work, 30)
    below = descendants(grader.pid)
    grader.send_signal(how)
    grader.wait(timeout=10)
    assert not alive(below)


# ---- and all of it once more ----------------------------------------------------------------------


@pytest.mark.may_skip("the ordinary user's run, which this test starts, does not start one more")
@pytest.mark.timeout(600)
def test_all_of_this_holds_for_an_ordinary_user_too() -> None:
    if os.geteuid() != 0:
        pytest.skip("run the tests as root to see this twice: this run is an ordinary user's")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", __file__]
    probe = subprocess.run([*command, "--version"], user=ORDINARY, group=ORDINARY, extra_groups=[], capture_output=True)
    if probe.returncode:
        pytest.skip("put checkout and Python where every user can read them (/opt, /srv): an ordinary user cannot here")
    done = subprocess.run(
        command, user=ORDINARY, group=ORDINARY, extra_groups=[], capture_output=True, text=True, cwd="/", check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
