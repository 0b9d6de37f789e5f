"""What two SYNs agree on: MSS, window scale, timestamps, SACK, ECN, a cookie (RFC 9293 §3.7.1, 7323, 2018, 3168)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.tcp.options import MAXIMUM_SCALE
from netlab.stack.tcp.segment import Segment
from netlab.stack.tcp.sequence import unwrap
from netlab.wire.tcp import ACK, CWR, ECE, SYN

if TYPE_CHECKING:
    from netlab.stack.tcp.connection import Connection

COOKIE_SIZES = range(4, 17)
"""Bytes of a fast open cookie (RFC 7413 §4.1.1)."""


def learn(c: Connection, syn: Segment, *, passive: bool) -> None:
    """The peer's SYN came: what both want is agreed on."""
    said = syn.options
    _learn_mss(c, said.mss)
    c.scaling = c.scaling and said.window_scale is not None
    c.snd_scale = min(said.window_scale or 0, MAXIMUM_SCALE) if c.scaling else 0
    if not c.scaling:
        c.rcv_scale = 0
    c.timestamping = c.timestamping and said.timestamps is not None
    if c.timestamping and said.timestamps is not None:
        c.ts_recent, c.ts_recent_age = said.timestamps[0], c.now // 1_000_000
    c.sack_ok = c.sack_ok and said.sack_ok
    _learn_ecn(c, syn.flags, passive)
    if said.fast_open is not None and len(said.fast_open) in COOKIE_SIZES:
        c.granted_cookie = said.fast_open
    if c.carrier is not None:
        c.carrier.learn(c, syn)


def _learn_mss(c: Connection, offered: int | None) -> None:
    knobs = c.knobs
    default = knobs.default_mss if c.version == 4 else knobs.default_mss_v6
    c.send_mss = min(max(offered if offered else default, knobs.minimum_mss), c.local_mss)
    c.control.set_mss(c.send_mss)
    if knobs.rounds_buffers:
        c.receive_buffer = _rounded(c.receive_buffer, c)
        c.send_buffer = _rounded(c.send_buffer, c)


def _rounded(buffer: int, c: Connection) -> int:
    if buffer < c.send_mss:
        return buffer
    return min(-(-buffer // c.send_mss) * c.send_mss, max(c.knobs.maximum_buffer, buffer))


def _learn_ecn(c: Connection, flags: int, passive: bool) -> None:
    """RFC 3168 §6.1.1: a SYN asks with ECE and CWR, a SYN ACK grants with ECE alone."""
    if passive or not flags & ACK:
        c.ecn = c.knobs.ecn != 0 and flags & (ECE | CWR) == ECE | CWR
    else:
        c.ecn = c.ecn_asked and flags & (ECE | CWR) == ECE


def remember_window(c: Connection, segment: Segment, seq: int, ack: int) -> None:
    """SND.WND, and by which segment it was set; the window of a SYN is never scaled (RFC 7323 §2.2)."""
    window = segment.window if segment.flags & SYN else segment.window << c.snd_scale
    c.snd_wnd, c.snd_wl1, c.snd_wl2 = window, unwrap(c.rcv_nxt, seq), ack
    c.max_window = max(c.max_window, window)
