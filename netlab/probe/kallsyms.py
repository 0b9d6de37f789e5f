"""Places in the kernel's code -> stages of a host, by the names of its functions."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

ENDED_IN: dict[str, str] = {
    "icmp_rcv": "icmp.input",
    "ping_rcv": "icmp.input",
    "arp_process": "arp.input",
    "arp_rcv": "arp.input",
    "ip_rcv_core": "ip.input",
    "ip_rcv_finish_core": "ip.input",
    "ip_rcv_finish": "ip.input",
    "ip_rcv": "ip.input",
    "ip_local_deliver_finish": "ip.input",
    "ip_local_deliver": "ip.input",
    "ip_protocol_deliver_rcu": "ip.input",
    "ip_error": "ip.input",
    "ip_route_input_slow": "ip.input",
    "ip_forward": "ip.forward",
    "ip_forward_finish": "ip.forward",
    "ip_output": "ip.output",
    "ip_finish_output": "ip.output",
    "ip_finish_output2": "ether.output",
    "ip_fragment": "ip.output",
    "ip_do_fragment": "ip.output",
    "ip_rcv_options": "ip.input",
    "icmpv6_rcv": "icmp6.input",
    "ndisc_rcv": "nd.input",
    "ip6_rcv_core": "ip6.input",
    "ip6_rcv_finish": "ip6.input",
    "ipv6_rcv": "ip6.input",
    "ip6_input_finish": "ip6.input",
    "ip6_mc_input": "ip6.input",
    "ip6_protocol_deliver_rcu": "ip6.input",
    "ip6_pkt_drop": "ip6.input",
    "ip6_forward": "ip6.forward",
    "ip6_output": "ip6.output",
    "ip6_finish_output": "ip6.output",
    "ip6_finish_output2": "ether.output",
    "ndisc_error_report": "ether.output",
    "__udp6_lib_rcv": "udp.input",
    "udpv6_rcv": "udp.input",
    "udpv6_queue_rcv_one_skb": "udp.input",
    "__udp4_lib_rcv": "udp.input",
    "udp_rcv": "udp.input",
    "udp_queue_rcv_skb": "udp.input",
    "udp_queue_rcv_one_skb": "udp.input",
    "udp_unicast_rcv_skb": "udp.input",
    "__udp_enqueue_schedule_skb": "udp.input",
    "__udp4_lib_mcast_deliver": "udp.input",
    "udp_read_skb": "socket.deliver",
    "skb_consume_udp": "socket.deliver",
    "udp_recvmsg": "socket.deliver",
    "__skb_free_datagram_locked": "socket.deliver",
    "skb_free_datagram": "socket.deliver",
    "ping_recvmsg": "socket.deliver",
    "raw_recvmsg": "socket.deliver",
    "tcp_v4_rcv": "tcp.input",
    "tcp_v4_do_rcv": "tcp.input",
    "tcp_rcv_established": "tcp.input",
    "tcp_rcv_state_process": "tcp.input",
    "tcp_rcv_synsent_state_process": "tcp.input",
    "tcp_data_queue": "tcp.input",
    "tcp_conn_request": "tcp.input",
    "tcp_add_backlog": "tcp.input",
    "__netif_receive_skb_core": "ether.input",
    "unhandled_proto": "ether.input",
    "enqueue_to_backlog": "nic.rx",
    "br_handle_frame": "bridge.forward",
    "br_handle_frame_finish": "bridge.forward",
    "br_forward_finish": "bridge.forward",
    "br_dev_queue_push_xmit": "bridge.forward",
    "__br_forward": "bridge.forward",
    "br_flood": "bridge.forward",
    "neigh_resolve_output": "ether.output",
    "__neigh_event_send": "ether.output",
    "neigh_invalidate": "ether.output",
    "arp_error_report": "ether.output",
    "__dev_queue_xmit": "ifq",
    "__dev_xmit_skb": "ifq",
    "sch_direct_xmit": "ifq",
    "validate_xmit_skb": "ifq",
    "veth_xmit": "nic.tx",
    "dev_hard_start_xmit": "nic.tx",
}
"""The function in which the kernel let go of a packet, and the stage of netlab's graph that this is."""


class Places:
    """Ranges of addresses with the stage that each belongs to."""

    def __init__(self, ranges: Iterable[tuple[int, int, str]]) -> None:
        """``ranges``: (first address, one past the last, function's name)."""
        self._ranges = sorted(ranges)
        self._starts = [start for start, _, _ in self._ranges]

    def __bool__(self) -> bool:
        return bool(self._starts)

    def function(self, address: int) -> str:
        """The function at an address; "" where it is none of those in the table."""
        call = address - 1  # what is recorded is where the call returns to, perhaps the next function's first byte
        at = bisect_right(self._starts, call) - 1
        return self._ranges[at][2] if at >= 0 and call < self._ranges[at][1] else ""

    def stage(self, address: int) -> str:
        """The stage at an address, or ""."""
        return ENDED_IN.get(self.function(address), "")


_LINE = re.compile(
    rb"^([0-9a-f]+) [tT] (%s)(?:\.[\w.]+)?\n(?=([0-9a-f]+) )" % "|".join(ENDED_IN).encode(),
    re.MULTILINE,
)


def parse(text: bytes) -> Places:
    """The places of the table in the text of /proc/kallsyms, where each function ends at the next line's address."""
    found = ((int(start, 16), int(end, 16), name.decode()) for start, name, end in _LINE.findall(text))
    return Places((start, end, name) for start, end, name in found if start)


@lru_cache(maxsize=1)
def places() -> Places:
    """This kernel's places; none where it hides its addresses. Takes about 0.2 s, once a process."""
    try:
        return parse(Path("/proc/kallsyms").read_bytes())
    except OSError:
        return Places(())
