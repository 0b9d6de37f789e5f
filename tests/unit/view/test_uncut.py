"""A long segment that crosses a cable in one piece is not taken for a frame."""

from __future__ import annotations

from netlab.backend.sim import SimBackend
from netlab.topology.generators import cable, several
from netlab.topology.resolve import resolve
from netlab.topology.spec import Topology
from netlab.view.path import packet_path
from netlab.view.uncut import mtus, uncut


def test_a_segment_longer_than_a_frame_is_told_as_one_piece() -> None:
    plan = resolve(Topology("pair", several("h", 2), (cable("h1", "h2"),)))
    with SimBackend().open(plan) as session:
        log = session.log
    log.add((0, "packet", "h1", "tcp.output", -1, 1, (0, "TCP 10.0.1.1:1 → 10.0.1.2:2 ACK 23168 bytes")))
    log.add((1, "wire.tx", "h1", "h1-eth0", -1, 1, ("h2-eth0", 23_234, None, None, None)))
    log.add((2, "wire.rx", "h2", "h2-eth0", -1, 1, ("h1-eth0", 23_234, None)))
    told = " ".join(packet_path(log, 1).narrative)
    assert "23234 B in one piece: no device on this cable cuts it to frames of 1514 B" in told
    assert uncut(mtus(log), "h1-eth0", 1514) == uncut(mtus(log), "h1-eth0", 1522) == uncut({}, "h1-eth0", 9000) == ""
