"""Multipath TCP version 1: its options, and the keys' tokens, sequence numbers and HMACs (RFC 8684).

An option of kind 30 has a value (`tcp.Options.mptcp`), whose first four bits are a subtype. `parse` gives each subtype
its own NamedTuple, and each has ``pack`` for the way back. Keys, tokens, nonces and sequence numbers are ints.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple

from netlab.wire.checksum import internet

CAPABLE, JOIN, DSS, ADD_ADDR, REMOVE_ADDR, PRIO, FAIL, FASTCLOSE, RESET = range(9)
VERSION = 1
CHECKSUM_REQUIRED, EXTENSIBLE, NO_MORE_SUBFLOWS, HMAC_SHA256 = 0x80, 0x40, 0x20, 0x01
"""Flags of `Capable` (§3.1: A, B, C, H)."""
UNSPECIFIED, MPTCP_ERROR, LACK_OF_RESOURCES, PROHIBITED, TOO_MUCH_DATA, UNACCEPTABLE, MIDDLEBOX = range(7)
"""Reasons of `Reset` (§3.6)."""


class Capable(NamedTuple):
    """MP_CAPABLE: on the SYN without keys, on the SYN/ACK with the sender's, on the third ACK with both."""

    sender_key: int | None = None
    receiver_key: int | None = None
    data_length: int | None = None
    """With the first data, in bytes."""
    checksum: int | None = None
    flags: int = HMAC_SHA256
    version: int = VERSION

    def pack(self) -> bytes:
        """The option's value."""
        parts = [bytes((CAPABLE << 4 | self.version, self.flags))]
        for field, size in (
            (self.sender_key, 8),
            (self.receiver_key, 8),
            (self.data_length, 2),
            (self.checksum, 2),
        ):
            if field is None:
                break
            parts.append(field.to_bytes(size, "big"))
        return b"".join(parts)


class JoinSyn(NamedTuple):
    """MP_JOIN on a SYN: which connection, by the peer's token."""

    backup: bool
    address_id: int
    token: int
    nonce: int

    def pack(self) -> bytes:
        """The option's value."""
        return _head(JOIN, self.backup, self.address_id) + self.token.to_bytes(4, "big") + self.nonce.to_bytes(4, "big")


class JoinSynAck(NamedTuple):
    """MP_JOIN on a SYN/ACK: the first 64 bits of the HMAC, and a nonce."""

    backup: bool
    address_id: int
    hmac: bytes
    nonce: int

    def pack(self) -> bytes:
        """The option's value."""
        return _head(JOIN, self.backup, self.address_id) + self.hmac + self.nonce.to_bytes(4, "big")


class JoinAck(NamedTuple):
    """MP_JOIN on the third ACK: the first 160 bits of the HMAC."""

    hmac: bytes

    def pack(self) -> bytes:
        """The option's value."""
        return _head(JOIN, 0, 0) + self.hmac


class Dss(NamedTuple):
    """DSS: a data acknowledgement, a mapping of ``length`` bytes from subflow to data sequence numbers, or both."""

    data_ack: int | None = None
    dsn: int | None = None
    """The data sequence number of the mapping's first byte; None when there is no mapping."""
    ssn: int = 0
    """Relative to the subflow's initial sequence number."""
    length: int = 0
    checksum: int | None = None
    fin: bool = False
    wide_ack: bool = True
    """Whether ``data_ack`` has 8 bytes; it has 4 otherwise."""
    wide_dsn: bool = True

    def pack(self) -> bytes:
        """The option's value."""
        flags = self.fin << 4
        ack = mapping = b""
        if self.data_ack is not None:
            flags |= 1 | self.wide_ack << 1
            ack = _sequence(self.data_ack, self.wide_ack)
        if self.dsn is not None:
            flags |= 4 | self.wide_dsn << 3
            mapping = _sequence(self.dsn, self.wide_dsn)
            mapping += self.ssn.to_bytes(4, "big") + self.length.to_bytes(2, "big")
            mapping += b"" if self.checksum is None else self.checksum.to_bytes(2, "big")
        return bytes((DSS << 4, flags)) + ack + mapping


