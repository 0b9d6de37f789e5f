"""What a host sends leaves in the order in which its TCP made it, whatever comes in one vector."""

from __future__ import annotations

from itertools import count

from netlab.backend.native.executor import LiveExecutor
from netlab.stack.drivers.pipe import Pipe, pipe
from netlab.stack.fib import Route
from netlab.stack.host import Host
from netlab.stack.ifnet import Address, Ifnet
from netlab.stack.offload import places
from netlab.wire import tcp
from netlab.workload.bulk import BulkSender, Sink

NEAR, FAR = 0x0A000001, 0x0A000002


def host(name: str, address: int) -> Host:
    ifp = Ifnet("eth0", bytes((2, 0, 0, 0, 0, address & 0xFF)), (Address(address, 24),))
    return Host(name, "host", (ifp,), (Route(0x0A000000, 24, 0, "eth0"),))


def segments(end: Pipe) -> list[tcp.Header]:
    """The TCP headers that wait to be received."""
    found = ((frame, places(frame)) for frame in end.rings[0])
    headers = (tcp.parse(frame, at.l4) for frame, at in found if at is not None)
    return [header for header in headers if header is not None]


def test_no_acknowledgement_leaves_behind_the_fin_that_a_program_sends_when_it_hears_the_end() -> None:
    one, two = pipe("one", "two")
    near, far = (
        LiveExecutor(made, {"eth0": end}, base=0, ids=count(1), emit=None)
        for made, end in ((host("near", NEAR), one), (host("far", FAR), two))
    )
    far.host.tcp.layer.knobs.quick_acks = 0
    sink = Sink(far.host, 5001)
    sender = BulkSender(near.host, FAR, 5001, bytes(14_000), lambda *_: None)
    near.inject(sender.start(near.now()))
    while len(segments(two)) < 10:  # ARP, the handshake, and then all data with the FIN, none yet received
        assert near.poll("eth0") or far.poll("eth0")
    assert far.poll("eth0") >= 10, "one vector"
    assert len(sink.digests) == 1, "the program has heard the end, and closed"
    answers = segments(one)
    assert len(answers) > 4 and answers[-1].flags & tcp.FIN
    numbers = [(header.ack, header.seq) for header in answers]
    assert numbers == sorted(numbers)
