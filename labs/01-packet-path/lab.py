"""Lab 01: the path of a packet, inside hosts and between them; the student builds a router's forwarding stage."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from netlab.experiment.passages import Passage, passages
from netlab.experiment.result import Result
from netlab.experiment.spec import Experiment
from netlab.lab.check import Check, Need, Results, Verdict
from netlab.lab.exercise import Exercise
from netlab.lab.experiment import LabExperiment
from netlab.lab.lab import Lab
from netlab.lab.rhythm import Knob, Prediction, Question, WhatIf
from netlab.lab.variant import Variant
from netlab.sim.rng import Stream, Streams
from netlab.stack.fib import Route as StackRoute
from netlab.stack.forward import Forward
from netlab.stack.host import build_host
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Interface, Link, Node, Plan, Route, Topology
from netlab.units import MS, US
from netlab.wire import ethernet, icmp, ipv4
from netlab.wire.address import format_ipv4, parse_ipv4, parse_mac
from netlab.wire.checksum import internet
from netlab.workload.spec import Frames, Ping

ROUTER = "r1"
NOWHERE = "198.51.100.7"  # of RFC 5737, for documentation: no route leads there


def variant(rng: random.Random) -> Mapping[str, Any]:
    """Numbers that differ between students: the network 10.<site>, the last bytes of its subnets, who pings whom."""
    subnets = rng.sample(range(1, 120), 4)
    return {
        "site": rng.randrange(1, 250),
        "subnets": tuple(subnets),
        "host": rng.randrange(2, 100),
        "size": rng.randrange(40, 120),
        "ttl": rng.randrange(8, 65),
    }


def network(v: Variant) -> Topology:
    """Two hosts on a switch, a router between three subnets, and a second router with a host behind it.

    The router's table holds a short prefix that covers everything and longer ones that cover parts of it, so that
    which route is chosen can be seen.
    """
    site, host = v["site"], v["host"]
    lan, near, between, far = (f"10.{site}.{n}" for n in v["subnets"])
    return Topology(
        "packet-path",
        (
            Node("h1", interfaces=(Interface("h1-eth0", (f"{lan}.{host}/24",)),)),
            Node("h2", interfaces=(Interface("h2-eth0", (f"{lan}.{host + 1}/24",)),)),
            Node("s1", "switch"),
            Node(
                ROUTER,
                "router",
                "netlab",
                interfaces=(
                    Interface("r1-eth0", (f"{lan}.254/24",)),
                    Interface("r1-eth1", (f"{near}.254/24",)),
                    Interface("r1-eth2", (f"{between}.254/24",)),
                ),
                routes=(Route(f"10.{site}.0.0/16", f"{between}.253"),),
            ),
            Node("r2", "router", interfaces=(Interface("r2-eth0", (f"{between}.253/24",)),)),
            Node("h3", interfaces=(Interface("h3-eth0", (f"{near}.{host}/24",)),)),
            Node("h4", interfaces=(Interface("h4-eth0", (f"{far}.{host}/24",)),)),
        ),
        (
            Link(End("h1"), End("s1")),
            Link(End("h2"), End("s1")),
            Link(End("s1"), End(ROUTER)),
            Link(End(ROUTER), End("h3")),
            Link(End(ROUTER), End("r2")),
            Link(End("r2"), End("h4")),
        ),
    )


def crossing(v: Variant, seed: int) -> Experiment:
    """What is shown: h1 asks h4, behind two routers, and learns what a spent TTL does."""
    return Experiment(
        "crossing",
        "h1 pings h4 across a switch and two routers; a last ping leaves with a TTL of 1",
        network(v),
        (
            Ping("h1", "h4", count=3, interval=20 * MS, size=v["size"], ttl=v["ttl"]),
            Ping("h1", "h4", count=1, ttl=1, start=80 * MS),
        ),
        slots=((ROUTER, "forward"),),
    )


def trial(v: Variant, seed: int) -> Experiment:
    """What is judged: ordinary packets both ways, TTLs and checksums at the edge, a destination with no route."""
    rng = Streams(seed).stream("01-packet-path", "trial")
    topology = network(v)
    sizes = [rng.between(20, 400) for _ in range(4)]
    return Experiment(
        "trial",
        "packets of every kind through one router",
        topology,
        (
            Ping("h1", "h3", count=6, interval=100 * US, size=sizes[0], ttl=rng.between(3, 64)),
            Ping("h2", "h3", count=6, interval=100 * US, size=sizes[1], ttl=rng.between(3, 64)),
            Ping("h1", "h4", count=3, interval=1 * MS, size=sizes[2], ttl=rng.between(4, 64)),
            Ping("h4", "h2", count=3, interval=1 * MS, size=sizes[3], ttl=rng.between(4, 64)),
            Ping("h1", "h3", count=2, ttl=1, start=40 * MS),
            Ping("h2", "h4", count=2, ttl=1, start=50 * MS),
            Ping("h2", "h3", count=2, ttl=2, start=60 * MS),
            Ping("h1", NOWHERE, count=2, start=70 * MS),
            Frames("h1", "h1-eth0", tuple(edge_frames(resolve(topology), rng)), interval=200 * US, start=90 * MS),
            Frames("h2", "h2-eth0", tuple(burst(resolve(topology), rng)), start=110 * MS),
        ),
        slots=((ROUTER, "forward"),),
    )


EDGES = (0xFF42, 0xFF00, 0xFFFE, 0xFEFF, 0x0000, 0x0100, 0xFE00)
"""Header checksums before forwarding: the first three carry, the fourth comes out as zero."""


def edge_frames(plan: Plan, rng: Stream) -> Iterator[bytes]:
    """Echo requests from h1 to h3 whose identification is chosen so that the header checksum is an edge."""
    for wanted in EDGES:
        ttl = rng.between(5, 200)
        fields = {"src": _address(plan, "h1"), "dst": _address(plan, "h3"), "ttl": ttl}
        yield _frame(plan, "h1", _packet_with_checksum(wanted, **fields))


def burst(plan: Plan, rng: Stream) -> Iterator[bytes]:
    """Frames so close behind each other that the router finds several at once."""
    source, destination = _address(plan, "h2"), _address(plan, "h3")
    for n in range(24):
        message = icmp.echo_request(777, n, bytes(20))
        packet = ipv4.build(source, destination, ipv4.ICMP, message, ttl=rng.between(3, 60), id=4000 + n)
        yield _frame(plan, "h2", packet)


def _address(plan: Plan, node: str) -> int:
    return parse_ipv4(plan.node(node).addresses[0])


def _packet_with_checksum(wanted: int, *, src: int, dst: int, ttl: int) -> bytes:
    """An echo request whose header checksum is ``wanted``: the identification makes up the difference (RFC 1624)."""
    message = icmp.echo_request(778, wanted, bytes(24))
    zero = ipv4.header(src, dst, ipv4.ICMP, len(message), ttl=ttl, id=0)
    rest = (~internet(zero[:10] + b"\0\0" + zero[12:])) & 0xFFFF
    ident = ((~wanted & 0xFFFF) - rest) % 0xFFFF
    return ipv4.build(src, dst, ipv4.ICMP, message, ttl=ttl, id=ident)


def _frame(plan: Plan, sender: str, packet: bytes) -> bytes:
    source = plan.node(sender).interfaces[0]
    return ethernet.build(parse_mac(plan.interface("r1-eth0").mac), parse_mac(source.mac), ethernet.IPV4, packet)


# ---- what the router did, read from the records --------------------------------------------------


def crossings(result: Result) -> tuple[Passage, ...]:
    """Every passage of a packet through the router's forwarding stage, in order."""
    return passages(result.log, ROUTER, "ip.forward")


