"""Cookies: of fast open (RFC 7413) on both sides, and of SYNs (RFC 4987 §3.6). Secrets are handed in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from netlab.stack.tcp.negotiation import COOKIE_SIZES
from netlab.stack.tcp.segment import Segment
from netlab.wire.tcp import Options

MSS_CLASSES = (216, 536, 1200, 1220, 1360, 1400, 1440, 1460)
NO_SCALE = 15


def digest(secret: bytes, numbers: Iterable[int]) -> int:
    """64 bits that nobody without the secret can foretell."""
    text = b"".join(number.to_bytes(16, "big") for number in numbers)
    return int.from_bytes(hashlib.blake2b(text, digest_size=8, key=secret).digest(), "big")


# ---- SYN cookies ---------------------------------------------------------------------------------


class Recalled(NamedTuple):
    """What a SYN cookie says of the SYN that it answered."""

    irs: int
    options: Options


def syn_cookie(secret: bytes, pair: tuple[int, ...], syn: Segment) -> int:
    """An initial sequence number that holds the peer's MSS class, window scale and SACK bit, under a hash."""
    said = syn.options
    mss = max((i for i, size in enumerate(MSS_CLASSES) if size <= (said.mss or 536)), default=0)
    scale = NO_SCALE if said.window_scale is None else min(said.window_scale, 14)
    held = mss << 5 | scale << 1 | said.sack_ok
    return (digest(secret, (*pair, syn.seq, held)) & 0xFFFFFF) << 8 | held


def recall(secret: bytes, pair: tuple[int, ...], ack: Segment) -> Recalled | None:
    """The SYN that an acknowledgement completes; None when its cookie is none of ours."""
    cookie, irs = (ack.ack - 1) % (1 << 32), (ack.seq - 1) % (1 << 32)
    held = cookie & 0xFF
    if (digest(secret, (*pair, irs, held)) & 0xFFFFFF) != cookie >> 8:
        return None
    scale = held >> 1 & 15
    stamps = ack.options.timestamps
    said = Options(
        mss=MSS_CLASSES[held >> 5],
        window_scale=None if scale == NO_SCALE else scale,
        sack_ok=bool(held & 1),
        timestamps=(stamps[0], 0) if stamps else None,
    )
    return Recalled(irs, said)


# ---- fast open -----------------------------------------------------------------------------------


class CookieJar:
    """A client's cookies, by peer. A peer that was asked in vain is not asked again."""

    def __init__(self) -> None:
        self._cookies: dict[int, bytes | None] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._cookies.clear()

    def option_for(self, peer: int) -> bytes | None:
        """What a SYN to a peer says: its cookie, an empty request, or nothing."""
        return self._cookies.get(peer, b"")

    def learn(self, peer: int, granted: bytes | None, data_taken: bool) -> None:
        """A SYN ACK answered a SYN that had a fast open option."""
        if granted is None:
            if not data_taken:
                self._cookies[peer] = None
        elif len(granted) in COOKIE_SIZES:
            self._cookies[peer] = granted if len(granted) % 2 == 0 else None


def server_cookie(secret: bytes, peer: int) -> bytes:
    """The cookie that a server grants to an address (RFC 7413 §4.1.2)."""
    return digest(secret, (peer,)).to_bytes(8, "big")