class AddAddr(NamedTuple):
    """ADD_ADDR: another address of the sender; without an HMAC it is the receiver's echo."""

    address_id: int
    version: int
    address: int
    port: int | None = None
    hmac: bytes = b""

    def pack(self) -> bytes:
        """The option's value."""
        port = b"" if self.port is None else self.port.to_bytes(2, "big")
        address = self.address.to_bytes(4 if self.version == 4 else 16, "big")
        return _head(ADD_ADDR, not self.hmac, self.address_id) + address + port + self.hmac


class RemoveAddr(NamedTuple):
    """REMOVE_ADDR: addresses that are gone."""

    address_ids: tuple[int, ...]

    def pack(self) -> bytes:
        """The option's value."""
        return bytes((REMOVE_ADDR << 4, *self.address_ids))


class Prio(NamedTuple):
    """MP_PRIO: whether the subflow that carries it is a backup from now on."""

    backup: bool

    def pack(self) -> bytes:
        """The option's value."""
        return bytes((PRIO << 4 | self.backup,))


class Fail(NamedTuple):
    """MP_FAIL: a checksum was wrong from this data sequence number on."""

    dsn: int

    def pack(self) -> bytes:
        """The option's value."""
        return _head(FAIL, 0, 0) + self.dsn.to_bytes(8, "big")


class FastClose(NamedTuple):
    """MP_FASTCLOSE: the connection is cut; proved by the receiver's key."""

    receiver_key: int

    def pack(self) -> bytes:
        """The option's value."""
        return _head(FASTCLOSE, 0, 0) + self.receiver_key.to_bytes(8, "big")


class Reset(NamedTuple):
    """MP_TCPRST: why a subflow was reset; ``flags`` U, V, W, T (T: transient)."""

    flags: int
    reason: int

    def pack(self) -> bytes:
        """The option's value."""
        return bytes((RESET << 4 | self.flags, self.reason))


Option = Capable | JoinSyn | JoinSynAck | JoinAck | Dss | AddAddr | RemoveAddr | Prio | Fail | FastClose | Reset


def _head(subtype: int, low: int, second: int) -> bytes:
    return bytes((subtype << 4 | low, second))


def _sequence(number: int, wide: bool) -> bytes:
    return number.to_bytes(8, "big") if wide else (number & 0xFFFFFFFF).to_bytes(4, "big")


# ---- reading -------------------------------------------------------------------------------------


def parse(value: bytes) -> Option | None:
    """What an option's value says; None for an unknown subtype and for a length that its subtype cannot have."""
    read = _READ.get(value[0] >> 4) if value else None
    return read(value) if read else None


def _int(value: bytes, at: int, size: int) -> int:
    return int.from_bytes(value[at : at + size], "big")


def _read_capable(value: bytes) -> Capable | None:
    size = len(value)
    if size not in (2, 10, 18, 20, 22):
        return None
    return Capable(
        _int(value, 2, 8) if size >= 10 else None,
        _int(value, 10, 8) if size >= 18 else None,
        _int(value, 18, 2) if size >= 20 else None,
        _int(value, 20, 2) if size == 22 else None,
        value[1],
        value[0] & 15,
    )


def _read_join(value: bytes) -> Option | None:
    backup = bool(value[0] & 1)
    if len(value) == 10:
        return JoinSyn(backup, value[1], _int(value, 2, 4), _int(value, 6, 4))
    if len(value) == 14:
        return JoinSynAck(backup, value[1], value[2:10], _int(value, 10, 4))
    return JoinAck(value[2:]) if len(value) == 22 else None


def _read_dss(value: bytes) -> Dss | None:
    flags = value[1] if len(value) > 1 else 0
    wide_ack, wide_dsn = flags & 2 != 0, flags & 8 != 0
    ack_size = (8 if wide_ack else 4) if flags & 1 else 0
    dsn_size = (8 if wide_dsn else 4) if flags & 4 else 0
    at = 2 + ack_size
    size = at + dsn_size + (6 if dsn_size else 0)
    if len(value) != size and not (dsn_size and len(value) == size + 2):
        return None
    ack = _int(value, 2, ack_size) if ack_size else None
    # A width bit without its field means nothing (§3.3.1), so it is read as the default.
    if not dsn_size:
        return Dss(ack, fin=flags & 16 != 0, wide_ack=wide_ack or not ack_size)
    checksum = _int(value, size, 2) if len(value) > size else None
    dsn, ssn, length = _int(value, at, dsn_size), _int(value, at + dsn_size, 4), _int(value, size - 2, 2)
    return Dss(ack, dsn, ssn, length, checksum, flags & 16 != 0, wide_ack or not ack_size, wide_dsn)