def name(packet: bytes) -> str:
    """A packet in a few words."""
    header = _header(packet)
    return f"the packet {format_ipv4(header.src)} → {format_ipv4(header.dst)} (IP id {header.id}, TTL {header.ttl})"


def _header(packet: bytes) -> ipv4.Header:
    header = ipv4.parse(packet)
    assert header is not None
    return header


def _routable(result: Result) -> list[Passage]:
    """Passages of packets that have a route, and a TTL so far from its end that nobody can take it for spent."""
    best = _best_route(result)
    return [c for c in crossings(result) if _header(c.before).ttl > 2 and best(_header(c.before).dst)]


def _best_route(result: Result) -> Callable[[int], StackRoute | None]:
    """The router's table as a function of the destination, by netlab's own longest match."""
    return build_host(result.plan.node(ROUTER), result.plan).fib.lookup


def _told(route: StackRoute, dst: int) -> str:
    """Where a route leads, in words."""
    return f"by {_prefix(route)} the neighbour is {format_ipv4(route.gateway or dst)}"


def _prefix(route: StackRoute) -> str:
    return f"{format_ipv4(route.prefix)}/{route.length}"


# ---- the judges ----------------------------------------------------------------------------------


KEPT = {
    "first word (version, service, length)": slice(0, 4),
    "identification or fragment offset": slice(4, 8),
    "protocol": slice(9, 10),
    "source address": slice(12, 16),
    "destination address": slice(16, 20),
    "payload": slice(20, None),
}
"""What a router leaves as it came: all but TTL and header checksum."""


