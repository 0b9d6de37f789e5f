"""The kernel's own VXLAN devices: the ends of overlays on hosts and routers that run the kernel's stack."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import ip_address

from netlab.backend.mininet import rtnl
from netlab.topology.spec import PlanVtep

_NAME, _ADDRESS, _MTU, _LINKINFO = 3, 1, 4, 18
_ID, _LOCAL, _LEARNING, _PORT, _LOCAL6 = 1, 4, 7, 15, 17
_NEWNEIGH, _APPEND = 28, 0x800
_AF_BRIDGE, _FOREVER, _OWN = 7, 0xC0, 2
"""Address family; NUD_PERMANENT and NUD_NOARP; NTF_SELF: the device's own table."""
_DST, _LLADDR = 1, 2


def vxlan_messages(vtep: PlanVtep, kernel_name: str, index: int) -> Iterator[bytes]:
    """Make a VTEP that learns (RFC 7348), and tell it where to send what is for everybody."""
    options = rtnl.nested(
        2,
        rtnl.u32(_ID, vtep.vni),
        rtnl.attr(_LOCAL6 if ":" in vtep.local else _LOCAL, ip_address(vtep.local).packed),
        rtnl.attr(_LEARNING, b"\1"),
        rtnl.attr(_PORT, struct.pack("!H", vtep.port)),
    )
    info = rtnl.nested(_LINKINFO, rtnl.text(1, "vxlan"), options)
    mac, mtu = rtnl.attr(_ADDRESS, bytes.fromhex(vtep.mac.replace(":", ""))), rtnl.u32(_MTU, vtep.mtu)
    flags = rtnl.ACK | rtnl.CREATE | rtnl.EXCL
    yield rtnl.message(rtnl.NEWLINK, flags, rtnl.link_body(index), rtnl.text(_NAME, kernel_name), mac, mtu, info)
    for remote in vtep.remotes:
        body = struct.pack("=BxHiHBB", _AF_BRIDGE, 0, index, _FOREVER, _OWN, 0)
        to_all = (rtnl.attr(_LLADDR, bytes(6)), rtnl.attr(_DST, ip_address(remote).packed))
        yield rtnl.message(_NEWNEIGH, rtnl.ACK | rtnl.CREATE | _APPEND, body, *to_all)


def vni(info: dict[int, bytes]) -> int:
    """The VNI in what the kernel says of a device (its IFLA_LINKINFO); 0 when it is no VTEP."""
    return rtnl.number(rtnl.attributes(info.get(2, b"")).get(_ID)) if rtnl.string(info.get(1)) == "vxlan" else 0
