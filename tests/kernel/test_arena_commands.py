"""Commands in the nodes of a real network: their ends, their limits, their output, and callers that give up."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from netlab.backend.mininet.arena import Arena
from netlab.backend.mininet.checks import problems
from netlab.backend.mininet.client import ArenaGone
from netlab.errors import BadInput
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Topology

PAIR = resolve(Topology("pair", tuple(several("h", 2)), (cable("h1", "h2"),)))


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    for problem in problems(PAIR):
        pytest.skip(str(problem))
    with Arena() as opened:
        opened.build(PAIR)
        yield opened


def in_arena(arena: Arena, text: str) -> list[str]:
    """The command lines of the arena's processes that hold a text."""
    listed = arena.command("h1", ["ps", "-eo", "args"]).stdout.splitlines()
    return [line for line in listed if text in line and "ps -eo" not in line]


def test_a_command_s_end_is_told_with_its_two_outputs_apart(arena: Arena) -> None:
    done = arena.command("h1", ["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (done.code, done.stdout, done.stderr, done.why, done.ok) == (7, "out\n", "err\n", "exited", False)


def test_a_command_that_a_signal_ended_says_which(arena: Arena) -> None:
    assert arena.command("h1", ["sh", "-c", "kill -TERM $$"]).code == -signal.SIGTERM


def test_a_command_reads_nothing(arena: Arena) -> None:
    assert arena.command("h1", ["cat"], timeout=5).ok


def test_each_node_sees_its_own_devices(arena: Arena) -> None:
    seen = {node: arena.command(node, ["ls", "/sys/class/net"]).stdout.split() for node in ("h1", "h2")}
    assert seen == {node: [f"{node}-eth0~{arena.suffix}", "lo"] for node in ("h1", "h2")}


def test_a_wrong_node_or_command_is_told_in_one_sentence(arena: Arena) -> None:
    with pytest.raises(BadInput, match="there is no node 'h9'; nodes are h1, h2"):
        arena.command("h9", ["true"])
    with pytest.raises(BadInput, match="h1: cannot run 'frobnicate'"):
        arena.command("h1", ["frobnicate"])


def test_a_time_limit_ends_everything_that_the_command_started(arena: Arena) -> None:
    # A child in the background, one that makes itself a session of its own, and one that forgets its parent.
    script = "sleep 1001 & setsid sleep 1001 & (setsid sleep 1001 &) ; sleep 1001"
    began = time.monotonic()
    done = arena.command("h1", ["sh", "-c", script], timeout=0.2)
    assert (done.code, done.why) == (-signal.SIGKILL, "limit")
    assert time.monotonic() - began < 2
    assert in_arena(arena, "sleep 1001") == []


def test_output_comes_while_the_command_runs(arena: Arena) -> None:
    read, write = os.pipe()
    try:
        job = arena.start("h1", ["bash", "-c", "echo first; read word <&{fd3}; echo $word"], fds=[read])
        lines = job.lines()
        assert next(lines) == "first"
        assert not job.ended
        os.write(write, b"second\n")
        assert list(lines) == ["second"]
        assert job.wait().ok
    finally:
        os.close(read)
        os.close(write)


def test_a_stream_that_is_left_ends_its_command(arena: Arena) -> None:
    with arena.start("h1", ["sh", "-c", "echo on; exec sleep 1002"]) as job:
        assert next(job.lines()) == "on"
    assert job.wait(5).why == "cancelled"
    assert in_arena(arena, "sleep 1002") == []


def test_a_command_that_never_stops_talking_is_ended(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlab.backend.mininet.command.OUTPUT_LIMIT", 1 << 20)
    done = arena.command("h1", ["yes"], timeout=30)
    assert done.why == "output"
    assert len(done.stdout) <= 1 << 20


def test_a_child_left_in_the_background_does_not_hold_its_parent_up(arena: Arena) -> None:
    began = time.monotonic()
    done = arena.command("h1", ["sh", "-c", "sleep 3 & echo done"], timeout=30)
    assert (done.stdout, done.why) == ("done\n", "exited")
    assert time.monotonic() - began < 2


def test_orphans_are_collected(arena: Arena) -> None:
    arena.command("h1", ["sh", "-c", "(sleep 0.01 &) ; (sleep 0.02 &)"])
    arena.command("h1", ["sleep", "0.1"])
    assert in_arena(arena, "<defunct>") == []


def test_two_callers_at_once_get_their_own_answers(arena: Arena) -> None:
    said: dict[int, str] = {}

    def ask(number: int) -> None:
        said[number] = arena.command(f"h{number % 2 + 1}", ["sh", "-c", f"sleep 0.0{9 - number}; echo {number}"]).stdout

    callers = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert said == {number: f"{number}\n" for number in range(8)}


class Stop(Exception):
    """Stands for a notebook's stop button: raised in the main thread, at a moment nobody chose."""


def interrupt_after(seconds: float) -> None:
    """Raise Stop in the main thread after some time."""

    def stop(_number: int, _frame: object) -> None:
        raise Stop

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)


@pytest.mark.parametrize("turn", range(20))
def test_an_interrupted_caller_leaves_the_channel_usable(arena: Arena, turn: int) -> None:
    try:
        interrupt_after(0.0002 + turn * 0.0004)
        while True:
            arena.command("h1", ["echo", "interrupted"])
    except Stop:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert arena.command("h1", ["echo", str(turn)]).stdout == f"{turn}\n"


def test_an_interrupt_while_waiting_ends_the_command(arena: Arena) -> None:
    previous = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    job = arena.start("h1", ["sh", "-c", "sleep 1003; echo late"])
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            job.wait()
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert job.wait(5).why == "cancelled"
    assert in_arena(arena, "sleep 1003") == []


def test_mininet_s_own_shell_keeps_its_variables(arena: Arena) -> None:
    assert arena.mininet("h1", "x=42; cd /").strip() == ""
    assert arena.mininet("h1", "echo $x in $(pwd)").strip() == "42 in /"
    assert f"h1-eth0~{arena.suffix}" in arena.mininet("h1", "ip -br link")


def test_a_packet_socket_of_a_node_works_outside(arena: Arena) -> None:
    with arena.packet_socket("h1-eth0") as ours, arena.packet_socket("h2-eth0") as theirs:
        frame = bytes.fromhex("ffffffffffff0200000001008888") + b"hello, out there"
        ours.send(frame)
        theirs.settimeout(5)
        assert theirs.recv(2048) == frame


def test_a_socket_opened_inside_speaks_from_inside(arena: Arena) -> None:
    address = PAIR.node("h2").addresses[0]
    with arena.open_socket("h2", socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind((address, 0))
        there.settimeout(5)
        port = there.getsockname()[1]
        with arena.open_socket("h1", socket.AF_INET, socket.SOCK_DGRAM) as here:
            here.sendto(b"ping", (address, port))
            assert there.recvfrom(100)[0] == b"ping"


def test_a_process_gets_the_descriptors_that_it_was_given(arena: Arena) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        arena.spawn("h2", ["bash", "-c", "ip -br link >&{fd3}"], [theirs.fileno()])
        theirs.close()
        ours.settimeout(5)
        assert b"h2-eth0" in ours.makefile("rb").read()


def test_after_it_was_closed_an_arena_says_so() -> None:
    with Arena() as arena:
        arena.build(PAIR)
        job = arena.start("h1", ["sleep", "1004"])
    assert job.wait(1).why == "gone"
    with pytest.raises(ArenaGone, match="closed"):
        arena.command("h1", ["true"])
    arena.close()
