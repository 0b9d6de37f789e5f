"""Right before a device: what it cannot cut or sum itself is cut and summed here, as late as can be."""

from __future__ import annotations

from netlab.stack.ifnet import Ifnet
from netlab.stack.mbuf import Mbuf
from netlab.stack.offload.cut import cut, cut_packet, finished, fragments
from netlab.stack.offload.places import Offload, longest_frame, packet_places, places, summed
from netlab.stack.stage import Hop, to
from netlab.wire import ipv4
from netlab.wire import vlan as tags


def onward(m: Mbuf, ifp: Ifnet) -> Hop:
    """To the interface's output: by way of "gso" where something is left to do that its device cannot.

    A VLAN hands long segments down whole, for the device that it lies on; a tunnel wraps only what can be on a wire.
    """
    offload: Offload | None = m.offload
    if offload is None or not offload.unfinished or ifp.output == "vlan.output" or _can(m, ifp, offload):
        return to(ifp.output, m)
    return to("gso", m)


def _can(m: Mbuf, ifp: Ifnet, offload: Offload) -> bool:
    """Whether the device does all that is left."""
    if ifp.below is not None or offload.mtu:
        return False
    at = places(m.data)
    if at is None:
        return True
    if offload.segsz:
        return ifp.cuts_tcp if at.proto == ipv4.TCP else ifp.cuts_udp
    return ifp.sums6 if at.six else ifp.sums4


def settle(m: Mbuf, ifp: Ifnet, ident: int = 0) -> list[Mbuf]:
    """The frames that a device can send: cut and summed here as far as it cannot do so itself.

    ``ident`` is the identification of IPv6 fragments. ValueError when the datagram cannot be cut so small.
    """
    offload: Offload | None = m.offload
    if offload is None or not offload.unfinished or _can(m, ifp, offload):
        return [m]
    if offload.segsz:
        return pieces(m, cut(m.data, offload.segsz))
    whole = finished(m.data) if offload.partial else m.data
    return pieces(m, fragments(whole, offload.mtu, ident) if offload.mtu else [whole])


def pieces(m: Mbuf, frames: list[bytes]) -> list[Mbuf]:
    """The first piece goes on with the journey of the whole; the others begin in it."""
    made = []
    for frame in frames[1:]:
        piece = m.copy()
        piece.data, piece.pkt, piece.parent, piece.offload = frame, 0, m.pkt, None
        made.append(piece)
    if m.charge is not None and m.offload is not None and m.offload.segsz:
        for one, charge in zip((m, *made), m.charge.cut(m.offload.segsz), strict=True):
            one.charge = charge
    m.data, m.offload = frames[0], None
    return [m, *made]


def fits(m: Mbuf, ifp: Ifnet) -> bool:
    """Whether a frame, or each of its pieces, is not too long for the interface (see `Ifnet.takes`)."""
    if m.offload is None:
        return ifp.takes(m.data)
    return longest_frame(m) <= ifp.mtu + (18 if tags.is_tagged(m.data) else 14)


def within(m: Mbuf, mtu: int) -> bool:
    """Whether a packet, from its IP header on, or each of its pieces, is at most ``mtu`` bytes."""
    size = len(m.data)
    if size <= mtu:
        return True
    offload: Offload | None = m.offload
    return offload is not None and bool(offload.segsz) and headers(m.data) + offload.segsz <= mtu


def headers(packet: bytes) -> int:
    """Bytes of IP, and TCP or UDP, header; the whole packet where that cannot be told."""
    at = packet_places(packet)
    return len(packet) if at is None else at.text


def cut_late(m: Mbuf, ifp: Ifnet, mtu: int) -> bool:
    """Whether a datagram that must become fragments of ``mtu`` bytes is left whole for "gso" to cut; it is then marked.

    Several datagrams in one are none.
    """
    offload: Offload | None = m.offload
    if not ifp.longest or (offload is not None and offload.segsz) or ifp.below is not None:
        return False
    m.offload = Offload(partial=offload is not None and offload.partial, mtu=mtu)
    return True


def pieces_of_packet(m: Mbuf) -> list[Mbuf]:
    """A packet that holds several, from its IP header on, as several; or it alone."""
    offload: Offload | None = m.offload
    if offload is None or not offload.segsz:
        return [m]
    return pieces(m, cut_packet(m.data, offload.segsz))


def unpartial(m: Mbuf) -> bytes:
    """A packet's bytes, from its IP header on, with the sum that was left to a device: nobody can add it later."""
    offload: Offload | None = m.offload
    if offload is None or not offload.partial:
        return m.data
    m.offload = None
    at = packet_places(m.data)
    return m.data if at is None else summed(bytearray(m.data), at)