def _wrong(c: Passage, said: str) -> Verdict:
    return Verdict(False, said, records=(c.record,))


def forwards(results: Results) -> Verdict:
    """Every packet with a TTL and a route leaves, and nothing in it has changed but TTL and header checksum."""
    for c in _routable(results["trial"]):
        if c.decided != "ether.output":
            why = f" ({c.reason})" if c.reason else ""
            return _wrong(c, f"{name(c.before)} came in by {c.came_by} and was not sent on{why}")
        for part, place in KEPT.items():
            if c.after is not None and c.after[place] != c.before[place]:
                return _wrong(c, f"{name(c.before)} left with another {part}, which belongs to its sender")
    return Verdict(True)


def lowers_ttl(results: Results) -> Verdict:
    """What leaves has lost one of its TTL."""
    for c in _left(results):
        was, became = _header(c.before).ttl, _header(c.after or b"").ttl
        if became != was - 1:
            said = f"left by {c.left_by} with TTL {became}; one less than {was} is {was - 1}"
            return _wrong(c, f"{name(c.before)} {said}")
    return Verdict(True)


def keeps_checksum(results: Results) -> Verdict:
    """What leaves has the header checksum that its header asks for."""
    for c in _left(results):
        after = c.after or b""
        was, became = _header(c.before).checksum, _header(after).checksum
        right = internet(after[:10] + b"\0\0" + after[12:20])
        if became != right:
            trap = "; ffff is zero in one's complement, and RFC 1624 asks for 0000" if right == 0 else ""
            changed = f"came with header checksum {was:04x} and left with {became:04x}"
            return _wrong(c, f"{name(c.before)} {changed}, where {right:04x} is right{trap}")
    return Verdict(True)


def chooses_next_hop(results: Results) -> Verdict:
    """What leaves goes out of the interface, and to the neighbour, of the longest prefix."""
    result = results["trial"]
    plan = result.plan
    best = _best_route(result)
    macs = {parse_mac(i.mac): i for i in plan.interfaces()}
    for c in _routable(result):
        dst = _header(c.before).dst
        route = best(dst)
        assert route is not None
        if c.left_by != route.interface:
            best_is = f"the longest prefix that covers it is {_prefix(route)}, by {route.interface}"
            return _wrong(c, f"{name(c.before)} left by {c.left_by or 'no interface'}; {best_is}")
        neighbour = route.gateway or dst
        if c.asked_for and c.asked_for != neighbour:
            nobody = f"was sent to {format_ipv4(c.asked_for)}, who is not on the wire of {route.interface}"
            return _wrong(c, f"{name(c.before)} {nobody}; {_told(route, dst)}")
        found = macs.get(c.to_mac)
        if c.after is not None and (found is None or format_ipv4(neighbour) not in _addresses(found.addresses)):
            who = found.name if found else c.to_mac.hex(":")
            return _wrong(c, f"{name(c.before)} went to {who} on {route.interface}; {_told(route, dst)}")
    return Verdict(True)


def _addresses(cidrs: tuple[str, ...]) -> list[str]:
    return [cidr.split("/")[0] for cidr in cidrs]


def answers_spent_ttl(results: Results) -> Verdict:
    """A packet with TTL 1 is answered by the address it came in by; one with TTL 2 goes on."""
    result = results["trial"]
    plan, answers = result.plan, _answers(result)
    for c in crossings(result):
        ttl = _header(c.before).ttl
        if ttl == 2 and c.decided != "ether.output":
            return _wrong(c, f"{name(c.before)} was not sent on; with TTL 2 it may cross one more router")
        if ttl > 1:
            continue
        if c.decided == "ether.output":
            return _wrong(c, f"{name(c.before)} came by {c.came_by} with its last TTL and was sent on")
        answer = answers.get(c.pkt)
        speaker = plan.interface(c.came_by).addresses[0].split("/")[0]
        if answer is None or answer[0] != icmp.TIME_EXCEEDED:
            return _wrong(c, f"{name(c.before)} came with its last TTL and was not answered with time exceeded")
        if format_ipv4(answer[1]) != speaker:
            came = f"came by {c.came_by}, which is {speaker}"
            return _wrong(c, f"{name(c.before)} {came}, and was answered by {format_ipv4(answer[1])}")
    return Verdict(True)