_ADD_ADDR = {
    (6, True): (4, False),
    (8, True): (4, True),
    (18, True): (6, False),
    (20, True): (6, True),
    (14, False): (4, False),
    (16, False): (4, True),
    (26, False): (6, False),
    (28, False): (6, True),
}
"""(length of the value, whether it is an echo) -> (IP version, whether there is a port)."""


def _read_add_addr(value: bytes) -> AddAddr | None:
    shape = _ADD_ADDR.get((len(value), bool(value[0] & 1)))
    if shape is None:
        return None
    version, has_port = shape
    at = 2 + (4 if version == 4 else 16)
    port = _int(value, at, 2) if has_port else None
    return AddAddr(value[1], version, _int(value, 2, at - 2), port, value[at + 2 * has_port :])


def _read_remove_addr(value: bytes) -> RemoveAddr | None:
    return RemoveAddr(tuple(value[1:])) if len(value) > 1 else None


def _read_prio(value: bytes) -> Prio | None:
    return Prio(bool(value[0] & 1)) if len(value) == 1 else None


def _read_fail(value: bytes) -> Fail | None:
    return Fail(_int(value, 2, 8)) if len(value) == 10 else None


def _read_fastclose(value: bytes) -> FastClose | None:
    return FastClose(_int(value, 2, 8)) if len(value) == 10 else None


def _read_reset(value: bytes) -> Reset | None:
    return Reset(value[0] & 15, value[1]) if len(value) == 2 else None


_READ: dict[int, Callable[[bytes], Option | None]] = {
    CAPABLE: _read_capable,
    JOIN: _read_join,
    DSS: _read_dss,
    ADD_ADDR: _read_add_addr,
    REMOVE_ADDR: _read_remove_addr,
    PRIO: _read_prio,
    FAIL: _read_fail,
    FASTCLOSE: _read_fastclose,
    RESET: _read_reset,
}


# ---- keys ----------------------------------------------------------------------------------------


def _digest(key: int) -> bytes:
    return hashlib.sha256(key.to_bytes(8, "big")).digest()


def token(key: int) -> int:
    """What names a connection to the peer: the first 32 bits of the key's SHA-256 (§3.2)."""
    return int.from_bytes(_digest(key)[:4], "big")


def initial_dsn(key: int) -> int:
    """The initial data sequence number: the last 64 bits of the key's SHA-256 (§3.1). Data starts one after it."""
    return int.from_bytes(_digest(key)[-8:], "big")


def join_hmac(own_key: int, peer_key: int, own_nonce: int, peer_nonce: int) -> bytes:
    """The 32 bytes that prove a join, own key and nonce first (§3.2).

    A SYN/ACK carries the first 8 of them, the third ACK the first 20.
    """
    key = own_key.to_bytes(8, "big") + peer_key.to_bytes(8, "big")
    return hmac.digest(key, own_nonce.to_bytes(4, "big") + peer_nonce.to_bytes(4, "big"), "sha256")


def add_addr_hmac(own_key: int, peer_key: int, address_id: int, version: int, address: int, port: int = 0) -> bytes:
    """The 8 bytes that prove an ADD_ADDR: the *last* 64 bits of the HMAC (§3.4.1). Port 0 for none."""
    key = own_key.to_bytes(8, "big") + peer_key.to_bytes(8, "big")
    said = bytes((address_id,)) + address.to_bytes(4 if version == 4 else 16, "big") + port.to_bytes(2, "big")
    return hmac.digest(key, said, "sha256")[-8:]


def dss_checksum(dsn: int, ssn: int, length: int, payload: bytes) -> int:
    """The checksum of a mapping and its data; ``dsn`` in full, even where the option carries half of it (§3.3.1)."""
    return internet(payload, dsn + ssn + length)
