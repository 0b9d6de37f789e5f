"""The blocking sockets of two stacks at the ends of a cable in memory: the names and errors of Python's `socket`."""

from __future__ import annotations

import errno
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netlab.backend.native.sockets import LiveStack, Socket, cable, pair
from netlab.backend.native.sockets.apps import answering, echo, fetch, serve
from netlab.stack.drivers.pipe import loopback
from netlab.workload.bulk import long_pattern
from netlab.workload.http import Pages

Stacks = tuple[LiveStack, LiveStack]
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@pytest.fixture
def stacks() -> Iterator[Stacks]:
    a, b = pair()
    with a, b:
        yield a, b


def connected(stacks: Stacks) -> tuple[Socket, Socket]:
    """Both ends of a connection, the client's first."""
    a, b = stacks
    with b.create_server(("", 0)) as server:
        client = a.create_connection(("b", server.getsockname()[1]), timeout=30)
        return client, server.accept()[0]


def in_a_thread(act: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run it, and hold what it gives, or the OSError that it raises."""
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(act())
        except OSError as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, found


def until_it_waits(s: Socket) -> None:
    """Until a call on the socket waits in the stack."""
    while not s._stack.call(None, lambda: len(s._core.parked), None):
        pass


# ---- bytes


def test_every_byte_crosses_both_ways(stacks: Stacks) -> None:
    client, server = connected(stacks)
    there, back = long_pattern(3_000_000, 1), long_pattern(2_000_000, 2)
    with client, server:
        writers = [in_a_thread(lambda: client.sendall(there)), in_a_thread(lambda: server.sendall(back))]
        assert server.recv(len(there), socket.MSG_WAITALL) == there
        assert client.recv(len(back), socket.MSG_WAITALL) == back
        for thread, found in writers:
            thread.join()
            assert found == [None]


def test_without_offload_too() -> None:
    a, b = pair(offload=False)
    with a, b:
        client, server = connected((a, b))
        thread, _ = in_a_thread(lambda: client.sendall(long_pattern(500_000)))
        assert server.recv(500_000, socket.MSG_WAITALL) == long_pattern(500_000)
        thread.join()
        assert a.engine.host.interfaces["eth0"].counters["opackets"] >= 500_000 / 1448
        client.close()
        server.close()


def test_an_end_is_empty_bytes_and_the_other_direction_goes_on(stacks: Stacks) -> None:
    client, server = connected(stacks)
    with client, server:
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert server.recv(100, socket.MSG_WAITALL) == b"question"
        assert server.recv(100) == b""
        server.sendall(b"answer")
        assert client.recv(100) == b"answer"
        with pytest.raises(BrokenPipeError):
            client.send(b"more")


def test_peeking_leaves_the_bytes(stacks: Stacks) -> None:
    client, server = connected(stacks)
    with client, server:
        client.sendall(b"look")
        assert server.recv(2, socket.MSG_PEEK) == b"lo"
        buffer = bytearray(10)
        assert server.recv_into(buffer) == 4
        assert buffer[:4] == b"look"


def test_a_file_outlives_its_socket(stacks: Stacks) -> None:
    client, server = connected(stacks)
    lines = server.makefile("r", encoding="utf-8", newline="\n")
    server.close()
    with client.makefile("wb") as out:
        out.write(b"eins\nzwei\n")
    client.close()
    assert lines.readlines() == ["eins\n", "zwei\n"]
    lines.close()
    with pytest.raises(OSError, match="closed"):
        server.recv(1)


def test_ipv6_and_names_of_four_parts(stacks: Stacks) -> None:
    a, b = stacks
    with b.create_server(("::", 0), family=socket.AF_INET6) as server:
        client = a.create_connection(("fd00::2", server.getsockname()[1]), timeout=30)
        child, peer = server.accept()
        with client, child:
            assert peer == client.getsockname()
            assert peer[0] == "fd00::1"
            assert len(peer) == 4
            client.sendall(b"six")
            assert child.recv(3) == b"six"


def test_a_stack_speaks_with_itself(stacks: Stacks) -> None:
    a, _ = stacks
    with a.create_server(("10.0.0.1", 0)) as server:
        client = a.create_connection(server.getsockname(), timeout=30)
        child, _ = server.accept()
        with client, child:
            client.sendall(long_pattern(200_000))
            assert child.recv(200_000, socket.MSG_WAITALL) == long_pattern(200_000)


# ---- waiting


def test_a_timeout_loses_no_byte(stacks: Stacks) -> None:
    client, server = connected(stacks)
    with client, server:
        server.settimeout(0.01)
        with pytest.raises(TimeoutError, match="timed out"):
            server.recv(10)
        client.sendall(b"late")
        server.settimeout(30)
        assert server.recv(10) == b"late"


def test_sendall_gives_up_when_nobody_reads(stacks: Stacks) -> None:
    client, server = connected(stacks)
    with client, server:
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.sendall(bytes(20_000_000))


def test_a_nonblocking_socket_says_what_would_wait(stacks: Stacks) -> None:
    a, b = stacks
    with b.create_server(("", 0)) as server, a.socket() as client:
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
        client.setblocking(False)
        with pytest.raises(BlockingIOError) as raised:
            client.connect(("b", server.getsockname()[1]))
        assert raised.value.errno == errno.EINPROGRESS
        server.settimeout(30)
        child, _ = server.accept()
        with child, pytest.raises(BlockingIOError):
            child.setblocking(False)
            child.recv(1)
        assert client.connect_ex(("b", 1)) == errno.EISCONN


def test_calls_of_many_threads_do_not_meet(stacks: Stacks) -> None:
    a, b = stacks
    with b.create_server(("", 0)) as server:
        serve(server, echo)
        port = server.getsockname()[1]

        def talk(number: int) -> list[bytes]:
            said = []
            for turn in range(5):
                with a.create_connection(("b", port), timeout=60) as s:
                    s.sendall(f"{number} {turn}".encode())
                    s.shutdown(socket.SHUT_WR)
                    said.append(s.recv(100, socket.MSG_WAITALL))
            return said

        threads = [in_a_thread(lambda n=n: talk(n)) for n in range(8)]  # type: ignore[misc]
        for n, (thread, found) in enumerate(threads):
            thread.join()
            assert found == [[f"{n} {turn}".encode() for turn in range(5)]]
    assert {line.state for line in a.netstat()} <= {"TIME-WAIT"}


# ---- errors


def test_nobody_listens(stacks: Stacks) -> None:
    a, _ = stacks
    with pytest.raises(ConnectionRefusedError) as raised:
        a.create_connection(("b", 9))
    assert raised.value.errno == errno.ECONNREFUSED
    with a.socket() as s:
        assert s.connect_ex(("b", 9)) == errno.ECONNREFUSED
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0, "it was told"


def test_a_peer_that_resets(stacks: Stacks) -> None:
    client, server = connected(stacks)
    thread, found = in_a_thread(lambda: client.recv(1))
    until_it_waits(client)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    server.close()
    thread.join()
    assert isinstance(found[0], ConnectionResetError)
    with pytest.raises(BrokenPipeError):
        client.send(b"x")
    client.close()


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda s: s.recv(1), errno.ENOTCONN),
        (lambda s: s.send(b"x"), errno.EPIPE),
        (lambda s: s.shutdown(socket.SHUT_WR), errno.ENOTCONN),
        (lambda s: s.getpeername(), errno.ENOTCONN),
        (lambda s: s.accept(), errno.EINVAL),
        (lambda s: s.bind(("10.0.0.77", 0)), errno.EADDRNOTAVAIL),
        (lambda s: s.connect(("192.0.2.1", 1)), errno.ENETUNREACH),
        (lambda s: s.setsockopt(socket.SOL_SOCKET, "SO_RUBBISH", 1), errno.ENOPROTOOPT),
        (lambda s: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"vegas"), errno.ENOENT),
        (lambda s: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 0), errno.EINVAL),
        (lambda s: s.send(b"x", socket.MSG_OOB), errno.EOPNOTSUPP),
        (lambda s: s.sendmsg([b"x"]), errno.EOPNOTSUPP),
    ],
)
def test_what_cannot_be_has_its_errno(stacks: Stacks, act: Callable[[Socket], Any], error: int) -> None:
    with stacks[0].socket() as s:
        with pytest.raises(OSError) as raised:
            act(s)
        assert raised.value.errno == error


def test_what_is_not_supported_says_its_name(stacks: Stacks) -> None:
    a, _ = stacks
    with pytest.raises(OSError, match="address family"):
        a.socket(socket.AF_UNIX)
    with a.socket() as s:
        with pytest.raises(OSError, match="MSG_OOB"):
            s.recv(1, socket.MSG_OOB)
        with pytest.raises(socket.gaierror, match="'c' is no IPv4 address: write one; the names here are a, b"):
            s.connect(("c", 1))


def test_a_port_is_taken_until_it_is_given_back(stacks: Stacks) -> None:
    _, b = stacks
    with b.create_server(("", 80)), b.socket() as other, pytest.raises(OSError) as raised:
        other.bind(("", 80))
    assert raised.value.errno == errno.EADDRINUSE
    b.create_server(("", 80)).close()


def test_time_wait_holds_a_port_from_who_does_not_share_it(stacks: Stacks) -> None:
    a, b = stacks
    with b.create_server(("", 80)) as server, a.create_connection(("b", 80), timeout=30) as client:
        child, _ = server.accept()
        child.close()  # the first to close waits
        assert client.recv(1) == b""
    while not any(line.state == "TIME-WAIT" for line in b.netstat()):
        pass
    with b.socket() as other, pytest.raises(OSError):
        other.bind(("", 80))
    b.create_server(("", 80)).close()  # it sets SO_REUSEADDR


# ---- the end


def test_closing_the_stack_ends_calls_that_wait(stacks: Stacks) -> None:
    a, _ = stacks
    client, server = connected(stacks)
    thread, found = in_a_thread(lambda: client.recv(1))
    until_it_waits(client)
    a.close()
    thread.join()
    assert str(found[0]).endswith("the stack of a was closed")
    with pytest.raises(ConnectionResetError):  # the peer is not left in doubt
        server.recv(1)
    with pytest.raises(OSError, match="was closed"):
        a.socket()
    client.close()
    server.close()


def test_what_was_written_before_the_close_arrives(stacks: Stacks) -> None:
    a, _ = stacks
    client, server = connected(stacks)
    client.sendall(long_pattern(2_000_000))
    client.close()
    reader, found = in_a_thread(lambda: server.recv(3_000_000, socket.MSG_WAITALL))
    a.close(grace=30)
    reader.join()
    assert found == [long_pattern(2_000_000)]
    server.close()


def test_lingering_waits_for_the_peers_acknowledgement(stacks: Stacks) -> None:
    client, server = connected(stacks)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
    client.sendall(bytes(100_000))
    client.close()
    assert client._core.connection.snd_una >= client._core.connection.snd_max
    server.close()


class Faulty:
    """A device with a fault in its driver."""

    def __init__(self) -> None:
        self.inner = cable("eth0", "eth1")[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def transmit_long(self, *_: Any) -> bool:
        raise ZeroDivisionError("a bug")

    transmit = transmit_long


def test_a_fault_of_the_stack_reaches_who_waits_as_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: said.append(str(args.exc_value)))
    with LiveStack.on(Faulty(), "10.0.0.1/24", name="h1") as stack:
        with pytest.raises(OSError) as raised:
            stack.create_connection(("10.0.0.2", 80))
        assert raised.value.errno == errno.ENETDOWN
        assert raised.value.strerror == "the stack of h1 ended by a fault of its own: ZeroDivisionError: a bug"
        with pytest.raises(OSError, match="a bug"):
            stack.socket()
    assert said == ["a bug"], "the traceback is printed where the thread ended"


def test_a_socket_that_is_forgotten_is_closed(stacks: Stacks) -> None:
    client, server = connected(stacks)
    with pytest.warns(ResourceWarning, match="unclosed"):
        del client
    assert server.recv(1) == b""
    server.close()


def test_a_stack_is_not_used_before_it_runs() -> None:
    stack = LiveStack.on(loopback(), "127.0.0.1/8")
    with pytest.raises(OSError, match="use 'with'"):
        stack.socket()
    stack.close()


# ---- programs of the standard library


def test_the_standard_librarys_http_client_is_content(stacks: Stacks) -> None:
    a, b = stacks
    big = long_pattern(1_000_000)

    class Client(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = a.create_connection((self.host, self.port), 30)  # type: ignore[assignment]

    with b.create_server(("", 80)) as server:
        serve(server, answering(Pages({"/": big, "/small": b"small"})))
        client = Client("b", 80)
        for path, status, body in (("/small", 200, b"small"), ("/", 200, big), ("/none", 404, b"404 Not Found\n")):
            client.request("GET", path)
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (status, body)
        client.close()
        assert fetch(a, "b", "/small", timeout=30).body == b"small"


# ---- datagrams


def test_datagrams_keep_their_edges(stacks: Stacks) -> None:
    a, b = stacks
    with b.socket(type=socket.SOCK_DGRAM) as server, a.socket(type=socket.SOCK_DGRAM) as client:
        server.bind(("", 53))
        server.settimeout(30)
        client.settimeout(30)
        client.sendto(b"one", ("b", 53))
        client.sendto(bytes(5000), ("b", 53))
        data, sender = server.recvfrom(100)
        assert (data, sender[0]) == (b"one", "10.0.0.1")
        assert server.recv(10_000) == bytes(5000)
        server.sendto(b"back", sender)
        assert client.recvfrom(2) == (b"ba", ("10.0.0.2", 53)), "what does not fit is cut off"


def test_a_connected_datagram_socket_hears_of_a_closed_port(stacks: Stacks) -> None:
    with stacks[0].socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        client.connect(("b", 9))
        client.send(b"anybody?")
        with pytest.raises(ConnectionRefusedError):
            client.recv(10)
        with pytest.raises(OSError) as raised:
            client.send(bytes(70_000))
        assert raised.value.errno == errno.EMSGSIZE


def test_everybody_is_only_reached_on_purpose(stacks: Stacks) -> None:
    a, b = stacks
    with b.socket(type=socket.SOCK_DGRAM) as server, a.socket(type=socket.SOCK_DGRAM) as client:
        server.bind(("", 67))
        server.settimeout(30)
        with pytest.raises(PermissionError):
            client.sendto(b"x", ("255.255.255.255", 67))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.sendto(b"x", ("10.0.0.255", 67))
        assert server.recv(10) == b"x"
