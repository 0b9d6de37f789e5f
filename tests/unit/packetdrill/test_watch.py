"""Watching: what our TCP does by itself, told in lines."""

from __future__ import annotations

import pytest

from netlab.errors import BadInput
from netlab.packetdrill.watch import watch

PEER = """
0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
0    bind(3, ..., ...) = 0
0    listen(3, 1) = 0
0    < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 5 ecr 0>
0.1  < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 6 ecr 0>
0.1  accept(3, ..., ...) = 4
"""


def test_everything_that_passes_is_told_when_it_passes() -> None:
    assert watch(PEER + "0.2 write(4, ..., 10) = 10", since=0.1, seconds=1).splitlines() == [
        "  0.100000  < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 6 ecr 0>",
        "  0.100000  accept(3, ..., ...) = 4",
        "  0.200000  write(4, ..., 10) = 10",
        "  0.200000  > P. 1:11(10) ack 1 win 65535 <nop,nop,TS val 200 ecr 6>",
        "  0.700000  > P. 1:11(10) ack 1 win 65535 <nop,nop,TS val 700 ecr 6>",
    ]


def test_what_a_script_expects_to_leave_is_passed_over() -> None:
    expecting = PEER + "0.2 write(4, ..., 10) = 10\n0.2 > R 7:7(0)\n"
    assert watch(expecting) == watch(PEER + "0.2 write(4, ..., 10) = 10\n")


@pytest.mark.parametrize(
    ("text", "said"), [("0 f(", "the end"), ("0 kqueue() = 3", "kqueue"), ("0 close(9) = 0", "EBADF")]
)
def test_what_cannot_be_watched_is_said(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        watch(text)
