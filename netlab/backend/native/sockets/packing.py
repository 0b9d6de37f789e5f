"""Values of options as the bytes that the system call would give."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

_BYTES = ("state", "ca_state", "retransmits", "probes", "backoff", "options")
_WORDS = (
    "rto", "ato", "snd_mss", "rcv_mss", "unacked", "sacked", "lost", "retrans", "fackets",
    "last_data_sent", "last_ack_sent", "last_data_recv", "last_ack_recv",
    "pmtu", "rcv_ssthresh", "rtt", "rttvar", "snd_ssthresh", "snd_cwnd", "advmss", "reordering",
    "rcv_rtt", "rcv_space", "total_retrans",
)  # fmt: skip
TCP_INFO = struct.Struct("=8B24I")
"""The first 104 bytes of struct tcp_info (Linux include/uapi/linux/tcp.h)."""


def tcp_info(found: Mapping[str, int]) -> bytes:
    """struct tcp_info; what is not known here is 0."""
    head = [found.get(name, 0) & 0xFF for name in _BYTES]
    scales = found.get("snd_wscale", 0) | found.get("rcv_wscale", 0) << 4
    return TCP_INFO.pack(*head, scales, 0, *(min(found.get(name, 0), 0xFFFFFFFF) for name in _WORDS))


def packed(name: str, value: Any, size: int) -> bytes:
    """An option's value as bytes, at most ``size`` of them (0: all)."""
    if name == "TCP_INFO":
        whole = tcp_info(value)
    elif name == "SO_LINGER":
        whole = struct.pack("=ii", value >= 0, max(value, 0))
    elif isinstance(value, str):
        whole = value.encode().ljust(16, b"\0")  # TCP_CA_NAME_MAX
    else:
        whole = struct.pack("=i", value)
    return whole[: size or None]
