"""`nlab up` in the simulated world: lines in, what the network does out."""

from __future__ import annotations

import io

import pytest

from netlab.backend.sim import SimBackend
from netlab.cli.main import main
from netlab.cli.prompt import Prompt
from netlab.cli.topo import plan_of
from netlab.errors import BadInput


@pytest.fixture
def prompt() -> Prompt:
    return Prompt(SimBackend().open(plan_of("line,1"), seed=1))


def test_one_node_pings_another(prompt: Prompt) -> None:
    lines = prompt.line("h1 ping h2 -c 2").splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("   1  answered after ")
    assert lines[2] == "2 of 2 answered"


def test_a_ping_whose_ttl_runs_out_says_who_said_so(prompt: Prompt) -> None:
    assert "1  time exceeded from 10.0.1.254" in prompt.line("h1 ping -c 1 -t 1 h2")


def test_a_ping_of_an_address_nobody_has_ends_without_an_answer(prompt: Prompt) -> None:
    assert prompt.line("h1 ping 10.0.1.77 -c 1").endswith("0 of 1 answered")


def test_a_datagram_comes_back(prompt: Prompt) -> None:
    assert prompt.line("h2 udp h1 -c 1").endswith("1 of 1 answered")


def test_bytes_are_poured_into_a_sink(prompt: Prompt) -> None:
    *flows, last = prompt.line("h1 bulk h2 200k -c 2").splitlines()
    assert [line[:22] for line in flows] == ["   1  200000 bytes in ", "   2  200000 bytes in "]
    assert last.startswith("2 of 2 went well, ")
    first, *packets = prompt.line("packets").splitlines()
    assert first.startswith("the last 200 of ")
    assert len(packets) == 200


def test_the_packets_and_their_ways_can_be_asked_for(prompt: Prompt) -> None:
    assert prompt.line("packets") == "there were no packets yet"
    prompt.line("h1 ping h2 -c 1")
    assert "h1 → r1 → h2" in prompt.line("packets")
    assert "the path of packet 1" in prompt.line("path 1")


def test_the_way_that_is_shown_is_of_what_somebody_sent() -> None:
    session = SimBackend().open(plan_of("star,4"), seed=1)
    for pkt, said, nodes in ((1, "ARP who has 10.0.1.2? tell 10.0.1.1", "h1 s1 h2 h3"), (2, "ICMP echo", "h1 s1 h2")):
        session.log.add((pkt, "packet", "h1", "", -1, pkt, (0, f"{said} ")))
        session.log.extend((pkt, "stage", node, "ether.input", 0, pkt, ("", 5)) for node in nodes.split())
    assert "the path of packet 2, ICMP echo" in Prompt(session).line("path")


def test_what_there_is_can_be_asked_for(prompt: Prompt) -> None:
    assert "r1-eth0" in prompt.line("nodes")
    assert "h1-eth0 ── r1-eth0" in prompt.line("links")
    assert "10.0.1.254" in prompt.line("routes")
    assert "h1 ping h2" in prompt.line("help")
    assert prompt.line("  # a remark") == ""


def test_exit_ends_it(prompt: Prompt) -> None:
    assert not prompt.over
    prompt.line("exit")
    assert prompt.over


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("h9 ping h1", "'h9' is no node and no command;"),
        ("h1", "what shall h1 do?; as: h1 ping"),
        ("h1 ping", "nobody to send to; as: h1 ping"),
        ("h1 ping h9", "'h9' is no node"),
        ("h1 ping h2 h2", "'h2' is too much"),
        ("h1 bulk h2 1M 2M", "'2M' is too much"),
        ("h1 bulk h2 much", "size 'muchB' is not a number"),
        ("h1 bulk h2 5G", "5G is out of range; from 1 byte to 1G"),
        ("h1 ping h2 -c x", "-c 'x' is no number"),
        ("h1 ping h2 -c 99999999", "-c '99999999' is out of range; it is a whole number from 1 to 99999"),
        ("h1 ping h2 -c " + "9" * 5000, "is out of range"),
        ("h1 ping h2 -x", "'-x' is too much"),
        ("h1 curl h2", "h1 has no program 'curl'"),
        ("h1 ping 'h2", "the line cannot be read"),
        ("path", "there were no packets yet"),
    ],
)
def test_a_wrong_line_says_what_would_be_right(prompt: Prompt, line: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        prompt.line(line)
    assert says in str(caught.value)


def test_where_nodes_have_programs_a_nodes_name_stands_for_its_address(prompt: Prompt) -> None:
    ran: list[tuple[str, list[str]]] = []

    def worker(node: str, argv: list[str]) -> int:
        ran.append((node, argv))
        return 7

    assert Prompt(prompt.session, worker).line("h1 ping -c 1 h2") == "(exit code 7)"  # type: ignore[arg-type]
    assert ran == [("h1", ["ping", "-c", "1", "10.0.2.1"])]


def test_lines_can_be_piped_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("h1 ping h2 -c 1\nexit\nh1 ping h2\n"))
    assert main(["up", "pair"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("pair is up in sim: 2 hosts, 1 link\n")
    assert said.count("1 of 1 answered") == 1


def test_a_piped_line_that_cannot_be_done_shows_in_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("h1 ping h9\nh1 ping h2 -c 1\n"))
    assert main(["up", "pair"]) == 2
    said = capsys.readouterr()
    assert "'h9' is no node" in said.err
    assert "1 of 1 answered" in said.out
