"""What this machine's kernel gives this user, found out by trying: a child makes namespaces and devices in them.

Run as a child (`python survey.py`); it prints JSON, and what it made goes with it.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass

QDISCS = ("tbf", "pfifo", "bfifo", "netem", "red")


@dataclass(frozen=True)
class Survey:
    """``refused`` names the step at which the kernel said no ("" for none), ``said`` its words."""

    refused: str = ""
    said: str = ""
    qdiscs: tuple[str, ...] = ()
    bridge: bool = False
    veth: bool = False
    vxlan: bool = False

    @property
    def good(self) -> bool:
        """Whether an arena with cables and switches can be made."""
        return not self.refused and self.bridge and self.veth


class _Bad(Exception):
    def __init__(self, survey: Survey) -> None:
        super().__init__()
        self.survey = survey


def survey() -> Survey:
    """What the kernel gives. A good answer is remembered; a bad one is asked again: people mend what was wrong."""
    try:
        return _good()
    except _Bad as bad:
        return bad.survey


@functools.cache
def _good() -> Survey:
    found = _ask()
    if not found.good:
        raise _Bad(found)
    return found


def _ask() -> Survey:
    import netlab

    root = os.path.dirname(os.path.dirname(os.path.abspath(netlab.__file__)))
    code = f"import sys; sys.path.insert(0, {root!r}); from netlab.backend.mininet.survey import main; main()"
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    try:
        raw = json.loads(done.stdout)
    except ValueError:
        return Survey("namespaces", done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}")
    return Survey(**{**raw, "qdiscs": tuple(raw["qdiscs"])})


def main() -> None:
    """In the child: try, and print what came of it."""
    print(json.dumps(asdict(_try())), flush=True)


def _try() -> Survey:
    from netlab.backend.mininet.keeper import separate
    from netlab.errors import Unavailable

    try:
        separate()
    except Unavailable as error:
        return Survey("namespaces", error.what)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # the first process of the new PID namespace, as the arena's init is
        os.write(write, json.dumps(asdict(_furnish())).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        raw = answer.read()
    os.waitpid(child, 0)
    return Survey(**json.loads(raw)) if raw else Survey("namespaces", "the first process died")


def _furnish() -> Survey:
    from netlab.backend.mininet.rooms import furnish

    try:
        furnish()
    except OSError as error:
        return Survey("mounts", error.strerror or str(error))
    return _devices()


def _devices() -> Survey:
    from netlab.backend.mininet import rtnl
    from netlab.backend.mininet.qdisc import ROOT, Discipline, create

    kernel = rtnl.Rtnl()

    def works(message: bytes) -> bool:
        try:
            kernel([message], "survey")
        except OSError:
            return False
        return True

    def link(index: int, kind: str, *options: bytes) -> bytes:
        info = rtnl.nested(18, rtnl.text(1, kind), *options)
        return rtnl.message(rtnl.NEWLINK, rtnl.ACK | rtnl.CREATE, rtnl.link_body(index), info)

    bridge, veth = works(link(101, "bridge")), works(link(102, "veth"))
    vxlan = works(link(103, "vxlan", rtnl.nested(2, rtnl.u32(1, 1))))
    found = []
    for kind in QDISCS:
        asked = Discipline(kind, 0x10000, ROOT, rate=8_000_000, burst=2000, limit=100, delay=1000, mark=2000)
        if works(create(102, asked)):
            found.append(kind)
            kernel([rtnl.message(rtnl.DELQDISC, rtnl.ACK, _handle(102, 0x10000))], "survey")
    return Survey(qdiscs=tuple(found), bridge=bridge, veth=veth, vxlan=vxlan)


def _handle(index: int, handle: int) -> bytes:
    import struct

    return struct.pack("=BxxxiIII", 0, index, handle, 0xFFFFFFFF, 0)


if __name__ == "__main__":
    main()
