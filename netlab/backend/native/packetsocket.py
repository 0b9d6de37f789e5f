"""An AF_PACKET socket with the virtio-net header: whole frames in and out, their checksums finished.

A kernel hands over frames whose checksum a device was to finish (CHECKSUM_PARTIAL); the header says where, so that is
done here (Linux include/uapi/linux/virtio_net.h). It takes the outermost VLAN tag off and tells it beside the frame
(include/uapi/linux/if_packet.h, tpacket_auxdata); here it is put in again, so that a frame is what was on the wire.
"""

from __future__ import annotations

import struct

from netlab.wire.checksum import internet
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


class SuperFrame(ValueError):
    """A frame that a device was to cut into segments: nobody here does that."""


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
        """The next frame, None when there is none. SuperFrame for one that is still to be cut."""
        try:
            data, beside, _, _ = self._socket.recvmsg(LARGEST, ANCILLARY)
        except BlockingIOError:
            return None
        flags, gso_type, _, _, start, offset = VNET.unpack_from(data)
        if gso_type:
            raise SuperFrame
        frame = data[VNET.size :]
        if flags & NEEDS_CHECKSUM:
            frame = finish_checksum(frame, start, offset)
        return with_tag(frame, beside[0][2]) if beside else frame

    def send(self, frame: bytes) -> str:
        """Put a frame into the interface's queue; "" or why it does not go there."""
        try:
            self._socket.send(NOTHING_LEFT + frame)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            return _REFUSED[error.errno]
        return ""

    def close(self) -> None:
        """Free it."""
        self._socket.close()


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
