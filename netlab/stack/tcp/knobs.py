"""What an administrator may set: one object a stack, with the defaults of two systems.

FreeBSD's and Linux's TCP differ in details that a script on the wire can see: the order of options, how a window is
rounded, when a timer first fires. Each such detail is a knob.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netlab.units import MS, SEC

Ecn = Literal[0, 1, 2]
"""0 never, 1 ask for it and grant it, 2 grant it."""


@dataclass(slots=True)
class Knobs:
    """Times in ns, sizes in bytes. Changing one changes what open connections do from then on."""

    system: str = "freebsd"
    # ---- options (RFC 9293 §3.2, 7323, 2018, 3168, 7413)
    window_scaling: bool = True
    timestamps: bool = True
    sack: bool = True
    ecn: Ecn = 2
    ecn_syn_retries: int = 1
    """How often a SYN that asks for ECN is sent again with the question (RFC 3168 §6.1.1.1)."""
    layout: Literal["freebsd", "linux"] = "freebsd"
    """The order of options and what pads them."""
    tolerate_missing_ts: bool = False
    """Take segments without the timestamps that were agreed on, against RFC 7323 §3.2."""
    syn_drops_options_after: int = 0
    """A SYN sent again for this many times goes without options; 0: never."""
    fast_open_client: bool = True
    fast_open_server: bool = False
    fast_open_any_cookie: bool = False
    """Take any cookie (FreeBSD's acceptany)."""
    fast_open_grants: bool = True
    """Whether a key is there to make cookies with."""
    nagle: Literal["classic", "minshall"] = "classic"
    """What a segment that is not full waits for: that nothing is in flight (RFC 9293 §3.7.4), or nothing that was not
    full either (draft-minshall-nagle-01; Linux), so that the rest of a message follows its full segments at once."""
    default_mss: int = 536
    default_mss_v6: int = 1220
    minimum_mss: int = 216
    # ---- buffers and windows
    receive_buffer: int = 65536
    send_buffer: int = 32768
    maximum_buffer: int = 2 * 1024 * 1024
    """What a window scale must be able to express (RFC 7323 §2.2)."""
    rounds_buffers: bool = True
    """Whether buffers grow to a multiple of the MSS once it is known (FreeBSD)."""
    initial_window: int = 10
    """Segments (RFC 6928)."""
    initial_threshold: int = 0
    """Bytes at which slow start ends at first, as a cache of routes may know it (RFC 9040 §8); 0: at the first loss."""
    # ---- acknowledging (RFC 9293 §3.8.6.3, RFC 5961)
    delayed_ack: int = 40 * MS
    """0: acknowledge everything at once."""
    quick_acks: int = 0
    """How many segments at the start of a connection are acknowledged at once (Linux)."""
    challenge_limit: int = 5
    challenge_period: int = 1 * SEC
    insecure_rst: bool = False
    insecure_syn: bool = False
    drop_synfin: bool = False
    blackhole: int = 0
    """Say nothing where no socket is: 1 to a SYN, 2 to anything, 3 nor where a listener expects something else."""
    icmp_may_reset: bool = True
    unreachable_ends_connect: bool = False
    """Whether any ICMP error ends an attempt to connect (Linux), and not only a hard one."""
    takes_ack_of_old: bool = True
    """Whether the acknowledgement of a segment that holds nothing new is looked at (BSD does)."""
    # ---- retransmission (RFC 6298, 5681, 6582, 6675, 8985)
    rto_initial: int = 1 * SEC
    rto_minimum: int = 30 * MS
    rto_slop: int = 200 * MS
    """Added to every timeout but the first (FreeBSD); 0 elsewhere."""
    rto_maximum: int = 64 * SEC
    rto_backs_off_minimum: bool = False
    retries: int = 12
    syn_retries: int = 12
    synack_retries: int = 3
    duplicate_threshold: int = 3
    limited_transmit: bool = True
    rack: bool = False
    tail_loss_probe: bool = False
    reorder_slop: int = 0
    """Added to RACK's timer (Linux: two ticks of its clock)."""
    congestion: str = "cubic"
    persist_minimum: int = 5 * SEC
    persist_maximum: int = 60 * SEC
    path_mtu_discovery: bool = True
    blackhole_detection: int = 0
    """Whether timeouts make segments smaller, in case an ICMP message about the MTU was lost (RFC 2923, RFC 4821)."""
    blackhole_mss: int = 1200
    blackhole_mss_v6: int = 1220
    # ---- closing
    msl: int = 30 * SEC
    fin_wait_2: int = 60 * SEC
    fast_fin_wait_2: bool = False
    """Whether FreeBSD waits only so long for a FIN; else as long as for the answers to all keepalive probes."""
    reset_on_unread: bool = False
    """Whether close with unread data resets (RFC 1122 §4.2.2.13, Linux)."""
    # ---- life signs
    keep_init: int = 75 * SEC
    keep_idle: int = 7200 * SEC
    keep_interval: int = 75 * SEC
    keep_count: int = 8
    # ---- listening
    syn_cookies: bool = False
    syn_cookies_only: bool = False
    backlog: int = 128
    # ---- TCP over UDP (RFC 6951 in spirit, FreeBSD)
    udp_port: int = 0
    udp_overhead: int = 0
    # ---- offload
    longest_segment: int = 0
    """Bytes of text that a segment may hold on its way through the host, to be cut later (GSO); 0: what fits."""


def freebsd() -> Knobs:
    """The defaults of FreeBSD 14's base stack."""
    return Knobs()


def linux() -> Knobs:
    """The defaults of Linux."""
    return Knobs(
        system="linux",
        layout="linux",
        fast_open_server=False,
        receive_buffer=131072,
        send_buffer=2 * 1024 * 1024,
        maximum_buffer=6 * 1024 * 1024,
        rounds_buffers=False,
        nagle="minshall",
        quick_acks=16,
        challenge_limit=1,
        challenge_period=500 * MS,
        unreachable_ends_connect=True,
        takes_ack_of_old=False,
        rto_minimum=200 * MS,
        rto_slop=0,
        rto_maximum=120 * SEC,
        retries=15,
        syn_retries=6,
        synack_retries=5,
        rack=True,
        reorder_slop=2 * MS,
        tail_loss_probe=True,
        persist_minimum=200 * MS,
        persist_maximum=120 * SEC,
        reset_on_unread=True,
        keep_init=0,
        keep_count=9,
        backlog=4096,
    )


SYSTEMS = {"freebsd": freebsd, "linux": linux}
