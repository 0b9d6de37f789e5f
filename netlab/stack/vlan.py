"""VLAN interfaces: tags off the frame on the way in, and on it again on the way out (IEEE 802.1Q-2018 §6.9, §9).

An interface carries one tag and lies on another interface, which may be a VLAN interface itself: so tags nest to any
depth and in any order (802.1Q in 802.1ad is the usual one). Each level is one more pass through the stage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import fits, onward
from netlab.stack.stage import Hop, drop, stage, to
from netlab.topology.spec import Tag
from netlab.wire import ethernet, vlan

if TYPE_CHECKING:
    from netlab.stack.host import Host

TPIDS: dict[Tag, int] = {"802.1Q": vlan.CTAG, "802.1ad": vlan.STAG}

TRAFFIC_CLASSES = (
    (0, 0, 0, 0, 0, 0, 0, 0),
    (0, 0, 0, 0, 1, 1, 1, 1),
    (0, 0, 0, 0, 1, 1, 2, 2),
    (0, 0, 1, 1, 2, 2, 3, 3),
    (0, 0, 1, 1, 2, 2, 3, 4),
    (1, 0, 2, 2, 3, 3, 4, 5),
    (1, 0, 2, 3, 4, 4, 5, 6),
    (1, 0, 2, 3, 4, 5, 6, 7),
)
"""For 1 to 8 transmit queues, the queue of each priority code point 0 to 7; a higher queue is more urgent
(IEEE 802.1Q-2018 table 8-5). With six queues or more, 1 (background) is served after 0 (best effort)."""


class VlanLink(NamedTuple):
    """What a VLAN interface lies on, the tag's VID and EtherType, and the priority (PCP) that it sends with."""

    parent: Ifnet
    vid: int
    tpid: int = vlan.CTAG
    pcp: int = 0
    output: str = "vlan.output"


def traffic_class(pcp: int, queues: int) -> int:
    """The transmit queue (0 the least urgent) of a priority code point, on a port with ``queues`` of them."""
    return TRAFFIC_CLASSES[min(max(queues, 1), 8) - 1][pcp]


def priority(m: Mbuf) -> int:
    """The priority code point in the outermost tag that the packet has or had; 0 without one."""
    return m.tags[0][1] >> 13 if m.tags else 0


@stage("vlan.input", to=("ether.input",))
def vlan_input(host: Host, m: Mbuf, now: int) -> Hop:
    """Take the outermost tag into the mbuf; the frame now comes in by the interface of its VLAN."""
    parent = m.rcvif
    popped = vlan.pop(m.data)
    assert parent is not None
    if popped is None:
        return drop("VLAN tag is cut short", m)
    tpid, tag, m.data = popped
    m.tags = (*m.tags, (tpid, tag.tci))
    if tag.vid == vlan.PRIORITY_ONLY:
        return to("ether.input", m)
    ifp = host.vlans.get((parent.name, tpid, tag.vid))
    if ifp is None:
        return drop(f"{_kind(tpid)} {tag.vid} is not known on {parent.name}", m)
    ifp.counters["ipackets"] += 1
    ifp.counters["ibytes"] += len(m.data)
    m.rcvif = ifp
    return to("ether.input", m)


@stage("vlan.output", to=("vlan.output", "vxlan.output", "gso", "ifq"))
def vlan_output(host: Host, m: Mbuf, now: int) -> Hop:
    """Put the interface's tag on, and hand the frame to what the interface lies on."""
    ifp = m.ifp
    assert ifp is not None and isinstance(ifp.below, VlanLink)
    link = ifp.below
    tci = vlan.tci(link.vid, link.pcp)
    m.data = vlan.push(m.data, link.vid, pcp=link.pcp, tpid=link.tpid)
    m.tags = ((link.tpid, tci), *m.tags)
    if link.parent.below is None and not fits(m, link.parent):
        return drop(too_long(m.data, link.parent), m)
    ifp.counters["opackets"] += 1
    ifp.counters["obytes"] += len(m.data)
    m.ifp = link.parent
    return onward(m, link.parent)


def too_long(frame: bytes, ifp: Ifnet) -> str:
    """Why a frame cannot leave by an interface: with the numbers."""
    tags = len(vlan.tags(frame))
    tagged = f" and {tags} VLAN tag{'s' if tags > 1 else ''}" if tags else ""
    payload = len(frame) - ethernet.SIZE - tags * vlan.SIZE
    return f"frame with {payload} bytes{tagged} is too long for {ifp.name}, whose MTU is {ifp.mtu}"


def _kind(tpid: int) -> str:
    return "VLAN" if tpid == vlan.CTAG else "service VLAN"
