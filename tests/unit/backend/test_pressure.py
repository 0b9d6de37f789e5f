"""Backpressure between TCP, a queue and a ring: every byte arrives under every policy, and each has its own price."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from pressed import Pour, two_hosts

from netlab.backend.native.pressed import PressedLiveExecutor
from netlab.backend.sim import SimSession
from netlab.backend.sim.txring import Ring, RingedQueue
from netlab.errors import BadInput
from netlab.stack.drivers.pipe import pipe
from netlab.stack.host import Host
from netlab.stack.ifnet import Ifnet
from netlab.stack.ip import Outgoing
from netlab.stack.mbuf import Mbuf
from netlab.stack.pressure import POLICIES, Accounted, Notify, Policy, Scheduled, WakeAll
from netlab.stack.pressure.account import Account, Charge
from netlab.stack.stage import Hop, to
from netlab.stack.steering import Moderation
from netlab.stack.tcp.host import TcpSocket
from netlab.stack.tcp.segment import Event
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.topology.spec import Limit
from netlab.units import MS, SEC


def ignore(socket: TcpSocket, event: Event, now: int) -> list[Hop]:
    """A program that does nothing."""
    return []


def jain(shares: list[int]) -> float:
    """1 when all have the same, 1/n when one has all."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


EVERY = (*POLICIES, "accounted+scheduled", "accounted+wake all", "accounted+notify")


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
    for joined in ("accounted+scheduled+drop", "scheduled+wake all", "accounted+accounted"):
        with pytest.raises(BadInput, match="join a connection's limit with one for the interface, as in accounted"):
            SimSession(plan, pressure={"h1": joined})


def test_text_that_waits_for_a_neighbour_in_vain_is_charged_to_nobody() -> None:
    pour = Pour("accounted", senders=1, size=3000)
    h1, h2 = (pour.session.executors[name].host for name in ("h1", "h2"))
    [dst] = h2.addresses
    h2.addresses = frozenset()
    h2.interfaces["h2-eth0"].addresses = ()
    boundary = pour.boundary
    socket, _ = TcpSocket.connect(h1, dst, 9, ignore, 0)
    connection = socket.endpoint.connection
    assert connection.gate is not None
    connection.gate.took(1000, 1000)
    m = Mbuf(bytes(1000))
    m.tag = Outgoing(dst, 6)
    m.charge = Charge(connection.gate, connection.iss + 1, 1000, 1, 0)  # type: ignore[arg-type]
    assert (boundary.coming, len(boundary.accounts)) == (1, 1)
    pour.session.executors["h1"].inject([to("ip.output", m)])
    pour.session.loop.run(30 * SEC)
    assert (boundary.coming, len(boundary.accounts)) == (0, 0)


@pytest.mark.parametrize("version", [4, 6])
def test_a_connection_over_a_vlan_is_bound_to_the_device(version: int) -> None:
    plan = resolve(replace(load_topology("qinq"), ipv6="static"))
    sender, receiver = plan.nodes[0], plan.nodes[1]
    session = SimSession(plan, traced=False, pressure={sender.name: "scheduled"})
    host, other = session.executors[sender.name].host, session.executors[receiver.name].host
    dst = min(other.addresses) if version == 4 else next(a for a in other.inet6.addresses if a >> 118 != 0x3FA)
    socket, _ = TcpSocket.connect(host, dst, 9, ignore, 0, version=version)
    gate = socket.endpoint.connection.gate
    assert isinstance(gate, Account)
    assert host.interfaces[gate.boundary.name].below is None
    assert gate.boundary is host.tcp.boundaries[gate.boundary.name]


def test_a_connection_never_has_more_below_tcp_than_its_allowance() -> None:
    pour = Pour("accounted", senders=6, size=200_000, queue=500)
    most: list[int] = []

    def look(_: object) -> None:
        accounts = list(pour.boundary.accounts)
        policy = pour.boundary.policy
        assert isinstance(policy, Accounted)
        most.extend(a.charged - policy.limit for a in accounts)
        most.extend(a.charged - max(policy.allowance(a, 1448), 10 * 1448) for a in accounts if a.connection.rto.srtt)
        if len(pour.sink.digests) < 6:
            pour.session.loop.at(pour.session.now + MS, look)

    pour.session.loop.at(0, look)
    pour.run()
    assert most and max(most) <= 0


