"""A simulated device cuts, sums and checks; its core has less to do, and the wire carries the same."""

from __future__ import annotations

from typing import Any

import pytest

from netlab.backend.sim import SimSession
from netlab.backend.sim.costs import COSTS, costs_at
from netlab.errors import BadInput
from netlab.stack.ifcaps import CHECKSUMS, Capability
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.workload.spec import Bulk, UdpEcho

PAIR = resolve(load_topology("pair"))
WAYS = {
    "none": Capability.NONE,
    "GSO": Capability.GSO,
    "TSO": CHECKSUMS | Capability.TSO,
}


def session(use: Capability, **more: Any) -> SimSession:
    made = SimSession(PAIR, seed=1, **more)
    for executor in made.executors.values():
        for ifp in executor.host.interfaces.values():
            ifp.capenable = use
    return made


def wire(use: Capability) -> list[bytes]:
    """The frames with text that h1 sent."""
    made = session(use)
    (outcome,) = made.run([Bulk("h1", "h2", size=200_000)])
    assert outcome.flows[0].octets == 200_000
    sent = [row.data[4] for row in made.log if row.kind == "wire.tx" and row.node == "h1"]
    return [frame for frame in sent if len(frame) > 66]


def text(frames: list[bytes]) -> bytes:
    return b"".join(frame[66:] for frame in frames)


def test_whoever_cuts_the_wire_carries_the_same_text_in_frames_that_fit() -> None:
    found = {name: wire(use) for name, use in WAYS.items()}
    assert text(found["TSO"]) == text(found["GSO"]) == text(found["none"])
    assert max(len(frame) for frames in found.values() for frame in frames) == 1514


@pytest.mark.parametrize("way", WAYS)
def test_every_frame_is_right_for_a_parser_that_nobody_here_wrote(way: str) -> None:
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Ether

    for frame in wire(WAYS[way])[:60]:
        made, again = Ether(frame), Ether(frame)
        del again[IP].chksum
        del again[TCP].chksum
        again = Ether(bytes(again))
        assert (made[IP].chksum, made[TCP].chksum) == (again[IP].chksum, again[TCP].chksum)


def test_a_device_sums_datagrams_too() -> None:
    from scapy.layers.inet import UDP
    from scapy.layers.l2 import Ether

    made = session(CHECKSUMS)
    (outcome,) = made.run([UdpEcho("h1", "h2", count=3, size=301)])
    assert outcome.answered == 3
    sent = [row.data[4] for row in made.log if row.kind == "wire.tx" and len(row.data[4]) > 300]
    assert len(sent) == 6
    for frame in sent:
        again = Ether(frame)
        del again[UDP].chksum
        assert Ether(bytes(again))[UDP].chksum == Ether(frame)[UDP].chksum


def test_a_piece_is_a_journey_that_began_in_the_whole() -> None:
    made = session(WAYS["TSO"])
    made.run([Bulk("h1", "h2", size=100_000)])
    born = [row for row in made.log if row.kind == "packet" and row.obj == "nic.tx"]
    assert born and all(row.data[0] for row in born), "each names the packet it was cut from"


def test_what_came_in_broken_is_not_believed_for_the_device_looked_at_it() -> None:
    from netlab.stack.drivers.faults import Faults

    made = session(WAYS["TSO"] | Capability.GRO, faults={"h1-eth0": Faults(corrupt=0.05)})
    (outcome,) = made.run([Bulk("h1", "h2", size=400_000)])
    assert outcome.flows[0].octets == 400_000


def test_a_slower_clock_makes_everything_dearer_in_proportion() -> None:
    assert costs_at(1.1).stages["ip.input"] == tuple(2 * ns for ns in COSTS["ip.input"])
    took = {}
    for ghz in (2.2, 1.1):
        made = session(Capability.NONE, clock={"h1": ghz})
        made.run([Bulk("h1", "h2", size=10_000)])
        took[ghz] = sum(r.data[1] for r in made.log if r.kind == "stage" and r.node == "h1" and r.obj == "tcp.output")
    assert took[1.1] == pytest.approx(2 * took[2.2], rel=0.01)
    with pytest.raises(BadInput, match="cannot have a clock of 0"):
        SimSession(PAIR, clock=0)


def test_the_stages_time_is_in_the_log_with_what_bytes_cost() -> None:
    made = session(Capability.NONE)
    made.run([Bulk("h1", "h2", size=100_000)])
    spent = {row.data[1] for row in made.log if row.kind == "stage" and row.obj == "tcp.output" and row.node == "h1"}
    assert max(spent) > min(spent), "a full segment takes longer than an acknowledgement"


def test_a_ring_gets_its_descriptors_back_only_when_all_pieces_have_left() -> None:
    made = SimSession(PAIR, seed=1, ring={"h1": 8}, bql=("h1",), pressure={"h1": "accounted"})
    for executor in made.executors.values():
        for ifp in executor.host.interfaces.values():
            ifp.capenable = WAYS["TSO"]
    (outcome,) = made.run([Bulk("h1", "h2", size=500_000)])
    assert outcome.flows[0].octets == 500_000


def test_a_capture_of_the_wire_is_right_for_dpkt_too() -> None:
    import dpkt

    for frame in wire(WAYS["TSO"])[:40]:
        packet = dpkt.ethernet.Ethernet(frame).data
        said, packet.sum, packet.data.sum = (packet.sum, packet.data.sum), 0, 0
        again = dpkt.ip.IP(bytes(packet))
        assert said == (again.sum, again.data.sum)


@pytest.mark.parametrize("way", WAYS)
def test_every_mbuf_of_what_is_cut_and_joined_is_accounted_for(way: str) -> None:
    made = session(WAYS[way] | Capability.GRO, account=True)
    (outcome,) = made.run([Bulk("h1", "h2", size=300_000)])
    assert outcome.flows[0].octets == 300_000
    assert made.unaccounted() == ()
