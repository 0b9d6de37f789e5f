# mypy: ignore-errors
"""SimPy in its usual idiom: a process and a Store for the port and for the wire. No headers, no bytes, no stack."""

import sys
import time

PACKETS = 50_000


def scenario():
    """Packets a second; times in ns."""
    import simpy

    env = simpy.Environment()
    queue, wire = simpy.Store(env), simpy.Store(env)
    got = 0

    def source():
        for number in range(PACKETS):
            queue.put((env.now, number, 1066))
            yield env.timeout(10_000)

    def port():
        while True:
            packet = yield queue.get()
            yield env.timeout(packet[2] * 8)
            wire.put((env.now + 2_000_000, packet))

    def cable():
        nonlocal got
        while True:
            due, _ = yield wire.get()
            if due > env.now:
                yield env.timeout(due - env.now)
            got += 1

    for process in (source, port, cable):
        env.process(process())
    began = time.process_time()
    env.run()
    spent = time.process_time() - began
    assert got == PACKETS, got
    return PACKETS / spent


if __name__ == "__main__":
    __import__("simpy")
    print("ready", flush=True)
    for _ in sys.stdin:
        print(scenario(), flush=True)
