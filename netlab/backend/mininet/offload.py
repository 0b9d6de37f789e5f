"""Offloads of a device, by the old ioctl: which work the kernel leaves to the "hardware", and so undone."""

from __future__ import annotations

_SIOCETHTOOL = 0x8946
_STXCSUM, _STSO = 0x17, 0x1F


def finish_in_software(device: str) -> None:
    """Frames leave the device complete: checksums filled in, no segment longer than the MTU allows."""
    for command in (_STSO, _STXCSUM):
        _set(device, command, 0)


def _set(device: str, command: int, value: int) -> None:
    import ctypes
    import fcntl
    import socket
    import struct

    argument = ctypes.create_string_buffer(struct.pack("=II", command, value))
    request = struct.pack("16sP", device.encode(), ctypes.addressof(argument)).ljust(40, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        fcntl.ioctl(channel, _SIOCETHTOOL, request)
