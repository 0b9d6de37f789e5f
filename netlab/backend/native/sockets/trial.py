"""How fast our sockets are over a veth to the kernel: `unshare -n python -m netlab.backend.native.sockets.trial BYTES`.

The same calls are made on the kernel's own sockets after that, by the same device.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from netlab.backend.native.sockets.livestack import LiveStack

PORT, TURNS = 5000, 500
OURS, THEIRS, BESIDE = "10.0.0.1/24", "10.0.0.2", "10.0.0.3/24"
_PEER = str(Path(__file__).with_name("trialpeer.py"))
Connect = Callable[[], Any]


def trial(size: int) -> dict[str, float]:
    """Mbit/s and µs by name, in namespaces of its own. OSError or CalledProcessError where that is not allowed."""
    argv = ["unshare", "-n", sys.executable, "-m", "netlab.backend.native.sockets.trial", str(size)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _measured(connect: Connect, size: int) -> dict[str, float]:
    return {"send": _send(connect, size), "receive": _receive(connect, size), "echo": _echo(connect)}


def _send(connect: Connect, size: int) -> float:
    data = bytes(size)
    with connect() as s:
        began = time.monotonic()
        s.sendall(b"s")
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        s.recv(1)
        return _rate(size, began)


def _receive(connect: Connect, size: int) -> float:
    buffer, came = bytearray(1 << 20), 0
    with connect() as s:
        began = time.monotonic()
        s.sendall(b"p%010d" % size)
        while came < size:
            came += s.recv_into(buffer)
        return _rate(size, began)


def _echo(connect: Connect) -> float:
    """µs, the median."""
    took = []
    with connect() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(b"e")
        for _ in range(TURNS):
            began = time.perf_counter()
            s.sendall(b"x")
            s.recv(1)
            took.append(time.perf_counter() - began)
    return sorted(took)[TURNS // 2] * 1e6


async def _asend(size: int) -> float:
    piece = bytes(1 << 20)
    async with LiveStack.on("va", OURS) as stack:
        reader, writer = await stack.open_connection(THEIRS, PORT)
        began = time.monotonic()
        writer.write(b"s")
        for _ in range(size >> 20):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
        await reader.read(1)
        writer.close()
        return _rate(size >> 20 << 20, began)


def _rate(size: int, began: float) -> float:
    return size * 8 / (time.monotonic() - began) / 1e6


def main(argv: list[str]) -> None:
    """Set the devices up, measure, say it in JSON."""
    size = int(argv[0])
    peer = subprocess.Popen(["unshare", "-n", sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    space = ["nsenter", "-t", str(peer.pid), "-n"]
    _wait_for(peer.pid)
    for line in (f"ip link add va type veth peer name vb netns {peer.pid}", "ip link set va up"):
        subprocess.run(line.split(), check=True)
    for line in (f"ip addr add {THEIRS}/24 dev vb", "ip link set vb up"):
        subprocess.run([*space, *line.split()], check=True)
    serving = subprocess.Popen([*space, sys.executable, _PEER, THEIRS, str(PORT)], stdout=subprocess.PIPE)
    assert serving.stdout is not None
    serving.stdout.readline()
    try:
        print(json.dumps(_all(size)))
    finally:
        for process in (serving, peer):
            process.kill()
            process.wait()


def _wait_for(pid: int) -> None:
    """Until the process is in a namespace of its own."""
    own = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{pid}/ns/net").readlink() == own:
        time.sleep(0.001)


def _all(size: int) -> dict[str, float]:
    with LiveStack.on("va", OURS) as stack:
        found = _measured(lambda: stack.create_connection((THEIRS, PORT)), size)
    found["asend"] = asyncio.run(_asend(size))
    subprocess.run(["ip", "addr", "add", BESIDE, "dev", "va"], check=True)
    kernel = _measured(lambda: socket.create_connection((THEIRS, PORT)), size)
    return found | {f"kernel {name}": value for name, value in kernel.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
