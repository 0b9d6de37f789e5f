"""What a bridge's port does with VLAN tags: which VLAN a frame belongs to, and how it leaves (802.1Q-2018 §6.9).

- An *access* port takes untagged and priority-tagged frames as its VLAN's, and sends them untagged.
- A *trunk* takes frames tagged with a VLAN that it carries, and untagged ones as its native VLAN's, if it has one.
- A *QinQ* port (802.1ad's customer network port) takes whatever comes, tags and all, as its service VLAN's; on a
  provider's trunk the service tag stands in front of the customer's.

The tag that said which VLAN it is lies in the mbuf while the frame is in the bridge.
"""

from __future__ import annotations

from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.vlan import TPIDS
from netlab.topology.spec import PortVlan
from netlab.wire import vlan

DEFAULT = PortVlan(access=1)
"""A port of which nothing is said, on a bridge with VLANs (802.1Q-2018 table 9-2: the default PVID is 1)."""


def classified(m: Mbuf, port: Ifnet) -> int | str:
    """The VLAN that a frame belongs to by the port it came in by, its tag moved into the mbuf; or why there is none."""
    rule = port.vlan or DEFAULT
    if rule.qinq:
        return _tunnelled(m, rule)
    tpid, untagged_vid = TPIDS[rule.tag], rule.access or rule.native
    tagged = m.data[12:14] == tpid.to_bytes(2, "big")
    popped = vlan.pop(m.data) if tagged else None
    if tagged and popped is None:
        return "VLAN tag is cut short"
    if popped is None:
        return _belongs(m, tpid, untagged_vid, 0, port)
    _, tag, inner = popped
    if tag.vid == vlan.PRIORITY_ONLY:
        m.data = inner
        return _belongs(m, tpid, untagged_vid, tag.tci, port)
    if rule.access:
        return f"frame tagged with VLAN {tag.vid} at the access port {port.name}"
    if tag.vid not in rule.trunk and tag.vid != rule.native:
        return f"VLAN {tag.vid} is not on the trunk {port.name}"
    m.data = inner
    return _belongs(m, tpid, tag.vid, tag.tci, port)


def _belongs(m: Mbuf, tpid: int, vid: int, tci: int, port: Ifnet) -> int | str:
    """The frame is in that VLAN, with the priority and drop eligibility of ``tci``."""
    if not vid:
        return f"untagged frame at the trunk {port.name}, which has no native VLAN"
    m.tags = ((tpid, tci & 0xF000 | vid),)
    return vid


def _tunnelled(m: Mbuf, rule: PortVlan) -> int:
    """Nothing is taken off; the service tag will carry the customer's priority (802.1ad §6.9.4's usual setting)."""
    customers = vlan.parse(m.data, 14) if vlan.is_tagged(m.data) else None
    tci = customers.tci & 0xF000 if customers is not None else 0
    m.tags = ((vlan.STAG, tci | rule.qinq),)
    return rule.qinq


def framed(m: Mbuf, port: Ifnet, vid: int) -> bytes | None:
    """The frame as it leaves by a port, None when its VLAN is not there. VLAN 0: a bridge without VLANs."""
    if not vid:
        return m.data
    rule = port.vlan or DEFAULT
    if vid in (rule.access, rule.qinq, rule.native):
        return m.data
    if vid not in rule.trunk:
        return None
    tci = m.tags[0][1]
    return vlan.push(m.data, vid, pcp=tci >> 13, dei=bool(tci & 0x1000), tpid=TPIDS[rule.tag])
