"""Coverage-guided fuzzing of `netlab.wire`: ``python fuzz_wire.py [libFuzzer flags] CORPUS``. Needs atheris.

An exception, an input that takes seconds, or memory that grows ends it with an error; time running out does not.
"""

from __future__ import annotations

import io
import sys

import atheris

with atheris.instrument_imports(include=["netlab"]):
    from netlab.errors import BadInput
    from netlab.wire import icmpv6, ipv4, ipv6, mptcp, pcap, pcapng, tcp
    from netlab.wire.decode import describe, flow_hash, flow_key, layers


def frames(data: bytes) -> None:
    for link in ("ethernet", "ip"):
        found = layers(data, link)
        assert 0 < len(found) < 100
        assert describe(data, link)
        assert flow_key(data, link)
        flow_hash(data, link)
        for name, header, at in found:
            if name == "tcp":
                for value in tcp.options(data, at, header).mptcp:
                    mptcp.parse(value)
            elif name == "icmpv6":
                icmpv6.parse_neighbor(data, at, len(data))
                icmpv6.parse_advertisement(data, at, len(data))
            elif name == "ipv4":
                ipv4.options(data, at)
    ipv4.fault(data)
    ipv6.fault(data)
    ipv6.upper(data)


def captures(data: bytes) -> None:
    reader = pcap.Reader if pcap.is_pcap(data) else pcapng.Reader
    try:
        for packet in reader(io.BytesIO(data)):
            frames(packet.data)
    except BadInput:
        pass


def one(data: bytes) -> None:
    frames(data)
    captures(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
