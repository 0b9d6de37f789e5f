"""Our sockets and the kernel's, over a veth in a namespace of each test: the standard library's programs, and curl."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import http.client
import http.server
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from netlab.backend.native.afpacket import AfPacket
from netlab.backend.native.badcable import BadCable
from netlab.backend.native.sockets import LiveStack
from netlab.backend.native.sockets.apps import aecho, afetch, answering, aserve_pages, echo, fetch, serve
from netlab.backend.native.tap import Tap
from netlab.errors import BadInput
from netlab.sim.rng import Streams
from netlab.stack.drivers.faults import Faults
from netlab.workload.bulk import long_pattern
from netlab.workload.http import Pages

KERNEL, OURS = "10.0.0.2", "10.0.0.1"
TEN_MEGABYTES = long_pattern(10_000_000)
CLONE_NEWNET = 0x40000000
SETUP = """link set lo up
link add va type veth peer name vb
addr add 10.0.0.2/24 dev vb
addr add fd00::2/64 dev vb nodad
link set va up
link set vb up"""


def in_a_namespace(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a thread with a network namespace of its own: the kernel is vb, va is free for a stack of ours."""

    @functools.wraps(test)
    def run(**fixtures: object) -> None:
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("network namespaces and AF_PACKET need root: run as root on Linux")
        failed: list[BaseException] = []

        def inside() -> None:
            try:
                if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "unshare")
                for line in SETUP.splitlines():
                    subprocess.run(["ip", *line.split()], check=True)
                test(**fixtures)
            except BaseException as error:  # noqa: BLE001  whatever it is, pytest is to see it
                failed.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    return run


def stack(**more: object) -> LiveStack:
    return LiveStack.on("va", f"{OURS}/24", "fd00::1/64", name="ours", **more)  # type: ignore[arg-type]