def test_a_program_that_is_told_keeps_its_data_and_hears_when_it_may_go_on() -> None:
    """Under "notify" send takes nothing while the interface is full; elsewhere a megabyte goes into the buffer."""
    told, kept = Pour("notify", size=1_000_000, senders=2), Pour("drop", size=1_000_000, senders=2)
    heard: set[str] = set()
    for pour in (told, kept):
        pour.start()
        for t in range(25, 120):
            pour.session.loop.run(t * MS)
            heard |= {program.socket.refusal for program in told.programs}
    waiting = [program.socket.endpoint.connection for program in told.programs]
    unsent = [len(c.queue) - (c.snd_nxt - c.queue_start) for c in waiting]
    assert max(unsent) <= Notify().unsent
    assert min(len(program.socket.endpoint.connection.queue) for program in kept.programs) > 300_000
    assert "ENOBUFS" in heard
    told.session.loop.run()
    assert told.sink.digests == [hashlib.sha256(told.data).hexdigest()] * 2


def test_a_moderated_interrupt_frees_descriptors_in_batches() -> None:
    late = Pour("wake all", ring={"h1": Ring(64, Moderation(frames=16, ns=20 * MS))}).run()
    soon = Pour("wake all", ring={"h1": Ring(64)}).run()
    [queue] = [port.txq for port in late.session.executors["h1"].ports.values()]
    assert isinstance(queue, RingedQueue)
    assert queue.interrupts.raised < soon.boundary.counts.frames / 4
    assert late.sink.digests == soon.sink.digests


def test_the_queue_below_a_real_device_is_never_endless() -> None:
    host = Host("ours", "host", (Ifnet("va", bytes.fromhex("020000000001")),), ())
    live = PressedLiveExecutor(host, {"va": pipe("va", "vb")[0]}, base=0, ids=iter(()), emit=None)
    with pytest.raises(BadInput, match="va: the queue below a device is the kernel's"):
        live.press("va", "endless")
    live.press("va", "accounted")
    assert host.tcp.boundaries["va"].room() > 1000, "a driver that cannot tell has room"


# ---- what goes wrong -----------------------------------------------------------------------------


class LastFirst(Scheduled):
    """A wrong one: the youngest waiter goes first."""

    def __init__(self) -> None:
        super().__init__()
        self._stack: list[Account] = []

    def may(self, account: Account, wanted: int, piece: int) -> int:
        if account.grant >= min(wanted, piece):
            return account.grant
        room = self.boundary.room()
        if room > 0 and not self._stack:
            return min(wanted, room * piece)
        if account not in self._stack:
            self._stack.append(account)
        return self.boundary.wait(account)

    def space(self, now: int) -> list[Hop]:
        hops = []
        while self._stack and self.boundary.room() > 0:
            account = self._stack.pop()
            self.boundary.promise(account, 1448, 1)
            hops.append(self.boundary.wake(account))
        return hops


class Forgetful(WakeAll):
    """A wrong one: it takes for granted that acknowledgements will come, and forgets who has nothing under way."""

    def space(self, now: int) -> list[Hop]:
        self.waiters = {account: None for account in self.waiters if account.connection.board.segments}
        return super().space(now)


def shares(pour: Pour) -> list[int]:
    """What each connection has sent by now."""
    return [c.snd_una - c.iss for p in pour.programs for c in (p.socket.endpoint.connection,)]


def pressed_by(policy: Policy | None, senders: int = 40) -> Pour:
    pour = Pour("scheduled", senders=senders, size=2_000_000)
    if policy is not None:
        policy.boundary, pour.boundary.policy = pour.boundary, policy
    return pour


def test_who_wakes_the_youngest_first_starves_the_others() -> None:
    right, wrong = pressed_by(None).run(400 * MS), pressed_by(LastFirst()).run(400 * MS)
    assert jain([share for share in shares(right) if share > 1]) > 0.95
    assert jain([share for share in shares(wrong) if share > 1]) < 0.7


def test_the_watchdog_finds_a_wake_up_that_was_lost() -> None:
    right, wrong = Pour("wake all", senders=20, size=20_000).run(), Pour("wake all", senders=20, size=20_000)
    policy = Forgetful()
    policy.boundary, wrong.boundary.policy = wrong.boundary, policy
    wrong.run()
    assert right.session.stalled() == ()
    said = wrong.session.stalled()
    assert said and all("for h1-eth0, which is idle: a wake-up was lost" in sentence for sentence in said)
    assert [program.finished for program in wrong.programs].count(None) == len(said), "their programs wait for ever"
