"""Backpressure on any queue, ring and link: every byte arrives, nobody waits for ever, each charge is given back."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.backend.sim import SimSession
from netlab.backend.sim.txring import Ring
from netlab.stack.drivers.faults import Faults
from netlab.stack.pressure import POLICIES
from netlab.stack.steering import Moderation
from netlab.stack.tcp.knobs import SYSTEMS
from netlab.topology.resolve import resolve
from netlab.topology.spec import End, Limit, Link, Node, Topology
from netlab.units import MS, SEC
from netlab.workload.bulk import BulkSender, Sink, pattern

NAMES = [*POLICIES, *(f"accounted+{name}" for name in POLICIES if name != "accounted")]
RINGS = st.builds(
    Ring,
    st.sampled_from([1, 2, 16, 256]),
    st.builds(Moderation, st.sampled_from([1, 4]), st.sampled_from([0, 1 * MS, 20 * MS])),
)
LINKS = st.builds(
    Link,
    st.just(End("h1")),
    st.just(End("h2")),
    rate=st.sampled_from([1_000_000, 10_000_000, 100_000_000]),
    delay=st.sampled_from([0, 1 * MS, 10 * MS]),
    loss=st.sampled_from([0.0, 0.01, 0.05]),
    # No shorter: where a SYN is refused again and again, its connection gives up.
    queue=st.builds(Limit, st.integers(10, 100), st.just("packets")),
)


@settings(max_examples=40)
@given(
    policy=st.sampled_from(NAMES),
    link=LINKS,
    ring=st.none() | RINGS,
    bql=st.booleans(),
    offload=st.booleans(),
    spoilt=st.booleans(),
    system=st.sampled_from(sorted(SYSTEMS)),
    senders=st.sampled_from([1, 2, 5]),
    size=st.sampled_from([1, 1000, 60_000]),
)
def test_every_byte_arrives_and_every_charge_is_given_back(
    policy: str,
    link: Link,
    ring: Ring | None,
    bql: bool,
    offload: bool,
    spoilt: bool,
    system: str,
    senders: int,
    size: int,
) -> None:
    session = SimSession(
        resolve(Topology("two", (Node("h1"), Node("h2")), (link,))),
        traced=False,
        account=True,
        pressure={"h1": policy},
        ring={"h1": ring} if ring else None,
        bql=("h1",) if ring and bql else (),
        offload=("h1", "h2") if offload else (),
        faults={"h1-eth0": Faults(duplicate=0.02, reorder=0.02)} if spoilt else {},
        knobs={name: SYSTEMS[system]() for name in ("h1", "h2")},
    )
    sink, data = Sink(session.executors["h2"].host, 5001), pattern(size)
    pour(session, data, senders)
    assert session.stalled() == ()
    assert sink.digests == [hashlib.sha256(data).hexdigest()] * senders
    boundary = session.executors["h1"].host.tcp.boundaries["h1-eth0"]
    assert (boundary.coming, boundary.reserved, len(boundary.accounts)) == (0, 0, 0)
    assert session.unaccounted() == ()


def pour(session: SimSession, data: bytes, senders: int) -> None:
    """Begin one sender after the other, and go on until all have come to an end."""
    sender = session.executors["h1"]
    [dst] = session.executors["h2"].host.addresses

    def begin(_: Any) -> None:
        program = BulkSender(sender.host, dst, 5001, data, lambda program, now, said, value: None)
        sender.inject(program.start(session.now))

    for n in range(senders):
        session.loop.at(n * 3 * MS, begin)
    session.loop.run(3600 * SEC)