def _answers(result: Result) -> dict[int, tuple[int, int]]:
    """By packet: (ICMP type, source) of the message that the router made about it, as it left the router."""
    parents = {r.pkt: r.data[0] for r in result.log if r.kind == "packet" and r.node == ROUTER}
    found: dict[int, tuple[int, int]] = {}
    for record in result.log:
        if record.kind == "wire.tx" and record.node == ROUTER and record.pkt in parents:
            header = ipv4.parse(record.data[4], ethernet.SIZE)
            message = icmp.parse(record.data[4], ethernet.SIZE + 20)
            if header is not None and message is not None and message.is_error:
                found[parents[record.pkt]] = (message.type, header.src)
    return found


def admits_no_route(results: Results) -> Verdict:
    """What no route covers is not sent by any."""
    result = results["trial"]
    best, answers = _best_route(result), _answers(result)
    for c in crossings(result):
        told = answers.get(c.pkt, (0, 0))[0] == icmp.UNREACHABLE and c.decided != "ether.output"
        if best(_header(c.before).dst) is None and not told:
            went = f"was sent out of {c.left_by}" if c.left_by else "got no answer"
            nowhere = format_ipv4(_header(c.before).dst)
            return _wrong(c, f"{name(c.before)} {went}; no route covers {nowhere}, so the hop is no-route")
    return Verdict(True)


def unseen(results: Results) -> Verdict:
    """All of it once more, with numbers that nobody has seen."""
    judges = (forwards, lowers_ttl, keeps_checksum, chooses_next_hop, answers_spent_ttl, admits_no_route)
    return next((verdict for judge in judges if not (verdict := judge(results)).passed), Verdict(True))


def _left(results: Results) -> list[Passage]:
    return [c for c in crossings(results["trial"]) if c.after is not None]


def _at_least(n: int, what: str, of: Callable[[Result], int]) -> Need:
    return Need(f"{n} {what}", lambda results: of(results["trial"]) >= n)


SOME_CAME = _at_least(30, "packets that came to the forwarding stage", lambda r: len(crossings(r)))
SOME_LEFT = _at_least(20, "packets that left the router", lambda r: sum(c.after is not None for c in crossings(r)))
SOME_SPENT = _at_least(4, "packets with TTL 1", lambda r: sum(_header(c.before).ttl == 1 for c in crossings(r)))
SOME_LOST = _at_least(
    2, f"packets to {NOWHERE}", lambda r: sum(format_ipv4(_header(c.before).dst) == NOWHERE for c in crossings(r))
)
SEVERAL_AT_ONCE = _at_least(2, "packets at one time", lambda r: _largest_vector(r))


def _largest_vector(result: Result) -> int:
    """The most packets that the stage was given at once: their records follow each other without a gap."""
    largest = run = 0
    end = -1
    for record in result.log:
        if record.kind == "stage" and record.node == ROUTER and record.obj == "ip.forward":
            run = run + 1 if record.t == end else 1
            end = record.t + record.data[1]
            largest = max(largest, run)
    return largest


def _check(title: str, points: int, said: str, judge: Callable[[Results], Verdict], *needs: Need) -> Check:
    return Check(title, points, said, ("trial",), judge, needs=needs, after=("forwards",))


FORWARDS_NEEDS = (SOME_CAME, SEVERAL_AT_ONCE)
CHECKS = (
    Check("forwards", 2, "every packet with a TTL and a route is sent on, whole", ("trial",), forwards, FORWARDS_NEEDS),
    _check("ttl", 2, "a packet leaves with a TTL one less", lowers_ttl, SOME_LEFT),
    _check("checksum", 2, "a packet leaves with the right header checksum", keeps_checksum, SOME_LEFT),
    _check("next-hop", 2, "a packet leaves by the longest prefix, to its neighbour", chooses_next_hop, SOME_LEFT),
    _check("time-exceeded", 1, "the last TTL is answered, TTL 2 goes on", answers_spent_ttl, SOME_SPENT),
    _check("no-route", 1, "what no route covers is answered, not guessed away", admits_no_route, SOME_LOST),
)
UNSEEN = Check(
    "unseen",
    2,
    "all of it once more, with numbers that nobody has seen",
    ("trial",),
    unseen,
    needs=(SOME_CAME, SOME_LEFT, SOME_SPENT, SOME_LOST),
    after=tuple(check.name for check in CHECKS),
    hidden=True,
)