def web_server(text: bytes = TEN_MEGABYTES) -> http.server.ThreadingHTTPServer:
    """The standard library's, with sockets of the kernel, giving the ten megabytes."""

    class Texts(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer((KERNEL, 0), Texts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@in_a_namespace
def test_our_clients_get_ten_megabytes_from_the_kernels_server() -> None:
    with web_server() as server, stack() as ours:
        assert fetch(ours, KERNEL, port=server.server_port, timeout=60).body == TEN_MEGABYTES
        server.shutdown()


@in_a_namespace
def test_an_asyncio_client_gets_them_too() -> None:
    async def get(port: int) -> None:
        async with stack() as ours:
            answer = await asyncio.wait_for(afetch(ours, KERNEL, port=port), 60)
            assert answer.body == TEN_MEGABYTES

    with web_server() as server:
        asyncio.run(get(server.server_port))
        server.shutdown()


@in_a_namespace
def test_the_standard_librarys_client_speaks_through_our_socket() -> None:
    with web_server() as server, stack() as ours:
        client = http.client.HTTPConnection(KERNEL, server.server_port)
        client.sock = ours.create_connection((KERNEL, server.server_port), 60)  # type: ignore[assignment]
        client.request("GET", "/")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, TEN_MEGABYTES)
        client.close()
        server.shutdown()


def curl(path: str) -> bytes:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing: apt-get install curl")
    argv = ["curl", "-sS", "--max-time", "60", f"http://{OURS}{path}"]
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout


@in_a_namespace
def test_curl_gets_ten_megabytes_from_our_blocking_server() -> None:
    with stack() as ours, ours.create_server(("", 80)) as server:
        serve(server, answering(Pages({"/": TEN_MEGABYTES, "/small": b"small"})))
        assert curl("/") == TEN_MEGABYTES
        assert curl("/small") == b"small"


@in_a_namespace
def test_curl_gets_them_from_our_asyncio_server() -> None:
    async def offer() -> None:
        async with stack() as ours, await aserve_pages(ours, {"/": TEN_MEGABYTES}):
            assert await asyncio.to_thread(curl, "/") == TEN_MEGABYTES

    asyncio.run(offer())


@in_a_namespace
def test_a_hundred_kernel_connections_to_our_echo_server_leave_nothing() -> None:
    with stack() as ours, ours.create_server(("", 7)) as server:
        serve(server, echo)
        held = [socket.create_connection((OURS, 7), timeout=60) for _ in range(100)]
        for n, s in enumerate(held):
            s.sendall(long_pattern(5000, n))
        for n, s in enumerate(held):
            s.shutdown(socket.SHUT_WR)
            with s, s.makefile("rb") as file:
                assert file.read() == long_pattern(5000, n)
        while any(line.remote for line in ours.netstat()):  # the kernel closed first, so TIME-WAIT is its own
            pass
        assert [line.state for line in ours.netstat()] == ["LISTEN"]
        assert len(ours.engine.sockets) == 1


def bad_cable() -> BadCable:
    chances = [Streams(7).stream("faults", "va", way) for way in ("out", "in")]
    faults = Faults(loss=0.02, duplicate=0.02, reorder=0.02, corrupt=0.01)
    return BadCable(AfPacket("va"), faults, *chances, time.monotonic_ns)


@in_a_namespace
def test_twenty_connections_over_a_bad_cable() -> None:
    with LiveStack.on(bad_cable(), f"{OURS}/24", offload=False) as ours, ours.create_server(("", 7)) as server:
        serve(server, echo)
        for n in range(20):
            with socket.create_connection((OURS, 7), timeout=60) as s:
                s.sendall(long_pattern(20_000, n))
                s.shutdown(socket.SHUT_WR)
                with s.makefile("rb") as file:
                    assert file.read() == long_pattern(20_000, n)


@in_a_namespace
def test_an_asyncio_client_over_a_bad_cable() -> None:
    async def get(port: int) -> None:
        async with LiveStack.on(bad_cable(), f"{OURS}/24", offload=False) as ours:
            answer = await asyncio.wait_for(afetch(ours, KERNEL, port=port), 60)
            assert answer.body == TEN_MEGABYTES[:1_000_000]

    with web_server(TEN_MEGABYTES[:1_000_000]) as server:
        asyncio.run(get(server.server_port))
        server.shutdown()


@in_a_namespace
def test_an_asyncio_echo_server_over_ipv6() -> None:
    def ask() -> bytes:
        with socket.create_connection(("fd00::1", 7), timeout=60) as s:
            s.sendall(long_pattern(300_000))
            s.shutdown(socket.SHUT_WR)
            with s.makefile("rb") as file:
                return file.read()

    async def offer() -> None:
        async with stack() as ours, await ours.start_server(aecho, "::", 7):
            assert await asyncio.to_thread(ask) == long_pattern(300_000)

    asyncio.run(offer())


@in_a_namespace
def test_each_refuses_the_other() -> None:
    with stack() as ours:
        with pytest.raises(ConnectionRefusedError):
            ours.create_connection((KERNEL, 9), timeout=60)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((OURS, 9), timeout=60)
        with ours.socket(type=socket.SOCK_DGRAM) as s:
            s.settimeout(60)
            s.connect((KERNEL, 9))
            s.send(b"x")
            with pytest.raises(ConnectionRefusedError):
                s.recv(1)


@in_a_namespace
def test_a_stack_that_is_closed_resets_its_peers() -> None:
    with stack() as ours, ours.create_server(("", 7)) as server:
        peer = socket.create_connection((OURS, 7), timeout=60)
        held, _ = server.accept()
        assert held.info()["state"] == 1
    with pytest.raises(ConnectionResetError):
        peer.recv(1)
    peer.close()


@in_a_namespace
def test_datagrams_cross() -> None:
    with stack() as ours, ours.socket(type=socket.SOCK_DGRAM) as s, socket.socket(type=socket.SOCK_DGRAM) as theirs:
        theirs.bind((KERNEL, 0))
        theirs.settimeout(60)
        s.settimeout(60)
        s.sendto(long_pattern(4000), theirs.getsockname())
        data, sender = theirs.recvfrom(9000)
        assert (data, sender) == (long_pattern(4000), (OURS, s.getsockname()[1]))
        theirs.sendto(b"back", sender)
        assert s.recvfrom(9) == (b"back", theirs.getsockname())


@in_a_namespace
def test_the_kernels_own_address_is_refused() -> None:
    with pytest.raises(BadInput, match=r"vb 10.0.0.2/24: the kernel answers for that address itself"):
        LiveStack.on("vb", f"{KERNEL}/24")
    with pytest.raises(BadInput, match="'vx' is no device"):
        LiveStack.on("vx", "10.0.0.9/24")


@in_a_namespace
def test_nlab_serves_a_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("hello")
    (site / "a b").write_bytes(TEN_MEGABYTES)
    argv = [sys.executable, "-m", "netlab.cli.main", "stack", "serve", "va", f"{OURS}/24", "--folder", str(site)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        assert serving.stdout.readline().startswith(f"http://{OURS}:80/ on va")
        assert curl("/") == b"hello"
        assert curl("/a%20b") == TEN_MEGABYTES
        assert curl("/%2e%2e/secret") == curl("/none") == b"404 Not Found\n"
        serving.send_signal(signal.SIGINT)
        said = serving.stdout.read().splitlines()
    assert said[:2] == ["GET / 200", "GET /a%20b 200"]
    assert serving.returncode == 0


@in_a_namespace
def test_a_tap_device_is_made_for_a_stack() -> None:
    tap = Tap("tap0")
    for line in ("addr add 10.0.9.2/24 dev tap0", "link set tap0 up"):
        subprocess.run(["ip", *line.split()], check=True)
    with LiveStack.on(tap, "10.0.9.1/24") as ours, ours.create_server(("", 7)) as server:
        serve(server, echo)
        with socket.create_connection(("10.0.9.1", 7), timeout=60) as s:
            s.sendall(long_pattern(100_000))
            s.shutdown(socket.SHUT_WR)
            with s.makefile("rb") as file:
                assert file.read() == long_pattern(100_000)
