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
    from netlab.workload.spec import Outcome, Ping, UdpEcho

HELP = """h1 ping h2            one node pings another; -c COUNT, -s BYTES of payload, -t TTL
h1 udp h2             a datagram to an echo server and back; -c COUNT, -s BYTES of payload
{commands}nodes, links, routes  what there is
path, path 7          the way of the packet that says most; of packet 7
packets               every packet so far
help, exit"""

ANY_COMMAND = "h1 COMMAND …          any command on a node, as: h1 ip addr   (a node's name stands for its address)\n"

MOST = 99_999
"""Of packets, bytes and hops: more would take longer than anybody waits."""


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
        if self.worker and self.plan.node(node).stack == "kernel":
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

    def _workload(self, node: str, argv: list[str]) -> Ping | UdpEcho:
        from netlab.workload.spec import Ping, UdpEcho

        what, *rest = argv
        if what not in ("ping", "udp"):
            right = "it knows ping and udp; a kernel node with --backend mininet runs any command"
            raise BadInput(f"{node} has no program '{what}'", right=right)
        numbers = {"-c": 3, "-s": 56 if what == "ping" else 32, "-t": 64}
        target = ""
        words = iter(rest)
        for word in words:
            if word in numbers:
                numbers[word] = _number(word, next(words, ""))
            elif target or word.startswith("-"):
                raise BadInput(f"'{word}' is too much", right=f"as: {node} {what} -c 3 {self._another(node)}")
            else:
                target = word
        if not target:
            raise BadInput("nobody to send to", right=f"as: {node} {what} {self._another(node)}")
        if what == "ping":
            return Ping(node, target, count=numbers["-c"], size=numbers["-s"], ttl=numbers["-t"])
        return UdpEcho(node, target, count=numbers["-c"], size=numbers["-s"])

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
        for number, journey in found.items():
            way = way_of(log, journey, caused.get(number, ()))
            fate = f"dropped: {journey.ended}" if journey.ended and not way.copies else str(way)
            yield f"{number:>4}  {journey.said or '?'}   {fate}"


def _number(name: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text[:9]) <= MOST:
        what = "is out of range" if text.isdecimal() else "is no number"
        raise BadInput(f"{name} '{text}' {what}", right=f"it is a whole number from 1 to {MOST}")
    return int(text)


def told(outcome: Outcome) -> Iterator[str]:
    """The outcome, a line a request, and a last one that counts."""
    from netlab.units import format_time

    for reply in outcome.replies:
        said = {"answered": f"answered after {format_time(reply.rtt)}", "error": reply.said, "silence": "no answer"}
        yield f"{reply.seq:>4}  {said[reply.result]}"
    yield f"{outcome.answered} of {len(outcome.replies)} answered"