# ---- what the reader guesses, explains and turns -------------------------------------------------


def frames_before_answer(result: Result) -> str:
    """How many frames h1 put on its wire before the first echo reply reached it."""
    replies = {r.pkt for r in result.log if r.kind == "packet" and r.data[1].startswith("ICMP echo reply")}
    sent = 0
    for record in sorted(result.log, key=lambda r: r.t):
        if record.kind == "wire.rx" and record.node == "h1" and record.pkt in replies:
            break
        sent += record.kind == "wire.tx" and record.node == "h1"
    return str(sent)


def who_answers_ttl_1(result: Result) -> str:
    """The node that made the time exceeded message, if one did."""
    for record in result.log:
        if record.kind == "packet" and "time exceeded" in record.data[1]:
            return record.node
    return "nobody"


def is_the_wait(result: Result, index: int) -> Verdict:
    """The first packet's first visit to `ether.output` in r1."""
    record = result.log[index]
    visits = [
        i
        for i, r in enumerate(result.log)
        if r.kind == "stage" and r.obj == "ether.output" and r.node == ROUTER and r.pkt == record.pkt
    ]
    if record.node != ROUTER:
        return Verdict(False, f"that is on {record.node}; look inside {ROUTER}")
    if len(visits) < 2:
        return Verdict(False, "this packet passes ether.output once only: its neighbour was known")
    if index == visits[-1]:
        return Verdict(False, "this is the second time: the answer is there, and the packet goes on")
    if index not in visits:
        return Verdict(False, f"at {record.obj} it does not wait; which stage does it pass twice?")
    return Verdict(True, "it passes ether.output twice: in between, r1 asks by ARP who its next hop is")


def is_the_end(result: Result, index: int) -> Verdict:
    """Where the packet with TTL 1 was dropped."""
    record = result.log[index]
    if record.kind != "drop":
        return Verdict(False, f"here the packet is at {record.obj} and still alive")
    if "TTL" not in record.data[0]:
        return Verdict(False, f"this packet was dropped for another reason: {record.data[0]}")
    return Verdict(True, "r1 drops it before it looks up a route, and tells h1 so")


def turned(v: Variant, seed: int, *, ttl: int, size: int, delay: int, count: int) -> Experiment:
    """The crossing with other numbers: TTL, payload in bytes, delay between the routers in ms, pings."""
    base = network(v)
    links = tuple(
        Link(link.a, link.b, delay=delay * MS) if {link.a.node, link.b.node} == {ROUTER, "r2"} else link
        for link in base.links
    )
    topology = Topology(base.name, base.nodes, links)
    pings = (Ping("h1", "h4", count=count, interval=20 * MS, size=size, ttl=ttl),)
    return Experiment("what-if", "h1 pings h4 with your numbers", topology, pings, slots=((ROUTER, "forward"),))


LAB = Lab(
    slug="01-packet-path",
    title="The path of a packet",
    experiments={"crossing": LabExperiment(crossing), "trial": LabExperiment(trial)},
    exercises=(Exercise("forward", "forward(packets, routes, addresses) -> hops", Forward.__doc__ or ""),),
    checks=(*CHECKS, UNSEEN),
    predictions=(
        Prediction(
            "frames",
            "How many frames does h1 put on its wire before the answer to its first ping arrives?",
            ("1", "2", "3"),
            "crossing",
            frames_before_answer,
            "h1 knows h4's address, but not the link address of its router: it has to ask by ARP first.",
        ),
        Prediction(
            "last-ttl",
            "The last ping leaves h1 with a TTL of 1. Who answers?",
            ("s1", "r1", "h4", "nobody"),
            "crossing",
            who_answers_ttl_1,
            "A switch does not look at the TTL. The first router finds 1, may not send it on with 0, and says so.",
        ),
    ),
    questions=(
        Question(
            "wait",
            "Zoom into r1 and pick the step at which the first ping waits for its neighbour's link address.",
            "crossing",
            is_the_wait,
        ),
        Question("end", "Pick the step at which the journey of the ping with TTL 1 ends.", "crossing", is_the_end),
    ),
    what_if=WhatIf(
        "Turn the TTL down until the ping dies, and the delay up: what does a ping see of the path?",
        turned,
        (
            Knob("ttl", "TTL", 1, 8, 4),
            Knob("size", "payload (bytes)", 0, 1472, 56),
            Knob("delay", "delay r1-r2 (ms)", 0, 50, 5),
            Knob("count", "pings", 1, 10, 2),
        ),
    ),
    variant=variant,
)
