"""The kernel's policy routing is an oracle that nobody here wrote: it and our tables answer alike, 10,000 times."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from netlab.backend.mininet.arena import Arena
from netlab.backend.mininet.checks import problems
from netlab.stack.fib import FIBS, Fibs, Route
from netlab.stack.host import build_host
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Interface, Node, Plan, Rule, Table, Topology
from netlab.topology.spec import Route as WrittenRoute
from netlab.wire.address import format_ipv4, parse_ipv4

QUERIES = 10_000
NEIGHBOURS = ("10.0.1.1", "10.0.2.1", "10.0.3.1")
OWN = ("10.0.1.254", "10.0.2.254", "10.0.3.254")
MARKS = (0, 7, 9)
ANSWER = re.compile(r"^(\S+) (?:from \S+ )?(?:via (\S+) )?dev ([^ ~]+)")

Query = tuple[int, int, int, str]
"""(destination, mark, source, interface it came in by)."""
Answer = tuple[int, str] | None
"""(gateway, interface)."""


def some_routes(random: Random, n: int) -> tuple[WrittenRoute, ...]:
    """Prefixes that nest and touch: most lie in one of a few larger ones."""
    found: dict[str, WrittenRoute] = {}
    for _ in range(n):
        length = random.choice([8, 12, 16, 20, 23, 24, 24, 25, 28, 30, 31, 32])
        base = random.choice([20, 20, 20, random.randrange(11, 120)]) << 24 | random.getrandbits(24) & 0x0F3F0F
        prefix = f"{format_ipv4(base >> (32 - length) << (32 - length))}/{length}"
        found[prefix] = WrittenRoute(prefix, random.choice(NEIGHBOURS))
    return tuple(found.values())


def plan(random: Random) -> Plan:
    """r1 with three neighbours, a main table without a default, and three tables behind rules of every kind."""
    r1 = Node(
        "r1",
        "router",
        interfaces=tuple(Interface(f"eth{n}", (f"{OWN[n]}/24",)) for n in range(3)),
        routes=some_routes(random, 150),
        tables=tuple(Table(number, some_routes(random, 150)) for number in (101, 102, 300)),
        rules=(
            Rule(10, 101, source="10.0.1.0/24"),
            Rule(20, 0, source="10.0.2.0/24", mark=9),
            Rule(30, 102, mark=7),
            Rule(40, 300, iif="r1-eth2"),
            Rule(50, 101, mark=9),
        ),
    )
    links = tuple(cable(f"h{n + 1}", f"r1:eth{n}") for n in range(3))
    return resolve(Topology("oracle", (*several("h", 3), r1), links))


def queries(random: Random, made: Plan) -> list[Query]:
    """Half of the destinations at random, half at an edge of a prefix or inside it."""
    node = made.node("r1")
    prefixes = [r.prefix.split("/") for t in (node.routes, *(t.routes for t in node.tables)) for r in t]
    found: list[Query] = []
    while len(found) < QUERIES:
        address, length = random.choice(prefixes)
        first = parse_ipv4(address)
        size = 1 << (32 - int(length))
        near = random.choice([first, first + size - 1, first - 1, first + size, first + random.randrange(size)])
        dst = random.choice([near, random.randrange(11 << 24, 126 << 24)])
        if not 11 <= dst >> 24 < 126:
            continue  # what is local, loopback or multicast is no question for a table
        port = random.randrange(3)
        neighbour, own = parse_ipv4(NEIGHBOURS[port]), parse_ipv4(OWN[port])
        src, iif = random.choice([(0, ""), (own, ""), (neighbour, f"r1-eth{port}")])
        found.append((dst, random.choice(MARKS), src, iif))
    return found


def command(query: Query) -> str:
    dst, mark, src, iif = query
    said = f"route get {format_ipv4(dst)}"
    said += f" from {format_ipv4(src)}" if src else ""
    said += f" iif {iif}" if iif else ""
    return said + (f" mark {mark}" if mark else "")


def kernel_answers(arena: Arena, asked: list[Query], file: Path) -> list[Answer]:
    """In one batch; what fails is named by its line."""
    file.write_text("".join(command(query) + "\n" for query in asked))
    done = arena.command("r1", ["ip", "-oneline", "-force", "-batch", str(file)])
    failed = {int(line) for line in re.findall(r"Command failed \S+:(\d+)", done.stderr)}
    assert done.stderr.count("Network is unreachable") == len(failed), done.stderr[-500:]
    lines = iter(done.stdout.splitlines())
    return [None if number in failed else parsed(query, next(lines)) for number, query in enumerate(asked, start=1)]


def parsed(query: Query, line: str) -> Answer:
    match = ANSWER.match(line)
    assert match is not None and match[1] == format_ipv4(query[0]), line
    return parse_ipv4(match[2] or "0.0.0.0"), match[3]


def our_answer(fibs: Fibs, query: Query) -> Answer:
    dst, mark, src, iif = query
    route: Route | None = fibs.lookup(dst, mark=mark, src=src, iface=iif)
    return None if route is None else (route.gateway, route.interface)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_structure_answers_as_the_kernel_does(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    made = plan(random)
    for problem in problems(made):
        pytest.skip(str(problem))
    asked = queries(random, made)
    with Arena() as arena:
        arena.build(made)
        theirs = kernel_answers(arena, asked, tmp_path / "queries")
    assert 1000 < theirs.count(None) < 9000, "both kinds of answer must come"
    plain = build_host(made.node("r1"), made).fibs
    for name, structure in FIBS.items():
        tables = {number: structure(table.routes) for number, table in plain.tables.items() if number}
        fibs = Fibs(structure(plain.main.routes), tables, plain.rules)
        wrong = [q for q, answer in zip(asked, theirs, strict=True) if our_answer(fibs, q) != answer]
        assert not wrong, f"{name}: {command(wrong[0])}: {our_answer(fibs, wrong[0])}, and {len(wrong)} in all"
