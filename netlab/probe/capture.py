"""Frames as they pass interfaces, from AF_PACKET sockets that the arena opened inside its namespaces.

What is kept is what a wire would have carried: a VLAN tag that the kernel holds beside the frame is put back in, and a
checksum that it left for a network card to do is completed. Times are CLOCK_MONOTONIC ns.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from netlab.probe.forks import forget_in_forks
from netlab.wire import checksum

SOL_PACKET, PACKET_STATISTICS, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 6, 8, 15
PACKET_OUTGOING = 4
SO_TIMESTAMPNS, SO_ATTACH_FILTER, SO_RCVBUFFORCE = 35, 26, 33
VLAN_VALID, VLAN_TPID_VALID = 0x10, 0x40
NEEDS_CSUM = 1

ROOM = 1 << 18
"""Bytes for one frame: more than a segmentation-offload super-frame has."""
BUFFER = 4 << 20
"""Bytes that the kernel may hold for us on each interface (less where the system's limit is lower)."""

_VNET = struct.Struct("=BBHHHH")
_AUX = struct.Struct("=IIIHHHH")
_TIMESPEC = struct.Struct("@ll")


class Captured(NamedTuple):
    """A frame seen at an interface: on its way out, or in."""

    t: int
    interface: str
    out: bool
    seen: int
    """Bytes that the kernel counted: without a VLAN tag that travelled beside the frame."""
    frame: bytes
    share: int = 0
    """Which of the capture's sockets on this interface saw it: the core's number modulo their number."""


class Capture:
    """Captures on some interfaces; ``drain`` gives what has passed since the last call.

    ``open_socket`` gives a bound AF_PACKET/SOCK_RAW socket for a plain interface name. With ``outgoing`` only frames
    that leave are looked at: enough where another source tells the rest of their journey. With ``shares`` sockets on
    each interface, each sees the frames of some cores only, and a frame says which.
    """

    def __init__(
        self,
        interfaces: tuple[str, ...],
        open_socket: Callable[[str], socket.socket],
        *,
        outgoing: bool = False,
        shares: int = 1,
    ) -> None:
        self._sockets: dict[int, tuple[str, int, socket.socket]] = {}
        self._ready = select.epoll()
        self._lost = 0
        self._offset = clock_offset()
        try:
            for name in interfaces:
                for share in range(shares):
                    self._add(name, share, open_socket(name), _program(outgoing, share, shares))
        except BaseException:  # an arena that has ended, an interrupt: sockets left open would keep its namespaces
            self.close()
            raise
        forget_in_forks(self)
        wait_for_stamps()
        self.drain()  # what came before has the time at which it was read, and not its own

    def _add(self, name: str, share: int, sock: socket.socket, program: list[Step]) -> None:
        self._sockets[sock.fileno()] = (name, share, sock)
        sock.setblocking(False)
        _attach(sock, program)
        sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        _give_room(sock)
        self._ready.register(sock.fileno(), select.EPOLLIN)

    def drain(self) -> list[Captured]:
        """Every frame that waits now; in order of time within an interface only."""
        self._offset = steadied(self._offset)
        out: list[Captured] = []
        for fd, _ in self._ready.poll(0):
            self._read(*self._sockets[fd], out)
        return out

    def _read(self, name: str, share: int, sock: socket.socket, out: list[Captured]) -> None:
        while True:
            try:
                data, extras, flags, address = sock.recvmsg(ROOM, 256)
            except BlockingIOError:
                return
            except OSError:  # the interface went down, or a frame that the kernel cannot describe to us
                self._lost += 1
                return
            if flags & socket.MSG_TRUNC:
                self._lost += 1
                continue
            if len(data) > _VNET.size:
                outgoing = address[2] == PACKET_OUTGOING
                out.append(captured(name, outgoing, data, extras, self._offset, share))

    def lost(self) -> int:
        """Frames that passed and were not kept, so far."""
        for _, _, sock in self._sockets.values():
            try:  # reading the counter also sets it to zero
                self._lost += struct.unpack("=II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
            except OSError:
                continue  # its namespace is gone
        return self._lost

    def close(self) -> None:
        """Close every socket. The kernel waits 10 ms for each, so they are closed side by side."""
        self._ready.close()
        closers = [threading.Thread(target=sock.close) for _, _, sock in self._sockets.values()]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join()
        self._sockets.clear()

    def forget(self) -> None:
        """In a fork: let go of the sockets, which would keep their namespaces."""
        self._ready.close()
        for _, _, sock in self._sockets.values():
            sock.close()
        self._sockets.clear()


def captured(
    name: str, out: bool, data: bytes, extras: list[tuple[int, int, bytes]], offset: int, share: int = 0
) -> Captured:
    """One message of a packet socket (virtio_net header, frame, control messages) as the wire's frame."""
    t, tag = 0, b""
    for level, kind, value in extras:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, ns = _TIMESPEC.unpack_from(value)
            t = seconds * 1_000_000_000 + ns - offset
        elif level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, *_, tci, tpid = _AUX.unpack_from(value)
            if status & VLAN_VALID:
                tag = struct.pack("!HH", tpid if status & VLAN_TPID_VALID else 0x8100, tci)
    flags, _, _, _, start, place = _VNET.unpack_from(data)
    frame = data[_VNET.size :]
    seen = len(frame)
    if flags & NEEDS_CSUM:
        frame = complete_checksum(frame, start, place)
    if tag:
        frame = frame[:12] + tag + frame[12:]
    return Captured(t, name, out, seen, frame, share)


def complete_checksum(frame: bytes, start: int, place: int) -> bytes:
    """The frame with the checksum over ``start`` to the end written ``place`` bytes after ``start``.

    The field already holds the pseudo-header's sum, as a card is promised it (CHECKSUM_PARTIAL in linux/skbuff.h).
    """
    at = start + place
    if at + 2 > len(frame):
        return frame
    value = checksum.internet(frame[start:]) or 0xFFFF  # a UDP checksum of 0 would mean that there is none
    return frame[:at] + value.to_bytes(2, "big") + frame[at + 2 :]


# ---- sockets and clocks --------------------------------------------------------------------------


Step = tuple[int, int, int, int]
"""An instruction of a socket filter: code, jump if true, jump if false, operand."""
LOAD, MODULO, IF_EQUAL, RETURN = 0x20, 0x94, 0x15, 0x06
PACKET_TYPE, CORE = 0xFFFFF004, 0xFFFFF024  # SKF_AD_OFF + SKF_AD_PKTTYPE, + SKF_AD_CPU (linux/filter.h)
WHOLE, NOTHING = (RETURN, 0, 0, 0xFFFFFFFF), (RETURN, 0, 0, 0)


def _program(outgoing: bool, share: int, shares: int) -> list[Step]:
    """A filter that drops what nobody will look at, before it costs anything."""
    steps: list[Step] = []
    if outgoing:
        steps += [(LOAD, 0, 0, PACKET_TYPE), (IF_EQUAL, 1, 0, PACKET_OUTGOING), NOTHING]
    if shares > 1:
        steps += [(LOAD, 0, 0, CORE), (MODULO, 0, 0, shares), (IF_EQUAL, 1, 0, share), NOTHING]
    return [*steps, WHOLE]


def _attach(sock: socket.socket, program: list[Step]) -> None:
    import ctypes

    held = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(held)))


