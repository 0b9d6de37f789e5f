"""A small network and its packets, for the probe's stories."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from netlab.topology.spec import Plan, PlanInterface, PlanLink, PlanNode, StackKind
from netlab.wire import checksum

H1, H2 = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))


def interface(name: str, peer: str, link: int) -> PlanInterface:
    return PlanInterface(name, name.split("-")[0], f"02:00:00:00:00:0{link}", (), 1500, 1, peer, link)


@pytest.fixture
def plan_with() -> Callable[..., Plan]:
    """h1 – m – h2, where the middle is a switch or a router; h2 may run our own stack."""

    def make(middle: str = "switch", h2: StackKind = "kernel") -> Plan:
        return Plan(
            "line",
            (
                PlanNode("h1", "host", "kernel", (interface("h1-eth0", "m-eth0", 0),), ()),
                PlanNode(
                    "m",
                    middle,  # type: ignore[arg-type]
                    "kernel",
                    (interface("m-eth0", "h1-eth0", 0), interface("m-eth1", "h2-eth0", 1)),
                    (),
                ),
                PlanNode("h2", "host", h2, (interface("h2-eth0", "m-eth1", 1),), ()),
            ),
            (PlanLink("h1-eth0", "m-eth0", 0, 0, 0.0, None), PlanLink("m-eth1", "h2-eth0", 0, 0, 0.0, None)),
        )

    return make


class Frames:
    """Frames by the words for them."""

    @staticmethod
    def ip(src: bytes, dst: bytes, proto: int, payload: bytes, *, ident: int = 7, ttl: int = 64) -> bytes:
        head = bytearray(b"\x45\0" + (20 + len(payload)).to_bytes(2, "big") + ident.to_bytes(2, "big"))
        head += b"\0\0" + bytes((ttl, proto)) + b"\0\0" + src + dst
        head[10:12] = checksum.internet(head).to_bytes(2, "big")
        return H2 + H1 + b"\x08\x00" + bytes(head) + payload

    @staticmethod
    def icmp(kind: int, rest: bytes) -> bytes:
        message = bytearray(bytes((kind, 0, 0, 0)) + rest)
        message[2:4] = checksum.internet(message).to_bytes(2, "big")
        return bytes(message)

    def request(self, seq: int = 1, **more: int) -> bytes:
        return self.ip(A, B, 1, self.icmp(8, b"\0\x05" + seq.to_bytes(2, "big") + bytes(56)), **more)

    def reply(self, seq: int = 1) -> bytes:
        return self.ip(B, A, 1, self.icmp(0, b"\0\x05" + seq.to_bytes(2, "big") + bytes(56)))

    def time_exceeded(self, about: bytes) -> bytes:
        return self.ip(bytes((10, 0, 0, 254)), A, 1, self.icmp(11, bytes(4) + about[14:42]))

    def udp(self, src: bytes, dst: bytes, ports: tuple[int, int], payload: bytes) -> bytes:
        here, there = ports
        head = here.to_bytes(2, "big") + there.to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0"
        return self.ip(src, dst, 17, head + payload)

    @staticmethod
    def arp(operation: int, sender: bytes, target: bytes) -> bytes:
        body = b"\0\x01\x08\0\x06\x04\0" + bytes((operation,)) + H1 + sender + bytes(6) + target
        return b"\xff" * 6 + H1 + b"\x08\x06" + body


@pytest.fixture
def frames() -> Frames:
    return Frames()
