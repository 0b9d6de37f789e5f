"""The race of simulators: what takes part, and that it takes turns."""

from __future__ import annotations

import sys

import pytest

from netlab.backend.sim import SimSession
from netlab.cli.benches.models import netlab_model, netlab_tcp_model
from netlab.cli.benches.sim import Contestant
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.wire import udp
from netlab.workload.spec import UdpEcho


def test_a_contestant_answers_as_often_as_it_is_asked() -> None:
    program = "print('ready', flush=True)\nfor n, _ in enumerate(__import__('sys').stdin): print(n + 1.5, flush=True)"
    contestant = Contestant([sys.executable, "-c", program])
    assert [contestant.packets_a_second() for _ in range(2)] == [1.5, 2.5]
    contestant.close()


def test_a_simulator_that_is_not_there_is_an_import_error() -> None:
    with pytest.raises(ImportError):
        Contestant([sys.executable, "-c", "import a_simulator_that_is_not_there"])


@pytest.mark.parametrize("recorded", [True, False])
def test_our_model_delivers_every_packet(recorded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlab_model, "PACKETS", 50)
    assert netlab_model.scenario(recorded=recorded, summed=not recorded) > 0


def test_our_model_of_tcp_fills_the_link() -> None:
    assert netlab_tcp_model.scenario(recorded=False) > 0, "it asserts by itself that seven tenths of it are used"


def test_a_host_may_leave_the_udp_checksum_out_and_is_understood() -> None:
    def checksums(host_sums: bool) -> set[bool]:
        with SimSession(resolve(load_topology("pair"))) as session:
            session.executors["h1"].host.udp_checksum = host_sums
            [outcome] = session.run([UdpEcho("h1", "h2", count=3)])
        assert outcome.answered == 3
        frames = [
            r.data[4] for r in session.log if r.kind == "wire.tx" and r.node == "h1" and r.data[4][23:24] == b"\x11"
        ]
        assert len(frames) == 3
        return {udp.fields(frame, 34)[3] != 0 for frame in frames}

    assert checksums(True) == {True}
    assert checksums(False) == {False}
