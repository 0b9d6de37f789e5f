# mypy: ignore-errors
"""ns.py: its generator, port, wire and sink. No headers, no bytes, no stack."""

import sys
import time

PACKETS = 50_000


def scenario():
    """Packets a second; times in s."""
    import simpy
    from ns.packet.dist_generator import DistPacketGenerator
    from ns.packet.sink import PacketSink
    from ns.port.port import Port
    from ns.port.wire import Wire

    env = simpy.Environment()
    source = DistPacketGenerator(env, "h1", lambda: 10e-6, lambda: 1066, finish=(PACKETS - 0.5) * 10e-6)
    source.out = port = Port(env, rate=1e9, qlimit=1000, limit_bytes=False)
    port.out = wire = Wire(env, lambda: 2e-3)
    wire.out = sink = PacketSink(env, rec_arrivals=False, rec_waits=False)
    began = time.process_time()
    env.run(until=PACKETS * 10e-6 + 1)
    spent = time.process_time() - began
    assert sum(sink.packets_received.values()) == PACKETS, sink.packets_received
    return PACKETS / spent


if __name__ == "__main__":
    __import__("ns.packet.sink")
    print("ready", flush=True)
    for _ in sys.stdin:
        print(scenario(), flush=True)
