"""The catalogue of record kinds: what each says, in which units, and what is stored of it.

A record's ``data`` is a tuple in the order of its kind's fields. A field that a source cannot know is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldType = Literal["int", "str", "bytes"]
Fidelity = Literal["exact", "inferred", "none"]


@dataclass(frozen=True)
class Field:
    """One value of a record: its name, type and unit."""

    name: str
    type: FieldType
    unit: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of record: what happened (``says``), what ``obj`` names, and the fields of ``data``."""

    name: str
    says: str
    obj: str
    fields: tuple[Field, ...]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "packet",
            "a packet came into being: a journey begins",
            "the stage or program that made it",
            (Field("parent", "int", "pkt that caused it, 0 for none"), Field("said", "str")),
        ),
        Kind(
            "stage",
            "a stage of a host worked on a packet; t is when the work began",
            "the stage",
            (Field("iface", "str"), Field("dur", "int", "ns")),
        ),
        Kind(
            "enqueue",
            "a packet entered a queue",
            "the interface whose queue it is",
            (Field("depth", "int", "packets after"), Field("octets", "int", "bytes after")),
        ),
        Kind(
            "dequeue",
            "a packet left a queue",
            "the interface whose queue it is",
            (Field("depth", "int", "packets after"), Field("octets", "int", "bytes after")),
        ),
        Kind(
            "mark",
            "a queue that was too long marked a packet: congestion experienced",
            "the interface whose queue it is",
            (Field("depth", "int", "packets then"), Field("octets", "int", "bytes then")),
        ),
        Kind(
            "drop",
            "a packet was dropped: its journey ends",
            "the stage, queue or link that dropped it",
            (Field("reason", "str"), Field("iface", "str")),
        ),
        Kind(
            "wire.tx",
            "a frame's first bit left an interface",
            "the interface",
            (
                Field("peer", "str"),
                Field("length", "int", "bytes"),
                Field("dur", "int", "ns on the wire, first bit to last"),
                Field("delay", "int", "ns of propagation"),
                Field("frame", "bytes"),
            ),
        ),
        Kind(
            "wire.rx",
            "a frame's last bit reached an interface",
            "the interface",
            (Field("peer", "str"), Field("length", "int", "bytes"), Field("frame", "bytes")),
        ),
        Kind(
            "lock",
            "a core held a lock for a stage's work; t is when it asked for it",
            "the lock",
            (Field("mode", "str", "read or write"), Field("wait", "int", "ns"), Field("held", "int", "ns")),
        ),
        Kind(
            "app",
            "a program on a host said something",
            "the program",
            (Field("said", "str"), Field("value", "int", "ns, or as said")),
        ),
    )
}
