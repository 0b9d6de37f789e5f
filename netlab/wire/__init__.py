"""Bytes to headers and back. No state, no clock, nothing that raises on what a wire may carry.

Every protocol is a module, and all of them have one shape:

``Header``
    A NamedTuple whose fields are what the struct of the header holds, in order, as ints (a MAC address is 6 bytes).
    Bit fields inside a field (``ipv4.Header.dont_fragment``, ``vlan.Header.vid``) are properties. ``.size`` is the
    header's length in bytes, so the next header starts at ``at + header.size``. ``.pack()`` gives the fields back as
    bytes, exactly as they stand: nothing is computed.
``parse(data, at=0) -> Header | None``
    The header that starts at ``data[at]``. None when no header of this protocol can stand there: too few bytes, a
    wrong version, a length below its own size. Malformed input never raises. A checksum is not looked at (ask
    ``checksum_ok``), and a payload that is cut short is the caller's to notice (ICMP quotes such packets).
``build(..., payload) -> bytes``
    Header and payload, with lengths and checksums filled in. What does not fit its field raises ``struct.error``:
    that is a caller's mistake and never comes from a wire.

IPv4 and IPv6 addresses travel as ints, MAC addresses as 6 bytes; `address` turns them into text and back. ``data`` may
be bytes, bytearray or memoryview. `decode` walks a whole frame by an explicit table; `pcapng` and `pcap` are files of
frames.

Why this idiom: ``tuple.__new__(Header, unpack_from(data, at))`` makes a named header for the price of two C calls,
about a fifth of what a NamedTuple's own constructor takes and a tenth of a frozen dataclass.
"""

from __future__ import annotations

Octets = bytes | bytearray | memoryview
"""What a header can be read from."""
