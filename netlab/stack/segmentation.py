"""The two stages around a device that does less than the stack would like: "gso" cuts, "gro" joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.stack.mbuf import Mbuf
from netlab.stack.offload import LIMITS, coalesce, lro, settle
from netlab.stack.stage import Hop, branching, drop, end, to, whole

if TYPE_CHECKING:
    from netlab.stack.host import Host


@branching("gso", to=("ifq", "vxlan.output"))
def gso(host: Host, m: Mbuf, now: int) -> list[Hop]:
    """Cut what is too long, and sum what is not summed yet, for a device that cannot: as late as can be."""
    ifp = m.ifp
    assert ifp is not None
    if m.offload is not None and m.offload.mtu:
        host.inet6.fragment_id = (host.inet6.fragment_id + 1) & 0xFFFFFFFF
    try:
        return [to(ifp.output, one) for one in settle(m, ifp, host.inet6.fragment_id)]
    except ValueError as refusal:
        return [drop(str(refusal), m)]


@whole("gro", to=("ether.input",))
def gro(host: Host, vector: list[Mbuf], now: int) -> list[Hop]:
    """Join the segments of a flow that came in one batch; the switches of the interface say how."""
    ifp = vector[0].rcvif
    assert ifp is not None
    frames, absorbed = lro(vector, ifp.lro or LIMITS) if ifp.joins == "lro" else coalesce(vector, host.udp_joined)
    return [to("ether.input", m) for m in frames] + [end(m) for m in absorbed]
