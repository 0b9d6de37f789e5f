"""Programs above our stack: when one has nothing more to wait for."""

from __future__ import annotations

import pytest

from netlab.backend.names import destination
from netlab.backend.sim import SimBackend
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Topology
from netlab.units import MS
from netlab.workload.apps import Pinger
from netlab.workload.spec import Ping

PAIR = resolve(Topology("pair", several("h", 2), (cable("h1", "h2"),)))
H2 = PAIR.node("h2").addresses[0]


@pytest.mark.parametrize(("dst", "fate"), [(H2, "answered"), ("10.0.1.77", "silence")])
def test_a_ping_is_settled_when_the_fate_of_every_request_is_known(dst: str, fate: str) -> None:
    with SimBackend().open(PAIR) as session:
        executor = session.executors["h1"]
        ask = Ping("h1", dst, count=3, timeout=20 * MS)
        ping = Pinger(executor.host, ask, destination(PAIR, ask), 1, lambda *said: None)
        ping.start(0)
        executor.arm()
        session.loop.run(until=15 * MS)
        assert not ping.settled()
        session.loop.run()
    assert ping.settled()
    assert {reply.result for reply in ping.outcome().replies} == {fate}
