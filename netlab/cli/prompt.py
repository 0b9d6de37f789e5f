"""The prompt of `nlab up`: lines in, what the network does out. It knows nothing of terminals."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from netlab.cli import topo
from netlab.errors import BadInput
from netlab.topology.words import nearest

if TYPE_CHECKING:
    from netlab.backend.base import Session
    from netlab.trace.log import Log
    from netlab.workload.spec import Bulk, Outcome, Ping, UdpEcho

HELP = """h1 ping h2            one node pings another; -c COUNT, -s BYTES of payload, -t TTL
h1 udp h2             a datagram to an echo server and back; -c COUNT, -s BYTES of payload
h1 bulk h2 10M        a megabyte, or so many bytes, over TCP to a sink; -c COUNT of connections at once
{commands}nodes, links, routes  what there is
path, path 7          the way of the packet that says most; of packet 7
packets               every packet so far
help, exit"""

ANY_COMMAND = "h1 COMMAND …          any command on a node, as: h1 ip addr   (a node's name stands for its address)\n"

MOST = 99_999
"""Of packets, bytes and hops: more would take longer than anybody waits."""
LARGEST = 10**9
"""Bytes of a connection, for the same reason."""
SHOWN = 200
"""Packets that are listed: a bulk transfer has thousands."""
OURS = ("udp", "bulk")
"""Programs that every node has, with whatever stack; a ping of the kernel's own has options that ours has not."""


class Worker(Protocol):
    """Runs a command on a node to its end, its output going to the terminal; the exit code."""

    def __call__(self, node: str, argv: Sequence[str]) -> int: ...


