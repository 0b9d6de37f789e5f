"""Plays a script: its events in order, in virtual time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from netlab.packetdrill import asserts, commands
from netlab.packetdrill.blocking import Blocks, Done
from netlab.packetdrill.calls import Program
from netlab.packetdrill.compare import differences, text
from netlab.packetdrill.constants import Symbols
from netlab.packetdrill.parser import parse
from netlab.packetdrill.preprocess import DEFINED, preprocess
from netlab.packetdrill.returns import check_result
from netlab.packetdrill.script import (
    BadScript,
    Call,
    Code,
    Command,
    Datagram,
    Event,
    Icmp,
    Packet,
    Refused,
    Script,
    Time,
)
from netlab.packetdrill.settings import settings
from netlab.packetdrill.tcpinfo import tcp_info
from netlab.packetdrill.traffic import Traffic
from netlab.packetdrill.verdict import Failed, Verdict
from netlab.packetdrill.world import World

PATIENCE = 3600 * 1_000_000_000
"""ns that a packet without a time ("*") is waited for."""


class Player:
    """One run of one script."""

    def __init__(self, script: Script, system: str) -> None:
        self.script = script
        chosen = settings(script.options)
        self.tolerance, self.percent, self.stamp_tick = chosen.tolerance, chosen.percent, chosen.stamp_tick
        self.world = World(system, chosen.version, chosen.mtu)
        self.program = Program(self.world, Symbols(system))
        self.world.owned = self.program.rows
        self.traffic = Traffic(self.world)
        self.last = 0
        """When the last event was."""
        self.waiting: list[Waiting] = []
        self.exchange: list[str] = []
        self.world.watchers.append(self._look)

    # ---- the run -----------------------------------------------------------------------------

    def run(self) -> Verdict:
        """Play to the end."""
        event: Event | None = None
        try:
            for event in self.script.before + self.script.events:
                self._play(event)
            self._finish()
        except Failed as failed:
            line = event.line if event else 0
            return Verdict(
                "failed",
                self.script.name,
                getattr(failed, "line", 0) or line,
                failed.said,
                failed.expected,
                failed.came,
                tuple(self.exchange),
            )
        except Refused as refused:
            return Verdict(
                "refused", self.script.name, event.line if event else 0, f"{refused.what} is not played here"
            )
        return Verdict("passed", self.script.name)

    def _play(self, event: Event) -> None:
        action = event.action
        if isinstance(action, Packet) and not action.inbound:
            self._expect(event, action)
            return
        if event.time.kind != "any":
            start, _ = self._when(event.time)
            if start < self.world.now and start < self.last:
                raise Failed(f"time goes backwards to {start / 1e9:g} s")
            self.world.run_until(start)
        self.last = self.world.now
        self._do(event, action)

    def _when(self, time: Time) -> tuple[int, int]:
        base = self.last if time.kind == "relative" else 0
        return base + time.start, base + time.end

    def _do(self, event: Event, action: Any) -> None:
        if isinstance(action, Packet):
            self._note(f"< {event.text.removeprefix('<').strip()}")
            self.traffic.inject(action)
        elif isinstance(action, Call):
            self._call(event, action)
        elif isinstance(action, Command):
            try:
                commands.run(self.world, action.text)
            except commands.CommandFailed as failed:
                raise Failed(str(failed)) from None
        elif isinstance(action, Icmp):
            self._note(event.text)
            self.traffic.icmp(action)
        elif isinstance(action, Code):
            self._check(action)
        elif isinstance(action, Datagram):
            raise Refused("a UDP datagram")

    def _check(self, code: Code) -> None:
        under_test = self.program.under_test()
        if under_test is None:
            raise Failed("no socket is connected that the code could be about")
        asserts.check(code.text, {**self.program.symbols.table, **tcp_info(under_test)})

    def _note(self, said: str) -> None:
        self.exchange.append(f"{self.world.now / 1e9:10.6f}  {said}")

    # ---- packets that must leave -------------------------------------------------------------

    def _expect(self, event: Event, want: Packet) -> None:
        start, end = self._when(event.time) if event.time.kind != "any" else (0, self.world.now + PATIENCE)
        tolerance = self._tolerance(start)
        if not self.world.run_until_sent(max(end + tolerance, self.world.now)):
            raise Failed("nothing was sent", text(want), "nothing")
        got, at = self.traffic.take(want)
        self._note(text(got) if at == self.world.now else f"{text(got)}   (sent at {at / 1e9:.6f})")
        ticks = self.tolerance // (self.stamp_tick * 1000) + 1 if self.stamp_tick else None
        wrong = differences(want, got, stamp_tolerance=ticks)
        if wrong:
            raise Failed(f"not the packet that must leave: {'; '.join(wrong)}", text(want), text(got))
        if event.time.kind != "any" and not start - tolerance <= at <= end + tolerance:
            raise Failed(
                f"the right packet, but at {at / 1e9:.6f} s instead of {start / 1e9:.6f} s",
                f"{text(want)} at {start / 1e9:.6f} ± {tolerance / 1e9:g} s",
                f"the same at {at / 1e9:.6f} s",
            )
        self.last = max(self.last, at) if event.time.kind != "absolute" else start

    def _tolerance(self, due: int) -> int:
        return max(self.tolerance, int(self.percent / 100 * max(due - self.last, 0)))

    # ---- calls -------------------------------------------------------------------------------

    def _call(self, event: Event, call: Call) -> None:
        if any(w.thread_is_busy for w in self.waiting):
            self._wait_for_calls()
        waiting = Waiting(event, call, self.world.now)
        self.waiting.append(waiting)
        self._note(event.text)
        self._try(waiting)
        if waiting.done is None and call.ends is None:
            # It must return at once, but for the tolerance.
            limit = self.world.now + self.tolerance
            while waiting.done is None and self.world.now < limit and self.world.run_one(limit):
                pass
            if waiting.done is None:
                self.waiting.remove(waiting)
                raise Failed(f"{call.name}() blocks", event.text, "no return")

    def _look(self) -> None:
        for waiting in self.waiting:
            self._try(waiting)

    def _try(self, waiting: Waiting) -> None:
        if waiting.done is not None or waiting.trying:
            return
        waiting.trying = True
        try:
            waiting.done = self.program.call(waiting.call.name, waiting.call.args, waiting.call.result)
        except Blocks:
            return
        finally:
            waiting.trying = False
        waiting.returned = self.world.now
        self.waiting.remove(waiting)
        self._judge(waiting)

    def _judge(self, waiting: Waiting) -> None:
        call, done = waiting.call, waiting.done
        assert done is not None
        try:
            check_result(self.program.symbols, call, done)
            self._check_return_time(waiting)
        except Failed as failed:
            failed.line = waiting.event.line  # type: ignore[attr-defined]
            raise

    def _check_return_time(self, waiting: Waiting) -> None:
        if waiting.call.ends is None:
            return
        time = waiting.event.time
        due = waiting.call.ends + (waiting.began - time.start if time.kind == "relative" else 0)
        if abs(waiting.returned - due) > self.tolerance:
            said = f"{waiting.call.name}() returned at {waiting.returned / 1e9:.6f} s instead of {due / 1e9:.6f} s"
            raise Failed(said, waiting.event.text)

    def _wait_for_calls(self) -> None:
        limit = self.world.now + PATIENCE
        while self.waiting and self.world.run_one(limit):
            pass

    def _finish(self) -> None:
        """Calls that still block must return in the end."""
        while self.waiting:
            waiting = self.waiting[0]
            time = waiting.event.time
            assert waiting.call.ends is not None
            due = waiting.call.ends + (waiting.began - time.start if time.kind == "relative" else 0)
            self.world.run_until(due + self.tolerance)
            self._look()
            if waiting in self.waiting:
                raise Failed(f"{waiting.call.name}() never returns", waiting.event.text)


class Waiting:
    """A call that is under way."""

    def __init__(self, event: Event, call: Call, began: int) -> None:
        self.event, self.call, self.began = event, call, began
        self.done: Done | None = None
        self.returned = 0
        self.trying = False

    @property
    def thread_is_busy(self) -> bool:
        """The program has one thread for calls: a second call waits for the first."""
        return self.done is None


# ---- from outside --------------------------------------------------------------------------------


_LINUX = re.compile(r"net\.(?:ipv4|ipv6|core)\b|/proc/sys|defaults\.sh|set_sysctls")
_FREEBSD = re.compile(r"net\.inet6?\.|kern\.ipc\.|sockstat|tcpdrop")


def system_of(source: str) -> str:
    """Which system a script was written for, as its commands suggest; FreeBSD when nothing does."""
    return "linux" if _LINUX.search(source) and not _FREEBSD.search(source) else "freebsd"


def play(source: str, name: str = "script", *, system: str = "", defines: Mapping[str, str] | None = None) -> Verdict:
    """Read a script and play it. ``system`` is freebsd or linux; empty: as the script suggests.

    ``defines``: words of the script -> what they stand for.
    """
    try:
        system = system or system_of(source)
        script = parse(preprocess(source, DEFINED[system]), name, defines)
        return Player(script, system).run()
    except BadScript as bad:
        return Verdict("unreadable", name, bad.line, bad.said)
    except Refused as refused:
        return Verdict("refused", name, refused.line, f"{refused.what} is not played here")
