"""A plan as a network of the kernel: what was asked for is in force, and when it no longer is, that is told."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from netlab.backend.mininet import MininetBackend
from netlab.backend.mininet.arena import Arena
from netlab.backend.mininet.checks import problems
from netlab.backend.mininet.verify import differences
from netlab.errors import Unavailable
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Plan, Topology

SHAPED = Topology(
    "shaped",
    (*several("h", 4), *several("s", 2, "switch"), *several("r", 1, "router")),
    (
        cable("h1", "s1", rate="10 Mbit/s", queue="20 packets"),
        cable("h2", "s1", rate="1 Gbit/s", queue="30 kB"),
        cable("s1", "s2", rate="7 Mbit/s"),
        cable("h3", "s2", queue="5 packets"),
        cable("s2", "r1"),
        cable("r1", "h4"),
    ),
)


def with_queues(plan: Plan, queues: int, mtu: int) -> Plan:
    """The plan with more queues and another MTU on every interface."""
    nodes = (
        replace(node, interfaces=tuple(replace(i, queues=queues, mtu=mtu) for i in node.interfaces))
        for node in plan.nodes
    )
    return replace(plan, nodes=tuple(nodes))


PLAN = with_queues(resolve(SHAPED), queues=3, mtu=1400)


@pytest.fixture(scope="module")
def shaped() -> Iterator[Arena]:
    for problem in problems(PLAN):
        pytest.skip(str(problem))
    with Arena() as arena:
        arena.build(PLAN)
        yield arena


@pytest.fixture
def fresh(shaped: Arena) -> Iterator[Arena]:
    """A network of its own, for a test that spoils it."""
    with Arena() as arena:
        arena.build(PLAN)
        yield arena


def said(arena: Arena) -> list[str]:
    return [str(problem) for problem in differences(PLAN, arena.state())]


def ping(arena: Arena, src: str, dst: str) -> bool:
    return arena.command(src, ["ping", "-c", "1", "-W", "2", PLAN.node(dst).addresses[0]]).ok


def test_everything_that_was_asked_for_is_in_force(shaped: Arena) -> None:
    assert said(shaped) == []


def test_iproute_says_so_too(shaped: Arena) -> None:
    show = {
        n: shaped.command(n.partition("-")[0], ["tc", "qdisc", "show", "dev", n]).stdout for n in ("h1-eth0", "h2-eth0")
    }
    assert "rate 10Mbit" in show["h1-eth0"] and "limit 20p" in show["h1-eth0"]
    assert "rate 1Gbit" in show["h2-eth0"] and "limit 30000b" in show["h2-eth0"]


def test_the_first_packet_of_a_fresh_network_crosses_every_switch(shaped: Arena) -> None:
    for _attempt in range(3):
        with Arena() as arena:
            arena.build(PLAN)
            done = arena.command("h1", ["ping", "-c", "1", "-W", "2", PLAN.node("h3").addresses[0]])
            assert done.ok and float(done.stdout.partition("time=")[2].split()[0]) < 500


def test_a_router_forwards_and_hosts_find_it(shaped: Arena) -> None:
    assert ping(shaped, "h1", "h4") and ping(shaped, "h4", "h2")


def test_a_rate_is_kept(shaped: Arena) -> None:
    # 60 frames of 1,400 bytes over 7 Mbit/s take 96 ms; a rate that is not in force takes next to nothing.
    count, size = 60, 1400
    script = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 7007)); print('ready', flush=True)\n"
        f"times = [(s.recv(2000), time.monotonic())[1] for _ in range({count})]; print(times[-1] - times[0])"
    )
    with shaped.start("h3", [sys.executable, "-I", "-S", "-c", script], timeout=20) as sink:
        lines = sink.lines()
        assert next(lines) == "ready"
        blast = (
            "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            f"for _ in range({count}): s.sendto(bytes({size - 28}), ('{PLAN.node('h3').addresses[0]}', 7007))"
        )
        assert shaped.command("h2", [sys.executable, "-I", "-S", "-c", blast]).ok
        took = float(next(lines))
    assert 0.9 * 0.094 < took < 3 * 0.094


@pytest.mark.parametrize(
    ("node", "change", "sentence"),
    [
        ("h1", "tc qdisc del dev h1-eth0 root", "h1-eth0: a rate of 10 Mbit/s"),
        ("s1", "tc qdisc change dev s1-eth1 root tbf rate 9mbit burst 1522 limit 9999", "s1-eth1: it has a rate of 9"),
        ("h3", "tc qdisc change dev h3-eth0 root pfifo limit 6", "h3-eth0: it has a queue of 6 packets, asked for was"),
        ("h4", "tc qdisc add dev h4-eth0 root pfifo limit 3", "h4-eth0: it has a queue of 3 packets, which was not"),
        ("h4", "ip link set dev h4-eth0 mtu 1300", "h4-eth0: its MTU is 1300, asked for was 1400"),
        ("h4", "ip link set dev h4-eth0 address 02:00:00:00:09:09", "h4-eth0: its MAC address is 02:00:00:00:09:09"),
        ("h4", "ip addr flush dev h4-eth0", "h4-eth0: its address 10.0.2.1/24 is missing"),
        ("h4", "ip addr add 10.9.9.9/8 dev h4-eth0", "h4-eth0: it has the address 10.9.9.9/8, which was not asked for"),
        ("h4", "ip link set dev h4-eth0 down", "h4-eth0: it is down"),
        ("h1", "ip route del default", "h1: the route to 0.0.0.0/0 by 10.0.1.254 is missing"),
        ("r1", "sysctl -w net.ipv4.ip_forward=0", "r1: its kernel does not forward"),
        ("s2", "bridge link set dev s2-eth1 state 0", "s2-eth1: its bridge port is disabled"),
        ("s2", "ip link set dev s2-eth1 nomaster", "s2-eth1: its bridge port is no part of a bridge"),
        ("s1", "ip link del dev s1-eth1", "h1-eth0: there is no such interface"),
    ],
)  # fmt: skip
def test_what_was_changed_behind_our_back_is_told(fresh: Arena, node: str, change: str, sentence: str) -> None:
    done = fresh.command(node, change.split())
    assert done.ok, done.stderr
    assert any(line.startswith(sentence) for line in said(fresh)), said(fresh)


def test_device_names_tell_arenas_apart_and_plain_ones_work(shaped: Arena, fresh: Arena) -> None:
    kernel = [set(arena.by_kernel_name()) for arena in (shaped, fresh)]
    assert not kernel[0] & kernel[1]
    for arena in (shaped, fresh):
        link = arena.command("h1", ["ip", "-o", "link", "show", "dev", "h1-eth0"]).stdout
        assert f"h1-eth0~{arena.suffix}" in link
    indexes = [device.index for device in shaped.devices.values()]
    assert len(set(indexes)) == len(indexes)


def test_what_one_arena_does_the_other_does_not_see(shaped: Arena, fresh: Arena) -> None:
    assert ping(fresh, "h1", "h3")
    fresh.command("h1", ["ip", "link", "set", "dev", "h1-eth0", "down"])
    assert not ping(fresh, "h1", "h3") and ping(shaped, "h1", "h3")


def test_without_anything_to_say_the_network_is_silent(shaped: Arena) -> None:
    with Arena() as arena:
        arena.build(PLAN)
        with arena.packet_socket("h3-eth0") as tap:
            tap.settimeout(0.3)
            with pytest.raises(TimeoutError):
                tap.recv(2048)


def test_what_the_kernel_lacks_is_told_before_anything_is_made(shaped: Arena) -> None:
    slow = resolve(Topology("slow", tuple(several("h", 2)), (cable("h1", "h2", delay="2 ms"),)))
    lacking = problems(slow)
    if not lacking:
        with MininetBackend(watched=False).open(slow) as session:
            assert session.verify() == ()
        return
    assert [(p.severity, p.where) for p in lacking] == [("refuse", "link h1-eth0 - h2-eth0")]
    with pytest.raises(Unavailable, match="its delay needs netem"):
        MininetBackend().open(slow)


EXEC = (
    "import sys; sys.path[:0] = {path!r}; from netlab.backend.mininet import attach, runs;"
    " sys.exit(attach.execute(runs.find(sys.argv[1]), sys.argv[2], sys.argv[3:]))"
)


def from_another_terminal(arena: Arena, node: str, *argv: str) -> list[str]:
    return [sys.executable, "-c", EXEC.format(path=sys.path), arena.run.name, node, *argv]


def test_from_another_process_with_pipes(shaped: Arena) -> None:
    command = from_another_terminal(shaped, "h1", "sh", "-c", "cat; ip -br link; echo err >&2; exit 5")
    done = subprocess.run(command, input="keys\n", capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (5, "err\n")
    assert done.stdout.startswith("keys\n") and "h1-eth0" in done.stdout


def test_a_capture_from_another_process_sees_packets(shaped: Arena) -> None:
    command = from_another_terminal(shaped, "h4", "tcpdump", "-n", "-l", "-c", "1", "-i", "h4-eth0", "icmp")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as capture:
        assert capture.stdout is not None and capture.stderr is not None
        while "listening on" not in capture.stderr.readline():
            assert capture.poll() is None
        assert ping(shaped, "h1", "h4")
        assert "ICMP echo request" in capture.stdout.readline()
        assert capture.wait(10) == 0


def read_until(fd: int, wanted: bytes) -> bytes:
    """What a terminal shows, up to some text."""
    seen = b""
    while wanted not in seen:
        assert select.select([fd], [], [], 10)[0], seen
        seen += os.read(fd, 4096)
    return seen


def test_on_a_terminal_keys_and_exit_codes_get_through(shaped: Arena) -> None:
    child, terminal = pty.fork()
    if child == 0:
        command = from_another_terminal(
            shaped, "h1", "sh", "-c", "trap 'echo caught' INT; echo set; read x; cat; exit 9"
        )
        os.execv(command[0], command)
    try:
        read_until(terminal, b"set")
        os.write(terminal, b"\x03")
        read_until(terminal, b"caught")
        os.write(terminal, b"\r\x04")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    finally:
        os.close(terminal)


def test_when_the_other_process_dies_its_command_does_too(shaped: Arena) -> None:
    command = from_another_terminal(shaped, "h1", "sh", "-c", "echo on; exec sleep 3001")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "on\n"
        other.kill()
    with shaped.start(
        "h1", ["sh", "-c", "while pgrep -f '^sleep 3001' >/dev/null; do sleep 0.01; done"], timeout=5
    ) as job:
        assert job.wait().ok
