"""Offloads of a kernel's device, by ethtool's ioctl: which work the kernel leaves to it, and what of that is in force.

(Linux include/uapi/linux/ethtool.h: features are bits, and their names are a string set of the device.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from netlab.topology.spec import Offload

_SIOCETHTOOL = 0x8946
_GSTRINGS, _GSSET_INFO, _GFEATURES, _SFEATURES = 0x1B, 0x37, 0x3A, 0x3B
_FEATURE_NAMES, _NAME = 4, 32
_BLOCK = 32
"""Features in one block of bits."""

FEATURES: dict[Offload, tuple[str, ...]] = {
    "rxcsum": ("rx-checksum",),
    "txcsum": ("tx-checksum-ip-generic", "tx-checksum-ipv4", "tx-checksum-ipv6"),
    "tso": ("tx-tcp-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp6-segmentation"),
    "uso": ("tx-udp-segmentation",),
    "lro": ("rx-lro",),
    "gso": ("tx-generic-segmentation",),
    "gro": ("rx-gro",),
}
"""In an order in which they can be turned on: who cuts must sum."""


def finish_in_software(device: str) -> None:
    """Frames leave the device complete: checksums filled in, no segment longer than the MTU allows."""
    change(device, {"tso": False, "uso": False, "txcsum": False})


def set_offload(device: str, on: Iterable[Offload]) -> None:
    """Have these on, as far as the device has a switch for them, and all others off. tso and uso bring txcsum."""
    wanted = set(on)
    if wanted & {"tso", "uso"}:
        wanted.add("txcsum")
    change(device, {word: word in wanted for word in FEATURES})


def change(device: str, switches: dict[Offload, bool]) -> None:
    """Turn some on and some off. OSError when there is no such device, or privilege is missing."""
    found = _Features(device)
    valid, requested = 0, 0
    for word, on in switches.items():
        bits = found.bits(word) & found.available
        valid |= bits
        requested |= bits if on else 0
    found.request(valid, requested)


def in_force(device: str) -> tuple[Offload, ...]:
    """What is on now, in the order of `FEATURES`."""
    found = _Features(device)
    return tuple(word for word in FEATURES if found.bits(word) & found.active)


class _Features:
    """A device's features as one number each of bits."""

    def __init__(self, device: str) -> None:
        self._device = device
        told = _ask(device, struct.pack("=IIQI", _GSSET_INFO, 0, 1 << _FEATURE_NAMES, 0))
        (count,) = struct.unpack_from("=16xI", told)
        names = _ask(device, struct.pack("=III", _GSTRINGS, _FEATURE_NAMES, count) + bytes(count * _NAME))[12:]
        self._names = [names[n * _NAME : (n + 1) * _NAME].rstrip(b"\0").decode() for n in range(count)]
        self._blocks = -(-count // _BLOCK)
        answer = _ask(device, struct.pack("=II", _GFEATURES, self._blocks) + bytes(16 * self._blocks))
        columns = list(zip(*struct.iter_unpack("=IIII", answer[8 : 8 + 16 * self._blocks]), strict=True))
        self.available, _, self.active, _ = (_joined(column) for column in columns)

    def bits(self, word: Offload) -> int:
        """The features that a word stands for, of those that this kernel knows."""
        return sum(1 << self._names.index(name) for name in FEATURES[word] if name in self._names)

    def request(self, valid: int, requested: int) -> None:
        """Set the ``valid`` ones as ``requested`` has them."""
        blocks = b"".join(
            struct.pack("=II", valid >> n * _BLOCK & 0xFFFFFFFF, requested >> n * _BLOCK & 0xFFFFFFFF)
            for n in range(self._blocks)
        )
        _ask(self._device, struct.pack("=II", _SFEATURES, self._blocks) + blocks)


def _joined(blocks: Iterable[int]) -> int:
    return sum(bits << n * _BLOCK for n, bits in enumerate(blocks))


def _ask(device: str, said: bytes) -> bytes:
    """The structure as the kernel has filled it in."""
    import ctypes
    import fcntl
    import socket

    argument = ctypes.create_string_buffer(said, len(said))
    request = struct.pack("16sP", device.encode(), ctypes.addressof(argument)).ljust(40, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        fcntl.ioctl(channel, _SIOCETHTOOL, request)
    return argument.raw