class Prompt:
    """One open network. ``worker`` runs programs where nodes have any: in the Mininet world."""

    def __init__(self, session: Session, worker: Worker | None = None) -> None:
        self.session, self.worker = session, worker
        self.plan = session.plan
        self.over = False
        self._commands: dict[str, Callable[[list[str]], str]] = {
            "nodes": lambda _: topo.nodes_table(self.plan),
            "links": lambda _: topo.links_table(self.plan, every=True) if self.plan.links else "there are no links",
            "routes": lambda _: topo.routes_table(self.plan) or "there are no routes but those of the links themselves",
            "path": self._path,
            "packets": lambda _: "\n".join(self._packets()) or "there were no packets yet",
            "help": lambda _: HELP.format(commands=ANY_COMMAND if worker else ""),
            "exit": lambda _: self._end(),
            "quit": lambda _: self._end(),
        }

    @property
    def words(self) -> list[str]:
        """What a line may begin with: for completion, and for "did you mean"."""
        return [*(node.name for node in self.plan.nodes), *self._commands]

    def line(self, text: str) -> str:
        """What the line says, done; what is to be printed. BadInput says what would be right."""
        try:
            first, *rest = shlex.split(text, comments=True) or [""]
        except ValueError as error:
            raise BadInput(f"the line cannot be read ({error})", right="close the quotation") from error
        if first in self._commands:
            return self._commands[first](rest)
        if first in {node.name for node in self.plan.nodes}:
            return self._on(first, rest)
        if first:
            raise BadInput(f"'{first}' is no node and no command", right=nearest(first, self.words, "there are"))
        return ""

    def _end(self) -> str:
        self.over = True
        return ""

    # ---- on a node

    def _on(self, node: str, argv: list[str]) -> str:
        if not argv:
            raise BadInput(f"what shall {node} do?", right=f"as: {node} ping {self._another(node)}")
        if self.worker and self.plan.node(node).stack == "kernel" and argv[0] not in OURS:
            return self._run(self.worker, node, argv)
        workload = self._workload(node, argv)
        (outcome,) = self.session.run([workload])
        return "\n".join(told(outcome))

    def _another(self, node: str) -> str:
        return next((n.name for n in self.plan.nodes if n.addresses and n.name != node), "10.0.1.1")

    def _run(self, worker: Worker, node: str, argv: list[str]) -> str:
        addresses = {n.name: n.addresses[0] for n in self.plan.nodes if n.addresses}
        code = worker(node, [argv[0], *(addresses.get(word, word) for word in argv[1:])])
        return f"(exit code {code})" if code else ""

    def _workload(self, node: str, argv: list[str]) -> Ping | UdpEcho | Bulk:
        from netlab.workload.spec import Bulk, Ping, UdpEcho

        what, *rest = argv
        if what not in ("ping", *OURS):
            right = "it knows ping, udp and bulk; a kernel node with --backend mininet runs any command"
            raise BadInput(f"{node} has no program '{what}'", right=right)
        numbers = {"-c": 1 if what == "bulk" else 3}
        if what != "bulk":
            numbers |= {"-s": 56 if what == "ping" else 32, "-t": 64}
        example = f"as: {node} {what} -c 3 {self._another(node)}"
        target, *more = self._words(rest, numbers, example)
        if more[what == "bulk" :]:
            raise BadInput(f"'{more[-1]}' is too much", right=example)
        if what == "bulk":
            return Bulk(node, target, size=_size(more[0] if more else "1M"), flows=numbers["-c"])
        if what == "ping":
            return Ping(node, target, count=numbers["-c"], size=numbers["-s"], ttl=numbers["-t"])
        return UdpEcho(node, target, count=numbers["-c"], size=numbers["-s"])

    def _words(self, rest: list[str], numbers: dict[str, int], example: str) -> list[str]:
        """The words that are no option, at least one; options' numbers go into ``numbers``."""
        found = []
        words = iter(rest)
        for word in words:
            if word in numbers:
                numbers[word] = _number(word, next(words, ""))
            elif word.startswith("-"):
                raise BadInput(f"'{word}' is too much", right=example)
            else:
                found.append(word)
        if not found:
            raise BadInput("nobody to send to", right=example)
        return found

    # ---- what there is

    def _path(self, words: list[str]) -> str:
        from netlab.view.path import packet_path
        from netlab.view.render.terminal import render

        if not self._log().rows:
            raise BadInput("there were no packets yet", right=f"as: {self.plan.nodes[0].name} ping …")
        number = _number("path", words[0]) if words else None
        return render(packet_path(self.session.log, number))

    def _log(self) -> Log:
        """The log, once all that has happened is in it: a kernel's records come a moment later."""
        self.session.run([])
        return self.session.log

    def _packets(self) -> Iterator[str]:
        from netlab.trace.journey import journeys
        from netlab.view.branches import way_of
        from netlab.view.path import caused_by

        log = self._log()
        found = journeys(log)
        caused = caused_by(found)
        if len(found) > SHOWN:
            yield f"the last {SHOWN} of {len(found)} packets; path N tells of any"
        for number, journey in list(found.items())[-SHOWN:]:
            way = way_of(log, journey, caused.get(number, ()))
            fate = f"dropped: {journey.ended}" if journey.ended and not way.copies else str(way)
            yield f"{number:>4}  {journey.said or '?'}   {fate}"


def _number(name: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text[:9]) <= MOST:
        what = "is out of range" if text.isdecimal() else "is no number"
        raise BadInput(f"{name} '{text}' {what}", right=f"it is a whole number from 1 to {MOST}")
    return int(text)


def _size(text: str) -> int:
    """Bytes from "10M", "10MB" or "500"."""
    from netlab.units import parse_size

    octets = parse_size(text if text.endswith("B") else f"{text}B")
    if not 0 < octets <= LARGEST:
        raise BadInput(f"{text} is out of range", right="from 1 byte to 1G")
    return octets


def told(outcome: Outcome) -> Iterator[str]:
    """The outcome, a line a request or a connection, and a last one that counts."""
    from netlab.units import format_rate, format_time

    for n, flow in enumerate(outcome.flows, 1):
        yield f"{n:>4}  {flow.octets} bytes in {format_time(flow.ns)}: {flow.error or format_rate(round(flow.goodput))}"
    if outcome.flows:
        whole = sum(not flow.error for flow in outcome.flows)
        yield f"{whole} of {len(outcome.flows)} went well, {format_rate(round(outcome.goodput))} together"
        return
    for reply in outcome.replies:
        said = {"answered": f"answered after {format_time(reply.rtt)}", "error": reply.said, "silence": "no answer"}
        yield f"{reply.seq:>4}  {said[reply.result]}"
    yield f"{outcome.answered} of {len(outcome.replies)} answered"
