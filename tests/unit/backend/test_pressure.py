"""Backpressure between TCP, a queue and a ring: every byte arrives under every policy, and each has its own price."""

from __future__ import annotations

import hashlib

import pytest
from pressed import Pour, two_hosts

from netlab.backend.sim import SimSession
from netlab.errors import BadInput
from netlab.stack.pressure import POLICIES
from netlab.topology.spec import Limit

EVERY = (*POLICIES, "accounted+scheduled", "accounted+wake all", "notify+scheduled")


@pytest.mark.parametrize("policy", EVERY)
@pytest.mark.parametrize("ringed", [False, True], ids=["queue", "ring and limit"])
def test_every_byte_arrives_and_the_books_balance(policy: str, ringed: bool) -> None:
    below = {"ring": {"h1": 8}, "bql": ("h1",)} if ringed else {}
    pour = Pour(policy, **below).run()
    assert pour.sink.digests == [hashlib.sha256(pour.data).hexdigest()] * 4
    boundary = pour.boundary
    assert not pour.session.stalled()
    assert not pour.session.unaccounted()
    assert (boundary.coming, boundary.reserved) == (0, 0), "nothing is on its way to the queue, nothing promised"
    assert not boundary.accounts, "no connection is charged anything"
    assert not pour.host.tcp.layer.endpoints


@pytest.mark.parametrize("policy", EVERY)
def test_long_segments_are_charged_by_their_pieces(policy: str) -> None:
    pour = Pour(policy, offload=("h1", "h2")).run()
    assert pour.sink.digests == [hashlib.sha256(pour.data).hexdigest()] * 4
    assert (pour.boundary.coming, pour.boundary.reserved, len(pour.boundary.accounts)) == (0, 0, 0)


@pytest.mark.parametrize("policy", ["wake all", "scheduled", "accounted+scheduled", "notify"])
def test_a_policy_that_stops_its_senders_drops_nothing(policy: str) -> None:
    pour = Pour(policy).run()
    assert pour.boundary.counts.refused == 0
    assert pour.boundary.counts.blocked > 0, "the queue was full"


def test_wrong_names_are_told() -> None:
    plan = two_hosts(Limit(10, "packets"))
    with pytest.raises(BadInput, match="there is no backpressure policy 'stop'; there are drop, rollback, quench"):
        SimSession(plan, pressure={"h1": "stop"})
    with pytest.raises(BadInput, match="no node or interface is called 'h3'; nodes are h1, h2"):
        SimSession(plan, pressure={"h3": "drop"})
    with pytest.raises(BadInput, match="h1-eth0: a dynamic queue limit needs a ring, which it limits; give it one"):
        SimSession(plan, bql=("h1",))
    with pytest.raises(BadInput, match="joins more than two policies"):
        SimSession(plan, pressure={"h1": "accounted+scheduled+drop"})
