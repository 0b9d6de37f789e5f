"""What is left to be done with a packet, and where its headers stand."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from netlab.wire import ethernet, ipv4, tcp, udp
from netlab.wire.checksum import internet
from netlab.wire.vlan import TAGS

if TYPE_CHECKING:
    from netlab.stack.mbuf import Mbuf

U16, U32 = Struct("!H"), Struct("!I")
TCP_SUM_AT, UDP_SUM_AT = 16, 6
"""Where a header holds its checksum."""


class Offload(NamedTuple):
    """What is still to be done with a packet, or was done with it already."""

    segsz: int = 0
    """It is to be cut into pieces with so much text each; 0: it is none that needs to be cut."""
    partial: bool = False
    """Its checksum field holds the pseudo header's sum only; the last one to send it adds the rest."""
    checked: bool = False
    """Its checksum was found right, or was never on a wire."""
    mtu: int = 0
    """It is a datagram that is to be cut into IP fragments of at most so many bytes; 0: it is not."""

    @property
    def trusted(self) -> bool:
        """Whether nobody needs to sum over it again."""
        return self.partial or self.checked

    @property
    def unfinished(self) -> bool:
        """Whether anything is left to be done before it may be on a wire."""
        return bool(self.segsz or self.partial or self.mtu)


class Places(NamedTuple):
    """Where the headers of a TCP segment or a UDP datagram stand in a frame."""

    l3: int
    l4: int
    text: int
    six: bool
    proto: int

    @property
    def sum(self) -> int:
        """Where the checksum stands."""
        return self.l4 + (TCP_SUM_AT if self.proto == ipv4.TCP else UDP_SUM_AT)


def ip_place(frame: bytes) -> tuple[int, bool] | None:
    """Where the IP header of a frame stands, behind its tags, and whether it is IPv6's; None for any other frame."""
    at = 12
    if len(frame) < 34:
        return None
    kind = frame[at] << 8 | frame[at + 1]
    while kind in TAGS and len(frame) >= at + 26:
        at += 4
        kind = frame[at] << 8 | frame[at + 1]
    return (at + 2, kind == ethernet.IPV6) if kind in (ethernet.IPV4, ethernet.IPV6) else None


def places(frame: bytes) -> Places | None:
    """The headers of a frame with a whole TCP segment or UDP datagram.

    None for any other frame, and for one that is a fragment, or has extension headers of IPv6.
    """
    ip = ip_place(frame)
    found = packet_places(frame, ip[0]) if ip is not None else None
    return found if ip is not None and found is not None and found.six == ip[1] else None


def packet_places(data: bytes, l3: int = 0) -> Places | None:
    """The same for what has an IP header at ``l3``."""
    if len(data) < l3 + ipv4.SIZE:
        return None
    six = data[l3] >> 4 == 6
    if six:
        if len(data) < l3 + 40:
            return None
        l4, proto = l3 + 40, data[l3 + 6]
    else:
        if data[l3] >> 4 != 4 or (data[l3 + 6] << 8 | data[l3 + 7]) & 0x3FFF:
            return None
        l4, proto = l3 + ((data[l3] & 15) << 2), data[l3 + 9]
    text = _text_at(data, l4, proto)
    return Places(l3, l4, text, six, proto) if text else None


def _text_at(data: bytes, l4: int, proto: int) -> int:
    """Where the text of a segment or datagram begins; 0 when it is none, or is cut short."""
    if proto == ipv4.TCP and len(data) >= l4 + tcp.SIZE:
        text = l4 + (data[l4 + 12] >> 4 << 2)
        return text if l4 + tcp.SIZE <= text <= len(data) else 0
    if proto == ipv4.UDP and len(data) >= l4 + udp.SIZE:
        return l4 + udp.SIZE if udp.SIZE <= data[l4 + 4] << 8 | data[l4 + 5] <= len(data) - l4 else 0
    return 0


def end_of(data: bytes | bytearray, at: Places) -> int:
    """Where the packet ends: behind it may be the padding of a short frame (IEEE 802.3-2018 §3.2.8)."""
    if at.six:
        return min(at.l4 + int.from_bytes(data[at.l3 + 4 : at.l3 + 6], "big"), len(data))
    return min(at.l3 + int.from_bytes(data[at.l3 + 2 : at.l3 + 4], "big"), len(data))


def pseudo(data: bytes | bytearray, at: Places) -> int:
    """The pseudo header's sum, of either version (see `wire.checksum`: any width may be added whole)."""
    first, width = (at.l3 + 8, 16) if at.six else (at.l3 + 12, 4)
    middle = first + width
    addresses = int.from_bytes(data[first:middle], "big") + int.from_bytes(data[middle : middle + width], "big")
    return addresses + at.proto + end_of(data, at) - at.l4


def say_length(made: bytearray, at: Places, number: int = 0) -> None:
    """Every length as it is; IPv4's identifier goes up by ``number``, and its header's checksum is right again."""
    if at.proto == ipv4.UDP:
        U16.pack_into(made, at.l4 + 4, len(made) - at.l4)
    if at.six:
        U16.pack_into(made, at.l3 + 4, len(made) - at.l4)
        return
    (ident,) = U16.unpack_from(made, at.l3 + 4)
    U16.pack_into(made, at.l3 + 2, len(made) - at.l3)
    U16.pack_into(made, at.l3 + 4, (ident + number) & 0xFFFF)
    U16.pack_into(made, at.l3 + 10, 0)
    U16.pack_into(made, at.l3 + 10, internet(made[at.l3 : at.l4]))


def summed(made: bytearray, at: Places) -> bytes:
    """With the transport's checksum over what is there; one of UDP that comes out as 0 is written as its other form."""
    U16.pack_into(made, at.sum, 0)
    value = internet(bytes(made[at.l4 : end_of(made, at)]), pseudo(made, at))
    U16.pack_into(made, at.sum, value or (0xFFFF if at.proto == ipv4.UDP else 0))
    return bytes(made)


def unsummed(data: bytes, at: Places) -> bool:
    """Whether its sender made no checksum, as UDP may over IPv4 (RFC 768)."""
    return at.proto == ipv4.UDP and data[at.sum : at.sum + 2] == b"\0\0"


def sound(m: Mbuf, at: Places) -> bool:
    """Whether nothing speaks against the checksum; the mbuf remembers that it was looked at."""
    if m.offload is not None and m.offload.trusted:
        return True
    data = m.data
    if unsummed(data, at):
        return not at.six
    if internet(data[at.l4 : end_of(data, at)], pseudo(data, at)):
        return False
    m.offload = Offload(checked=True)
    return True


def longest_frame(m: Mbuf) -> int:
    """The length of what the frame is on a wire: of the longest piece, where it is to be cut."""
    offload: Offload | None = m.offload
    if offload is None or not (offload.segsz or offload.mtu):
        return len(m.data)
    at = places(m.data)
    if at is None:
        return len(m.data)
    return min(len(m.data), at.l3 + offload.mtu if offload.mtu else at.text + offload.segsz)
