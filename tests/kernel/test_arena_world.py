"""The Mininet world as a backend: traffic of kernel hosts and of nodes that run our own stack, and its record."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from netlab.backend.mininet import MininetBackend, MininetSession
from netlab.backend.mininet.checks import problems
from netlab.errors import BadInput
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan, Topology
from netlab.units import MS, SEC
from netlab.workload.spec import Frames, Outcome, Ping, UdpEcho

LINE = resolve(Topology("line", (*several("h", 2), *several("r", 1, "router")), (cable("h1", "r1"), cable("r1", "h2"))))
H1, H2 = (LINE.node(name).addresses[0] for name in ("h1", "h2"))
NEAR = LINE.node("r1").addresses[0]


def running_ours(*nodes: str) -> Plan:
    """The line with our own stack on some nodes."""
    chosen = (replace(node, stack="netlab") if node.name in nodes else node for node in LINE.nodes)
    return replace(LINE, nodes=tuple(chosen))


def opened(plan: Plan, **settings: bool) -> MininetSession:
    for problem in problems(plan):
        pytest.skip(str(problem))
    return MininetBackend(**settings).open(plan)


@pytest.fixture(scope="module")
def line() -> Iterator[MininetSession]:
    with opened(LINE) as session:
        yield session


def fates(outcome: Outcome) -> list[tuple[str, str]]:
    return [(reply.result, reply.said) for reply in outcome.replies]


def test_frames_of_our_stack_end_where_nothing_else_happens() -> None:
    silent = Frames("h1", "h1-eth0", (bytes.fromhex("ffffffffffff0200000001008888") + bytes(46),), interval=300 * MS)
    with opened(running_ours("h1")) as session:
        assert session.run([silent])[0].workload == silent


def test_several_workloads_at_once_each_get_their_outcome(line: MininetSession) -> None:
    asked = [
        Ping("h1", "h2", count=3),
        Ping("h2", NEAR, count=2, start=20 * MS),
        Ping("h1", "h2", count=2, ttl=1),
        UdpEcho("h1", "h2", count=3),
        UdpEcho("h2", "h1", port=7007, size=1000),
        UdpEcho("h1", "10.0.1.77", timeout=100 * MS),
    ]
    outcomes = line.run(asked)
    assert [outcome.workload for outcome in outcomes] == asked
    expired = [("error", f"time exceeded from {NEAR}")] * 2
    answered = ("answered", "")
    assert [fates(outcome) for outcome in outcomes] == [
        [answered] * 3, [answered] * 2, expired, [answered] * 3, [answered], [("silence", "")],
    ]  # fmt: skip
    assert all(0 < reply.rtt < SEC for reply in outcomes[0].replies)


def test_errors_name_who_sent_them(line: MininetSession) -> None:
    line.command("r1", ["ip", "route", "add", "unreachable", "10.9.0.0/16"])
    nowhere = [Ping("h1", "10.9.9.9", count=2), UdpEcho("h1", "10.9.9.9", port=9, count=2)]
    told = [fates(outcome) for outcome in line.run(nowhere)]
    assert told == [[("error", f"host unreachable from {NEAR}")] * 2] * 2


def test_a_hundred_expired_pings_are_all_told(line: MininetSession) -> None:
    (outcome,) = line.run([Ping("h1", "h2", count=100, ttl=1, interval=2 * MS)])
    assert fates(outcome) == [("error", f"time exceeded from {NEAR}")] * 100


def test_the_log_has_the_packets_and_what_programs_said(line: MininetSession) -> None:
    before = len(line.log)
    line.run([Ping("h1", "h2", count=2)])
    rows = line.log.since(before)
    left = {row[3] for row in rows if row[1] == "wire.tx"}
    assert left == {interface.name for interface in LINE.interfaces()}
    said = [row[6][0] for row in rows if row[1] == "app"]
    assert [text.partition(":")[0] for text in said] == ["seq 1", "seq 2"]
    assert line.log.header.backend == "mininet" and line.log.header.clock == "monotonic"


def test_frames_go_out_as_they_are(line: MininetSession) -> None:
    frame = bytes.fromhex("ffffffffffff0200000001008888") + b"ready-made".ljust(46, b".")
    with line.arena.packet_socket("r1-eth0") as tap:
        tap.settimeout(5)
        (outcome,) = line.run([Frames("h1", "h1-eth0", (frame,))])
        assert outcome.replies == ()
        assert tap.recv(2048) == frame


@pytest.mark.parametrize("ours", [("r1",), ("h2",), ("h1",), ("h1", "r1", "h2")], ids="+".join)
def test_kernel_and_our_stack_understand_each_other(ours: tuple[str, ...]) -> None:
    with opened(running_ours(*ours)) as session:
        assert session.verify() == ()
        asked = [Ping("h1", "h2", count=3), Ping("h2", "h1"), UdpEcho("h1", "h2", count=3), UdpEcho("h2", "h1")]
        assert [outcome.answered for outcome in session.run(asked)] == [3, 1, 3, 1]
        (expired,) = session.run([Ping("h1", "h2", ttl=1)])
        assert fates(expired) == [("error", f"time exceeded from {NEAR}")]
        assert {row[3] for row in session.log.rows if row[1] == "wire.rx"} == {i.name for i in LINE.interfaces()}
        if "r1" in ours:
            stages = {row[3] for row in session.log.rows if row[1] == "stage" and row[2] == "r1"}
            assert {"ip.forward", "ip.input"} <= stages


def test_our_stack_s_kernel_stays_out_of_it() -> None:
    with opened(running_ours("h2"), watched=False) as session:
        assert "inet " not in session.command("h2", ["ip", "-4", "addr", "show", "dev", "h2-eth0"]).stdout
        assert "NOARP" in session.command("h2", ["ip", "link", "show", "dev", "h2-eth0"]).stdout


def test_a_slot_is_filled_where_our_stack_runs(line: MininetSession) -> None:
    with pytest.raises(BadInput, match=r"node 'r1' runs the kernel's stack, which has no slot 'forward'"):
        MininetBackend().open(LINE, slots={("r1", "forward"): lambda *_: []})


def test_wrong_names_are_told_before_anything_runs(line: MininetSession) -> None:
    for asked, sentence in (
        (Ping("h7", "h2"), "'h7' is no node; nodes are h1, h2, r1"),
        (Ping("h1", "h7"), "'h7' is no node"),
    ):
        with pytest.raises(BadInput, match=sentence):
            line.run([asked])
    with pytest.raises(BadInput, match="'h7' is no node"):
        line.command("h7", ["true"])


def test_an_interrupted_run_leaves_a_session_that_runs(line: MininetSession) -> None:
    previous = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            line.run([Ping("h1", "h2", count=1000, interval=100 * MS)])
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert line.run([Ping("h1", "h2")])[0].answered == 1
    assert line.command("h1", ["pgrep", "-x", "ping"]).stdout == ""


def test_those_who_know_mininet_find_their_way(line: MininetSession) -> None:
    assert "h1-eth0" in line.net.get("h1").cmd("ip a")
    assert line.net["h1"].pexec(f"ping -c 1 {H2}")[2] == 0
    assert (line.net["h1"].IP(), list(line.net)) == (H1, ["h1", "h2", "r1"])


def test_two_sessions_at_once_and_one_more_after_them() -> None:
    for _turn in range(2):
        with opened(LINE) as one, opened(LINE) as other:
            for session in (one, other):
                assert session.run([Ping("h1", "h2", count=2)])[0].answered == 2
            counts = [sum(row[1] == "wire.tx" and row[3] == "h1-eth0" for row in s.log.rows) for s in (one, other)]
            assert counts[0] and counts[1]


def test_closing_twice_is_closing_once() -> None:
    session = opened(LINE, watched=False)
    session.close()
    session.close()
