"""Options on their way out: which ones a segment carries, and in which order their bytes stand."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING

from netlab.wire import tcp
from netlab.wire.tcp import NOP, Options, option

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection

_PAIR = Struct("!II")
_new = tuple.__new__  # a third of what the NamedTuple's own constructor takes
MAXIMUM_SCALE = 14


def scale_for(buffer: int) -> int:
    """The smallest shift with which a 16-bit window can express ``buffer`` bytes (RFC 7323 §2.2)."""
    shift = 0
    while shift < MAXIMUM_SCALE and 0xFFFF << shift < buffer:
        shift += 1
    return shift


def synchronising(c: Connection, *, answering: bool) -> Options:
    """The options of a SYN, or of the SYN ACK that answers one: an answer holds only what the peer offered."""
    stripped = bool(c.knobs.syn_drops_options_after) and c.retries >= c.knobs.syn_drops_options_after
    plain = stripped or c.no_options
    return Options(
        mss=c.local_mss,
        window_scale=c.rcv_scale if c.scaling and not plain else None,
        sack_ok=c.sack_ok and not plain,
        timestamps=(c.clock(), c.ts_recent if answering else 0) if c.timestamping and not plain else None,
        fast_open=None if plain else c.fast_open_option(answering),
        mptcp=() if plain or c.carrier is None else c.carrier.syn_options(c),
    )


def ordinary(c: Connection) -> Options:
    """The options of any other segment: timestamps, and SACK blocks while something is missing."""
    stamps = (c.clock(), c.ts_recent) if c.timestamping else None
    if not c.sack_ok or (not c.reassembly.runs and c.duplicate is None):
        return tcp.NONE if stamps is None else _new(Options, (None, None, False, (), stamps, None, (), ()))
    room = 3 if stamps else 4
    return Options(timestamps=stamps, sack=_blocks(c)[:room])


def _blocks(c: Connection) -> tuple[tuple[int, int], ...]:
    """Newest first; what came twice leads once (RFC 2018 §4, RFC 2883 §4)."""
    blocks = c.reassembly.blocks()
    if c.duplicate is not None:
        blocks.insert(0, c.duplicate)
        c.duplicate = None
    return tuple((left % tcp_wrap, right % tcp_wrap) for left, right in blocks)


tcp_wrap = 1 << 32


def size(said: Options, layout: str) -> int:
    """How many bytes the options take, padding and all."""
    return len(PACK[layout](said))


def pack_freebsd(said: Options) -> bytes:
    """MSS, window scale, SACK permitted, timestamps, SACK, fast open; aligned with NOP before, END behind."""
    out = bytearray()
    if said.mss is not None:
        out += option(tcp.MSS, said.mss.to_bytes(2, "big"))
    if said.window_scale is not None:
        _align(out, 2, 1)
        out += option(tcp.WINDOW_SCALE, bytes((said.window_scale,)))
    if said.sack_ok:
        _align(out, 2, 0)
        out += option(tcp.SACK_OK)
    if said.timestamps is not None:
        _align(out, 4, 2)
        out += option(tcp.TIMESTAMPS, _PAIR.pack(*said.timestamps))
    if said.sack:
        _align(out, 4, 2)
        out += option(tcp.SACK, b"".join(_PAIR.pack(*block) for block in said.sack[: (38 - len(out)) // 8]))
    if said.fast_open is not None and len(out) + 2 + len(said.fast_open) <= tcp.MAXIMUM_OPTIONS:
        out += option(tcp.FAST_OPEN, said.fast_open)
    for value in said.mptcp:
        out += option(tcp.MPTCP, value)
    for kind, value in said.other:
        out += option(kind, value)
    return bytes(out) + bytes(-len(out) % 4)


def _align(out: bytearray, step: int, rest: int) -> None:
    while len(out) % step != rest:
        out.append(NOP)


def pack_linux(said: Options) -> bytes:
    """As Linux sends them, padded with NOP."""
    return tcp.pack_options(said)


PACK: dict[str, Callable[[Options], bytes]] = {"freebsd": pack_freebsd, "linux": pack_linux}
