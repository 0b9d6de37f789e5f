"""What the kernel's tracepoints say of a packet, as bare tuples: the form between the tracer and the joiner.

An event is ``(t, what, cpu, skb, at, n)``: CLOCK_MONOTONIC ns, one of the codes below, the core, the address of
the packet's buffer, and two values that depend on the code:

QUEUE, XMIT: the interface, and the frame's bytes with its header (a VLAN tag that travels beside it is not counted)
RECEIVE:     the interface, and the bytes without the header
CONSUME:     the place in the kernel's code where the packet ended well, and 0
KFREE:       the place in the kernel's code that dropped it, and the number of the reason
COPY:        0, and the bytes that a program took out of its socket
READY:       the IP protocol, and 0: the core's interrupt work put a packet into a socket (no address of it is told)
"""

from __future__ import annotations

from typing import Any

QUEUE, XMIT, RECEIVE, CONSUME, KFREE, COPY, READY = range(7)

Event = tuple[int, int, int, int, Any, int]

TRACEPOINTS = {
    "net/net_dev_queue": QUEUE,
    "net/net_dev_start_xmit": XMIT,
    "net/netif_receive_skb": RECEIVE,
    "skb/consume_skb": CONSUME,
    "skb/kfree_skb": KFREE,
    "skb/skb_copy_datagram_iovec": COPY,
    "sock/sk_data_ready": READY,
}
"""The tracepoints that are switched on, and the code each one's events get."""

OPTIONAL = frozenset(("skb/skb_copy_datagram_iovec", "sock/sk_data_ready"))
"""Those that a kernel may lack: less is seen of sockets then."""

HEADER = 14
"""Bytes of an Ethernet header: a frame is counted with it when it is queued and without it when it is received."""
