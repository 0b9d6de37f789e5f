"""What `nlab doctor` looks at. Each examination gives findings; none changes anything on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from netlab.errors import NetlabError, Unavailable

Status = Literal["fine", "limited", "missing"]
LINUX = sys.platform == "linux"
OLDEST, NEWEST = (3, 11), (3, 13)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``fix`` says how to get it, ``package`` the Debian package that has it."""

    area: str
    name: str
    status: Status
    said: str
    fix: str = ""
    package: str = ""


@dataclass(frozen=True)
class Tool:
    """A program from a Debian package, and what netlab does with it."""

    commands: tuple[str, ...]
    package: str
    says: str


MININET_TOOLS = (
    Tool(("mnexec",), "mininet", "enters a host's namespaces"),
    Tool(("ifconfig",), "net-tools", "Mininet refuses to start without it"),
    Tool(("ip",), "iproute2", "addresses, routes and links"),
    Tool(("tc",), "iproute2", "rates and queues of links"),
    Tool(("brctl",), "bridge-utils", "stock Mininet's Linux bridges"),
    Tool(("ethtool",), "ethtool", "offloads of interfaces"),
    Tool(("ping",), "iputils-ping", "ping inside hosts"),
)
OTHER_TOOLS = (
    Tool(("bwrap",), "bubblewrap", "shuts answers in while they are graded; without it netlab's own cell does"),
    Tool(("tcpdump",), "tcpdump", "captures inside a network, as in: nlab exec h1 -- tcpdump"),
    Tool(("tshark",), "tshark", "reads the captures that nlab view --as pcapng writes; some tests need it"),
    Tool(("chromium", "chromium-browser", "google-chrome"), "chromium", "browser tests need it"),
)


def everything() -> list[Finding]:
    """All findings, area by area."""
    return [*python(), *simulated(), *mininet(), *tracing(), *[_tool("tools", tool) for tool in OTHER_TOOLS]]


def worlds(findings: Sequence[Finding]) -> dict[str, bool]:
    """Which worlds work: those in whose area nothing is missing."""
    return {
        area: all(finding.status != "missing" for finding in findings if finding.area in (area, "python"))
        for area in ("sim", "mininet")
    }


# ---- Python ----------------------------------------------------------------------------------------


def python() -> list[Finding]:
    """The interpreter, and the packages that netlab requires."""
    said = sys.version.split()[0]
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        found = Finding("python", "Python", "fine", said)
    else:
        fix = f"install one of Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}, and run 'make lab' again"
        found = Finding("python", "Python", "limited", f"{said}, which netlab is not tested with", fix)
    return [found, _packages()]


def _packages() -> Finding:
    from importlib.metadata import PackageNotFoundError, requires, version

    try:
        wanted = requires("netlab-workshop") or []
    except PackageNotFoundError:
        return Finding("python", "packages", "limited", "netlab is not installed, only found", "pip install -e .")
    missing = []
    for requirement in wanted:
        if "extra ==" not in requirement:
            name = _distribution(requirement)
            try:
                version(name)
            except PackageNotFoundError:
                missing.append(name)
    if missing:
        fix = f"{sys.executable} -m pip install {' '.join(missing)}"
        return Finding("python", "packages", "missing", f"{', '.join(missing)} not installed", fix)
    return Finding("python", "packages", "fine", "all that netlab requires are installed")


def _distribution(requirement: str) -> str:
    """ "PyYAML" of "PyYAML<7,>=6"."""
    import re

    return re.split(r"[\s;<>=!~\[(]", requirement, maxsplit=1)[0]


# ---- worlds ----------------------------------------------------------------------------------------


def simulated() -> list[Finding]:
    """The simulated world: a ping through it."""
    return [_asked("sim", "a small network", "sim")]


def mininet() -> list[Finding]:
    """The Mininet world: its tools, namespaces, and what its backend says of a small network."""
    if not LINUX:
        fix = "use a Linux machine, or the workshop image with docker or podman"
        return [Finding("mininet", "Linux", "missing", "the Linux kernel's own stack exists on Linux only", fix)]
    return [
        *[_tool("mininet", t) for t in MININET_TOOLS],
        namespaces(),
        _asked("mininet", "a small network", "mininet"),
    ]


def _asked(area: str, name: str, backend: str) -> Finding:
    """What a backend says of a small network."""
    from netlab.experiment.run import backend_named
    from netlab.topology.generators import cable, several
    from netlab.topology.resolve import resolve
    from netlab.topology.spec import Topology

    plan = resolve(Topology("pair", tuple(several("h", 2)), (cable("h1", "h2"),)))
    try:
        problems = backend_named(backend).problems(plan)
    except (NetlabError, ImportError) as error:
        return Finding(area, name, "missing", f"{error}")
    refused = [problem.said for problem in problems if problem.severity == "refuse"]
    if refused:
        return Finding(area, name, "missing", refused[0])
    noted = [problem.said for problem in problems]
    return Finding(area, name, "limited" if noted else "fine", "; ".join(noted) or "can be opened")


def namespaces() -> Finding:
    """Whether this user gets the namespaces in which a network lives: tried, in a process that ends at once."""
    name = "namespaces"
    if shutil.which("unshare") is None:
        return Finding("mininet", name, "limited", "unknown, since there is no unshare command", package="util-linux")
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(
        ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--mount-proc", "true"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
    )
    if done.returncode == 0:
        return Finding("mininet", name, "fine", "this user gets namespaces of its own")
    said = done.stderr.strip().splitlines()[-1:] or ["unshare failed"]
    return Finding("mininet", name, "missing", said[0], _namespace_fix())


def _namespace_fix() -> str:
    if _sysctl("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 (or run as root)"
    if _sysctl("/proc/sys/user/max_user_namespaces") == "0":
        return "sudo sysctl user.max_user_namespaces=10000 (or run as root)"
    if _sysctl("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        return "sudo sysctl kernel.unprivileged_userns_clone=1 (or run as root)"
    if os.path.exists("/run/.containerenv") or os.path.exists("/.dockerenv"):
        return "start the container with --cap-add SYS_ADMIN,NET_ADMIN and an unmasked /proc (README says how)"
    return "run as root, or ask for unprivileged user namespaces"


def _sysctl(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


# ---- the rest --------------------------------------------------------------------------------------


def tracing() -> list[Finding]:
    """Whether the kernel's tracer can show what happens inside hosts."""
    if not LINUX:
        return []
    from netlab.probe import tracefs

    seen = "the way of packets inside Linux hosts can be seen"
    bare = "packets are seen on interfaces only, not inside hosts"
    return [_tried("tracing", "kernel tracer", seen, bare, lambda: tracefs.find_root().close())]


def _tried(area: str, name: str, fine: str, otherwise: str, attempt: Callable[[], None]) -> Finding:
    try:
        attempt()
    except Unavailable as error:
        return Finding(area, name, "limited", f"{error.what}: {otherwise}", error.right)
    return Finding(area, name, "fine", fine)


def _tool(area: str, tool: Tool) -> Finding:
    for command in tool.commands:
        if path := shutil.which(command, path=_search_path()):
            return Finding(area, command, "fine", path)
    name = tool.commands[0]
    # What a world needs is asked of the world itself; a missing tool alone condemns nothing.
    return Finding(
        area, name, "limited", f"not installed; {tool.says}", f"sudo apt-get install {tool.package}", tool.package
    )


def _search_path() -> str:
    """PATH, and the folders of ip and tc, which an ordinary user's PATH often lacks."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
