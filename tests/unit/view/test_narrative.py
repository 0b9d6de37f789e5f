from __future__ import annotations

from types import SimpleNamespace

from netlab.trace.journey import journeys
from netlab.view.narrative import tell
from netlab.view.path import packet_path
from netlab.view.steps import by_packet, steps_of


def words(sample: SimpleNamespace, pkt: int) -> list[str]:
    return list(packet_path(sample.sample_log(), pkt).narrative)


def test_a_router_s_work_is_told_from_the_bytes(sample: SimpleNamespace) -> None:
    (router,) = [line for line in words(sample, 1) if "r1 took it in" in line]
    assert "lowered its TTL from 64 to 63, wrote new MAC addresses" in router
    assert "held it 40 µs in the queue of r1-eth1, as number 2" in router
    assert "waited 200 ns for the lock arp table" in router
    assert "sent it out of r1-eth1 (to h2-eth0, 2 ms on the way)" in router


def test_a_switch_changes_nothing(sample: SimpleNamespace) -> None:
    (switch,) = [line for line in words(sample, 1) if "s1 took it in" in line]
    assert "TTL" not in switch and "MAC" not in switch


def test_the_end_is_told_and_what_it_caused(sample: SimpleNamespace) -> None:
    assert words(sample, 1)[-2].endswith("kept it: here its journey ended.")
    assert words(sample, 1)[-1] == (
        "It caused: ARP who has 10.0.1.254? (packet 2); ICMP echo reply 10.0.2.1 > 10.0.1.1 (packet 4)."
    )
    assert any("dropped it at ip.forward: the TTL reached 0" in line for line in words(sample, 5))


def test_a_sentence_names_its_first_step_and_record(sample: SimpleNamespace) -> None:
    log = sample.sample_log()
    steps = steps_of(by_packet(log)[1], {"h1-eth0": 0})
    told = tell(log, journeys(log)[1], steps)
    assert [sentence.record for sentence in told] == [steps[sentence.step].record for sentence in told]
    assert [log[sentence.record].node for sentence in told] == ["h1", "s1", "r1", "h2"]


def test_frames_that_are_not_kept_or_not_readable_are_no_trouble(sample: SimpleNamespace) -> None:
    log = sample.sample_log()
    for index, row in enumerate(log.rows):
        if row[1] == "wire.tx":
            log.rows[index] = (*row[:6], (*row[6][:4], None if index % 2 else b"\x01\x02"))
    assert any("r1 took it in at r1-eth0" in line for line in packet_path(log).narrative)