SO_TIMESTAMPING = 37
SOFTWARE = 1 << 3 | 1 << 4
"""SOF_TIMESTAMPING_RX_SOFTWARE and SOF_TIMESTAMPING_SOFTWARE: a stamp when the packet came, or none at all."""
STAMPS_WITHIN = 1.0
"""Seconds after which we go on all the same."""


def wait_for_stamps() -> None:
    """Return when the kernel stamps packets: it begins to some time after the first socket asked for it.

    Until then it gives out the time at which a packet is read, without a word. A datagram to ourselves tells.
    """
    give_up = time.monotonic() + STAMPS_WITHIN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(STAMPS_WITHIN)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, SOFTWARE)
        try:
            sock.bind(("127.0.0.1", 0))
            while not _stamped(sock) and time.monotonic() < give_up:
                time.sleep(0.0005)  # the kernel's worker thread wants a core
        except OSError:
            time.sleep(0.05)  # no loopback here: the worker has had its turn by then, as a rule


def _stamped(sock: socket.socket) -> bool:
    sock.sendto(b"?", sock.getsockname())
    _, extras, _, _ = sock.recvmsg(16, 256)
    return any(kind == SO_TIMESTAMPING and any(value[: _TIMESPEC.size]) for _, kind, value in extras)


def _give_room(sock: socket.socket) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)


def clock_offset() -> int:
    """CLOCK_REALTIME less CLOCK_MONOTONIC, in ns, to a fraction of a microsecond."""
    best, offset = 1 << 62, 0
    for _ in range(5):
        before = time.monotonic_ns()
        real = time.time_ns()
        after = time.monotonic_ns()
        if after - before < best:
            best, offset = after - before, real - (before + after) // 2
    return offset


def steadied(offset: int) -> int:
    """``offset`` as it was, unless the wall clock was set since: what is left is only the noise of measuring."""
    now = clock_offset()
    return now if abs(now - offset) > 100_000 else offset
