"""TCP_INFO: struct tcp_info of both systems, as far as a script may ask."""

from __future__ import annotations

from netlab.packetdrill.sockets import Socket
from netlab.stack.tcp.connection import Connection
from netlab.stack.tcp.sequence import WRAP
from netlab.stack.tcp.state import ESTABLISHED


def tcp_info(s: Socket) -> dict[str, int]:
    """struct tcp_info, as far as it is known here; times in µs."""
    c = s.connected
    options = c.timestamping | c.sack_ok << 1 | c.scaling << 2 | c.ecn << 3 | (c.fast_opened or _data_taken(c)) << 5
    mss = max(c.send_mss, 1)
    return {
        **dict.fromkeys(_ALWAYS_NONE, 0),
        "tcpi_state": _LINUX_STATES[int(c.state)] if c.knobs.system == "linux" else int(c.state),
        "tcpi_options": options,
        "tcpi_snd_wscale": c.snd_scale,
        "tcpi_rcv_wscale": c.rcv_scale,
        "tcpi_rto": c.rto.timeout // 1000,
        "tcpi_snd_mss": c.send_mss,
        "tcpi_rcv_mss": c.local_mss,
        "tcpi_rtt": c.rto.srtt // 1000,
        "tcpi_rttvar": c.rto.variance // 1000,
        "tcpi_snd_ssthresh": c.control.ssthresh // mss if c.knobs.system == "linux" else c.control.ssthresh,
        "tcpi_snd_cwnd": _window(c) // mss if c.knobs.system == "linux" else c.control.cwnd,
        "tcpi_unacked": len(c.board.segments),
        "tcpi_sacked": sum(x.sacked for x in c.board.segments),
        "tcpi_lost": sum(x.lost for x in c.board.segments),
        "tcpi_retransmits": c.retries,
        "tcpi_backoff": c.rto.backoff,
        "tcpi_ca_state": {"": 0, "fast": 3, "loss": 4}[c.recovery],
        "tcpi_snd_wnd": c.snd_wnd,
        "tcpi_min_rtt": c.rto.minimum_rtt // 1000,
        "tcpi_rcv_space": max(c.rcv_adv - c.rcv_nxt, 0),
        "tcpi_snd_nxt": (c.snd_nxt - c.iss) % WRAP,
        "tcpi_rcv_nxt": (c.rcv_nxt - c.irs) % WRAP,
        "tcpi_bytes_acked": c.delivered,
        "tcpi_retrans": sum(x.times > 1 for x in c.board.segments),
        "tcpi_probes": c.probes,
        "tcpi_reordering": c.knobs.duplicate_threshold,
        "tcpi_notsent_bytes": max(len(c.queue) - (c.snd_nxt - c.queue_start), 0),
    }


def _data_taken(c: Connection) -> bool:
    """Whether the SYN ACK acknowledged data that the SYN carried."""
    return bool(c.syn_data) and c.state >= ESTABLISHED and c.snd_una > c.iss + 1


def _window(c: Connection) -> int:
    """Linux lets the window reach over the segment that recovery begins with."""
    return max(c.control.cwnd, c.in_flight) if c.recovery == "fast" else c.control.cwnd


_ALWAYS_NONE = ("tcpi_fackets", "tcpi_last_ack_sent", "tcpi_toe_tid", "tcpi_snd_bwnd")
"""Fields that no system fills in."""
_LINUX_STATES = (7, 10, 2, 3, 1, 8, 4, 11, 9, 5, 6)
"""State -> Linux's number."""
