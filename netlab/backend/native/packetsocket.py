"""An AF_PACKET socket with the virtio-net header: whole frames in and out, their checksums finished.

A kernel hands over frames whose checksum a device was to finish (CHECKSUM_PARTIAL); the header says where, so that is
done here (Linux include/uapi/linux/virtio_net.h). It takes the outermost VLAN tag off and tells it beside the frame
(include/uapi/linux/if_packet.h, tpacket_auxdata); here it is put in again, so that a frame is what was on the wire.
"""

from __future__ import annotations

import struct
from collections import deque

from netlab.stack.offload import Offload, Places, cut, finished, places
from netlab.wire import ipv4
from netlab.wire.checksum import internet
from netlab.wire.tcp import CWR
from netlab.wire.vlan import CTAG

SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = (
    263,
    8,
    15,
    23,
    1,
    1,
)
PACKET_FANOUT, FANOUT_HASH, FANOUT_UNIQUE = 18, 0, 0x2000
ETH_P_ALL = 3
BUFFER = 8 << 20
SIOCOUTQ = 0x5411
NEEDS_CHECKSUM = 1
VNET = struct.Struct("=BBHHHH")
"""struct virtio_net_hdr: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset."""
NOTHING_LEFT = bytes(VNET.size)
LARGEST = 65_536 + VNET.size
AUXDATA = struct.Struct("=IIIHHHH")
"""struct tpacket_auxdata: status, len, snaplen, mac, net, vlan_tci, vlan_tpid."""
VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6
ANCILLARY = 64
"""Bytes for one control message with that struct."""


GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, GSO_ECN = 0, 1, 4, 5, 0x80
DATA_VALID = 2
PAST_FLAGS = 13
"""Where in a TCP header the flags stand, from FIN to CWR."""


class SuperFrame(ValueError):
    """A frame that a device was to cut into segments, of a protocol that nobody here cuts."""


class PacketSocket:
    """One interface's frames. OSError when the interface is not there or privilege is missing."""

    def __init__(self, device: str) -> None:
        import socket

        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self._socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.bind((device, ETH_P_ALL))
        member = struct.pack("iHH8s", socket.if_nametoindex(device), PACKET_MR_PROMISC, 0, b"")
        self._socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, member)
        self._socket.setblocking(False)
        self._pieces: deque[bytes] = deque()

    def found_group(self) -> int:
        """Make a fanout group; its number, which the kernel chooses."""
        self._socket.setsockopt(SOL_PACKET, PACKET_FANOUT, (FANOUT_HASH | FANOUT_UNIQUE) << 16)
        return self._socket.getsockopt(SOL_PACKET, PACKET_FANOUT) & 0xFFFF

    def join_group(self, group: int) -> None:
        """Share what comes with the others of a group, by a hash of the flow."""
        self._socket.setsockopt(SOL_PACKET, PACKET_FANOUT, group | FANOUT_HASH << 16)

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def receive(self) -> bytes | None:
        """The next frame as on a wire, None when there is none: long segments come in pieces, checksums are whole.

        SuperFrame for one that nobody here can cut.
        """
        if self._pieces:
            return self._pieces.popleft()
        found = self.receive_long()
        if found is None:
            return None
        frame, offload = found
        if offload is None or not (offload.partial or offload.segsz):
            return frame
        if not offload.segsz:
            return finished(frame)
        self._pieces.extend(cut(frame, offload.segsz))
        return self._pieces.popleft()

    def receive_long(self) -> tuple[bytes, Offload | None] | None:
        """The next frame as the kernel has it, with what is still to be done; None when there is none."""
        try:
            data, beside, _, _ = self._socket.recvmsg(LARGEST, ANCILLARY)
        except BlockingIOError:
            return None
        frame = data[VNET.size :]
        return self._understood(VNET.unpack_from(data), frame, beside[0][2] if beside else b"")

    def _understood(self, header: tuple[int, ...], frame: bytes, auxdata: bytes) -> tuple[bytes, Offload | None]:
        flags, gso_type, _, segsz, start, offset = header
        at = places(frame) if flags & (NEEDS_CHECKSUM | DATA_VALID) or gso_type else None
        if gso_type and (at is None or gso_type & ~GSO_ECN != _kind(at)):
            raise SuperFrame
        offload = None
        if at is not None and flags & NEEDS_CHECKSUM and start == at.l4:
            offload = Offload(segsz if gso_type else 0, partial=True)
        elif flags & NEEDS_CHECKSUM:
            frame = finish_checksum(frame, start, offset)
        elif at is not None:
            offload = Offload(segsz if gso_type else 0, checked=True)
        return (with_tag(frame, auxdata) if auxdata else frame), offload

    def send(self, frame: bytes, offload: Offload | None = None) -> str:
        """Put a frame into the interface's queue; "" or why it does not go there."""
        header = NOTHING_LEFT if offload is None else left_to_do(frame, offload)
        try:
            self._socket.sendmsg((header, frame))
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            return _REFUSED[error.errno]
        return ""

    def waiting(self) -> int:
        """Bytes that were sent and have not left, as the kernel charges them to the socket (SIOCOUTQ)."""
        import fcntl

        (found,) = struct.unpack("i", fcntl.ioctl(self._socket, SIOCOUTQ, bytes(4)))
        return int(found)

    def buffer(self) -> int:
        """How many there may be."""
        import socket

        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)

    def close(self) -> None:
        """Free it."""
        self._socket.close()


def left_to_do(frame: bytes, offload: Offload) -> bytes:
    """The virtio-net header that leaves the checksum, and the cutting, of a segment or of datagrams to the kernel."""
    at = places(frame)
    if at is None or not offload.partial:
        return NOTHING_LEFT
    kind = GSO_NONE
    if offload.segsz and len(frame) - at.text > offload.segsz:
        kind = _kind(at)
        kind |= GSO_ECN if kind != GSO_UDP_L4 and frame[at.l4 + PAST_FLAGS] & CWR else 0
    return VNET.pack(NEEDS_CHECKSUM, kind, at.text, offload.segsz if kind else 0, at.l4, at.sum - at.l4)


def _kind(at: Places) -> int:
    """What the kernel calls the cutting of such a packet."""
    if at.proto == ipv4.UDP:
        return GSO_UDP_L4
    return GSO_TCPV6 if at.six else GSO_TCPV4


def with_tag(frame: bytes, auxdata: bytes) -> bytes:
    """The frame with the VLAN tag that the kernel took off it, if there was one."""
    status, _, _, _, _, tci, tpid = AUXDATA.unpack_from(auxdata)
    if not status & VLAN_VALID:
        return frame
    return frame[:12] + struct.pack("!HH", tpid if status & TPID_VALID else CTAG, tci) + frame[12:]


def finish_checksum(frame: bytes, start: int, offset: int) -> bytes:
    """The frame with the Internet checksum from ``start`` on put at ``start + offset``.

    The field holds the pseudo header's sum, so summing all of it gives the whole.
    """
    at = start + offset
    if at + 2 > len(frame):
        return frame
    value = internet(frame[start:]) or 0xFFFF
    return frame[:at] + value.to_bytes(2, "big") + frame[at + 2 :]


def _refusals() -> dict[int, str]:
    import errno

    full = dict.fromkeys((errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS), "queue full")
    return {**full, errno.EMSGSIZE: "frame is longer than the device takes"}


_REFUSED = _refusals()
"""What a device may say no with, and what that means to the frame."""
