"""The player: what passes, what fails and how that is told, what is refused, and how fast it goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netlab.cli.main import main
from netlab.packetdrill.player import play

ACCEPTED = """
0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   bind(3, ..., ...) = 0
+0   listen(3, 1) = 0
+0   < S  0:0(0) win 32767 <mss 1000>
+0   > S. 0:0(0) ack 1 win 65535 <mss 1460>
+0.1 <  . 1:1(0) ack 1 win 32767
+0   accept(3, ..., ...) = 4
"""


def test_a_right_script_passes() -> None:
    assert play(ACCEPTED).kind == "passed"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 2", "ack 1 instead of 2"),
        ("+0 write(4, ..., 10) = 10\n+0 > P. 1:12(11) ack 1", "10 bytes of data instead of 11"),
        ("+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1", "flags P. instead of ."),
        ("+0 write(4, ..., 10) = 10\n+0 > P. 2:12(10) ack 1", "sequence number 1 instead of 2"),
        ("+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 win 5", "window 65535 instead of 5"),
        ("+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 <nop,nop,TS val 1 ecr 1>", "options <>"),
        ("+0 write(4, ..., 10) = 10\n+0 >[ect0] P. 1:11(10) ack 1", "[noecn] instead of [ect0]"),
        ("+0 write(4, ..., 10) = 10\n+0 >(ttl 9) P. 1:11(10) ack 1", "ttl 64 instead of 9"),
        ("+0 write(4, ..., 10) = 11", "write() returned 10 instead of 11"),
        ("+0 read(4, ..., 10) = 0", "read() blocks"),
        ("+0 write(9, ..., 10) = 10", "returned -1 EBADF instead of 10"),
        ("+0 > . 1:1(0) ack 1", "nothing was sent"),
        ("+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0", "instead of"),
        ("+0 `sockstat -s | grep -c ESTABLISHED | grep 7`", "finds nothing"),
        ("0.01 close(4) = 0", "backwards"),
        ("+0...0.5 read(4, ..., 10) = 1\n+0.1 < P. 1:2(1) ack 1 win 9", "returned at 0.2"),
    ],
)
def test_a_wrong_expectation_fails_with_its_reason(line: str, said: str) -> None:
    verdict = play(ACCEPTED + line)
    assert verdict.kind == "failed"
    assert said in str(verdict)


def test_a_failure_names_its_line_and_tells_the_exchange() -> None:
    verdict = play(ACCEPTED + "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 7\n", "x.pkt")
    said = str(verdict)
    assert said.startswith("x.pkt:10: not the packet that must leave: ack 1 instead of 7")
    assert "expected  > P. 1:11(10) ack 7" in said
    assert "came      > P. 1:11(10) ack 1 win 65535" in said
    assert "0.000000  > S. 0:0(0) ack 1 win 65535 <mss 1460>" in said


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("+0 %{ import os }%", "import os"),
        ("+0 `rm -rf /tmp/x`", "rm -rf"),
        ("+0 `sysctl -w net.inet.tcp.nonsense=1`", "nonsense"),
        ("+0 `sysctl -w net.inet.tcp.functions_default=bbr`", "the TCP stack 'bbr'"),
        ("+0 kqueue() = 5", "kqueue"),
        ("+0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 5", "not TCP"),
        ("+0 setsockopt(4, IPPROTO_TCP, TCP_MD5SIG, [1], 4) = 0", "TCP_MD5SIG"),
        ("+0 < udp (100)", "UDP"),
        ("+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [EMADEUP_], [4]) = 0", "EMADEUP_"),
    ],
)
def test_what_is_not_played_here_is_refused_by_name(line: str, what: str) -> None:
    verdict = play(ACCEPTED + line)
    assert verdict.kind == "refused"
    assert what in str(verdict)


def test_a_script_s_own_system_is_found() -> None:
    syn = "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
    syn += "+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <{}>"
    bsd = "mss 1460,nop,wscale 6,sackOK,TS val 1 ecr 0"
    assert play(syn.format(bsd)).kind == "passed"
    linux = "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7"
    assert play("+0 `sysctl -q net.ipv4.tcp_sack=1`\n" + syn.format(linux)).kind == "passed"
    assert play(syn.format(linux), system="linux").kind == "passed"


def test_tolerance_is_a_matter_of_the_script() -> None:
    late = ACCEPTED + "+0.1 < P. 1:2(1) ack 1 win 32767\n+0.05 > . 1:1(0) ack 2"
    assert play(late).kind == "failed", "the delayed ACK comes after 40 ms"
    assert play("--tolerance_usecs=20000\n" + late).kind == "passed"


def test_timestamps_are_looked_at_when_their_tick_is_said() -> None:
    text = "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
    text += "+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <mss 1460,nop,wscale 6,sackOK,TS val 10 ecr 0>\n"
    text += "+1 > S 0:0(0) <mss 1460,nop,wscale 6,sackOK,TS val 500 ecr 0>\n"
    assert play(text).kind == "passed"
    assert play("--tcp_ts_tick_usecs=1000\n" + text).kind == "failed"


# ---- the command ---------------------------------------------------------------------------------


def script(folder: Path, name: str, line: str) -> str:
    path = folder / name
    path.write_text(ACCEPTED + line, encoding="utf-8")
    return str(path)


def test_exit_codes_tell_failed_unreadable_and_refused_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = script(tmp_path, "good.pkt", "")
    bad = script(tmp_path, "bad.pkt", "+0 > . 1:1(0) ack 1")
    broken = script(tmp_path, "broken.pkt", "+0 > S 0:9(0)")
    refused = script(tmp_path, "refused.pkt", "+0 %{ x }%")
    assert main(["packetdrill", good]) == 0
    assert main(["packetdrill", good, bad, broken, refused]) == 1
    assert main(["packetdrill", good, broken, refused]) == 2
    assert main(["packetdrill", good, refused]) == 3
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 2 scripts passed; 1 refused"
    assert main(["packetdrill", str(tmp_path / "none.pkt")]) == 2


def test_a_folder_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script(tmp_path, "good.pkt", "")
    (tmp_path / "sub").mkdir()
    script(tmp_path / "sub", "bad.pkt", "+0 > . 1:1(0) ack 1")
    assert main(["packetdrill", "--json", str(tmp_path)]) == 1
    kinds = [verdict["kind"] for verdict in json.loads(capsys.readouterr().out)]
    assert kinds == ["passed", "failed"]
