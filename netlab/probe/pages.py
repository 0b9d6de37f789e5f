"""Binary pages of a trace buffer -> events. Pure: bytes and the kernel's own format texts in, tuples out.

A page has a header (time stamp, number of bytes committed, two flags for lost events) and then records, each with
a word of type (5 bits) and time since the one before (27 bits): see the kernel's ring-buffer design,
Documentation/trace/ring-buffer-design.rst and include/linux/ring_buffer.h. About a million records a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct

from netlab.probe.event import CONSUME, COPY, KFREE, READY, TRACEPOINTS, Event

PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31
MISSED_EVENTS = 1 << 31
MISSED_STORED = 1 << 30
COMMITTED = (1 << 20) - 1

_FIELD = re.compile(r"field:([^;]+);\s*offset:(\d+);\s*size:(\d+);")
_SYMBOL = re.compile(r"\{ (\w+), \"([^\"]+)\" \}")
_u32 = Struct("=I").unpack_from
_u64 = Struct("=Q").unpack_from


@dataclass(frozen=True)
class Format:
    """Where a tracepoint's fields lie in its records, as ``events/*/*/format`` says."""

    number: int
    offsets: Mapping[str, int]
    sizes: Mapping[str, int]
    symbols: Mapping[int, str]
    """What the values of its symbolic field (a drop's reason) are called."""

    @classmethod
    def parse(cls, text: str) -> Format:
        """The format from the kernel's own text; ValueError when it is not one."""
        found = re.search(r"^ID: (\d+)$", text, re.MULTILINE)
        if found is None:
            raise ValueError("no 'ID:' line in a tracepoint's format")
        offsets, sizes = {}, {}
        for declaration, offset, size in _FIELD.findall(text):
            name = declaration.split()[-1].split("[")[0]
            offsets[name], sizes[name] = int(offset), int(size)
        symbols = {int(value, 0): name for value, name in _SYMBOL.findall(text)}
        return cls(int(found[1]), offsets, sizes, symbols)


class PageParser:
    """Turns pages into events. ``interfaces`` maps kernel names to plain ones; other devices' events are left out."""

    def __init__(self, formats: Mapping[str, Format], header_page: str, interfaces: Mapping[str, str]) -> None:
        """``formats`` by tracepoint ("net/net_dev_queue"), ``header_page`` the text of ``events/header_page``."""
        layout = {name: (int(offset), int(size)) for name, offset, size in _header_fields(header_page)}
        self.start, room = layout["data"]
        self.page_size = self.start + room
        self._commit_at = layout["commit"][0]
        self._interfaces = {kernel.encode(): plain for kernel, plain in interfaces.items()}
        self._readers: dict[int, Callable[[bytes, int, int, int], Event | None]] = {
            form.number: self._reader(TRACEPOINTS[name], form) for name, form in formats.items()
        }
        self.reasons: Mapping[int, str] = formats["skb/kfree_skb"].symbols if "skb/kfree_skb" in formats else {}
        self.tells_sockets = "sock/sk_data_ready" in formats
        """Whether it is told that a packet was put into a socket."""
        self.missed = 0
        """Pages that began after a gap, where the kernel did not say how long the gap was; else events missed."""

    def _reader(self, what: int, form: Format) -> Callable[[bytes, int, int, int], Event | None]:
        if what == READY:
            return _made_ready(form.offsets["common_flags"], form.offsets["protocol"])
        skb_at = form.offsets["skbaddr"]
        if what == COPY:
            return _copied(skb_at, form.offsets["len"])
        if what in (CONSUME, KFREE):
            return _freed(what, skb_at, form.offsets["location"], form.offsets.get("reason"))
        return _passed(what, skb_at, form.offsets["name"], form.offsets["len"], self._interfaces)

    def parse(self, page: bytes, cpu: int, out: list[Event]) -> int:
        """Append the events of one page of core ``cpu`` to ``out``, in order of time; the time of its last record."""
        now: int = _u64(page, 0)[0]
        (commit,) = _u32(page, self._commit_at)
        end = self.start + (commit & COMMITTED)
        if commit & MISSED_EVENTS:
            self.missed += _u64(page, end)[0] if commit & MISSED_STORED else 1
        at, readers, append = self.start, self._readers, out.append
        while at < end:
            (word,) = _u32(page, at)
            kind, delta = word & 31, word >> 5
            if kind == 0:  # the length stands in the next word
                length, body = _u32(page, at + 4)[0] - 4, at + 8
            elif kind < PADDING:
                length, body = kind * 4, at + 4
            elif kind == PADDING:
                if not delta:
                    break  # the rest of the page is empty
                now += delta  # an event that a filter threw away: the next one counts from its time
                at += 4 + _u32(page, at + 4)[0]
                continue
            else:
                rest = _u32(page, at + 4)[0] << 27 | delta
                # a full stamp has 59 bits; what is above comes from the page's own stamp
                now = now + rest if kind == TIME_EXTEND else (now >> 59 << 59) | rest
                at += 8
                continue
            now += delta
            read = readers.get(_u32(page, body)[0] & 0xFFFF)
            if read is not None:
                event = read(page, body, now, cpu)
                if event is not None:
                    append(event)
            at = body + length
        return now


def _header_fields(text: str) -> list[tuple[str, str, str]]:
    return [(declaration.split()[-1], offset, size) for declaration, offset, size in _FIELD.findall(text)]


IN_SOFTIRQ = 0x10
"""The bit of ``common_flags`` for work that an interrupt left for later: where packets are received."""


def _made_ready(flags_at: int, protocol_at: int) -> Callable[[bytes, int, int, int], Event | None]:
    def ready(page: bytes, body: int, t: int, cpu: int) -> Event | None:
        if not page[body + flags_at] & IN_SOFTIRQ:
            return None
        return (t, READY, cpu, 0, page[body + protocol_at], 0)  # its low byte: MPTCP's 262 alone has more

    return ready


def _copied(skb_at: int, len_at: int) -> Callable[[bytes, int, int, int], Event | None]:
    def copied(page: bytes, body: int, t: int, cpu: int) -> Event:
        return (t, COPY, cpu, _u64(page, body + skb_at)[0], 0, _u32(page, body + len_at)[0])

    return copied


def _freed(
    what: int, skb_at: int, location_at: int, reason_at: int | None
) -> Callable[[bytes, int, int, int], Event | None]:
    def consumed(page: bytes, body: int, t: int, cpu: int) -> Event:
        return (t, what, cpu, _u64(page, body + skb_at)[0], _u64(page, body + location_at)[0], 0)

    def dropped(page: bytes, body: int, t: int, cpu: int) -> Event:
        reason = _u32(page, body + (reason_at or 0))[0]
        return (t, what, cpu, _u64(page, body + skb_at)[0], _u64(page, body + location_at)[0], reason)

    return consumed if reason_at is None else dropped


def _passed(
    what: int, skb_at: int, name_at: int, len_at: int, interfaces: Mapping[bytes, str]
) -> Callable[[bytes, int, int, int], Event | None]:
    def passed(page: bytes, body: int, t: int, cpu: int) -> Event | None:
        place = _u32(page, body + name_at)[0]  # low half: offset in the record; high half: length with the NUL
        begin = body + (place & 0xFFFF)
        name = interfaces.get(page[begin : begin + (place >> 16) - 1])
        if name is None:
            return None
        return (t, what, cpu, _u64(page, body + skb_at)[0], name, _u32(page, body + len_at)[0])

    return passed
