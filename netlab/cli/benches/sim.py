"""Packets through the simulated world: every stage of every host, with and without the records of it."""

from __future__ import annotations

import time

from netlab.cli.benches import Row
from netlab.cli.topo import plan_of
from netlab.units import MS
from netlab.workload.spec import UdpEcho

DATAGRAMS = 2000


def rows() -> list[Row]:
    """Datagrams there and back over two routers; a host that a packet visits counts once."""
    return [_row("recorded", traced=True), _row("not recorded", traced=False)]


def _row(how: str, *, traced: bool) -> Row:
    from netlab.backend.sim.session import SimSession

    with SimSession(plan_of("line,2"), seed=1, traced=traced) as session:
        began = time.perf_counter()
        (outcome,) = session.run([UdpEcho("h1", "h2", count=DATAGRAMS, interval=MS // 10)])
        spent = time.perf_counter() - began
    assert outcome.answered == DATAGRAMS
    return Row("sim", f"datagrams over two routers and back, {how}", 2 * DATAGRAMS / spent, "packets/s", "4 hosts each")
