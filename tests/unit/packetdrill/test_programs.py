"""What a script's program may do besides sockets: code, files, epoll, commands; and how long segments are looked at."""

from __future__ import annotations

import pytest

from netlab.packetdrill.player import play

CONNECTED = """
0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   bind(3, ..., ...) = 0
+0   listen(3, 1) = 0
+0   < S  0:0(0) win 32767 <mss 1000>
+0   > S. 0:0(0) ack 1 <...>
+0.1 <  . 1:1(0) ack 1 win 32767
+0   accept(3, ..., ...) = 4
"""
LINUX = "`./defaults.sh`\n" + CONNECTED


@pytest.mark.parametrize(
    "code",
    [
        "assert tcpi_snd_mss == 1000",
        "assert tcpi_state == TCPS_ESTABLISHED, tcpi_state",
        "assert 900000 < tcpi_rto <= 1100000 and not tcpi_unacked",
        "mine = tcpi_snd_cwnd // tcpi_snd_mss\nassert mine == 10, mine",
        "assert (tcpi_options & TCPI_OPT_SACK) == 0\nprint(tcpi_rtt)",
        "if tcpi_snd_mss > 999:\n    assert max(1, 2) in (2, 3)\nelse:\n    assert False",
    ],
)
def test_code_that_holds(code: str) -> None:
    verdict = play(f"{CONNECTED}+0 %{{ {code} }}%")
    assert verdict.kind == "passed", str(verdict)


def test_code_that_does_not_hold_tells_the_numbers() -> None:
    verdict = play(CONNECTED + "+0 %{ assert tcpi_snd_mss == 1460 and tcpi_rto > 5, tcpi_snd_mss }%", "a.pkt")
    assert verdict.kind == "failed"
    assert "a.pkt:9: the assertion does not hold: tcpi_rto is 1000000, tcpi_snd_mss is 1000" in str(verdict)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("__import__('os').system('true')", "__import__"),
        ("open('/etc/passwd')", "open"),
        ("assert tcpi_snd_mss.real", "tcpi_snd_mss.real"),
        ("assert 9 ** 9", "9 ** 9"),
        ("assert 1 << 1000", "more than numbers"),
        ("while True:\n    pass", "while True"),
        ("assert [x for x in (1, 2)]", "for x in"),
        ("assert 'a' * 99", "more than numbers"),
        ("assert tcpi_weather", "tcpi_weather"),
        ("print tcpi_rtt", "print tcpi_rtt"),
        ("assert (lambda: 1)()", "lambda"),
    ],
)
def test_code_that_is_more_than_assertions_is_refused_and_never_run(code: str, said: str) -> None:
    verdict = play(f"{CONNECTED}+0 %{{ {code} }}%")
    assert verdict.kind == "refused", str(verdict)
    assert said in str(verdict)


def test_epoll_tells_what_a_socket_is_ready_for() -> None:
    verdict = play(
        CONNECTED
        + """
+0   epoll_create(1) = 5
+0   epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = 0
+0   epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = -1 EEXIST (File exists)
+0   epoll_wait(5, {events=0, fd=4}, 1, 0) = 0
+0...0.2 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 1000) = 1
+0.2 <  P. 1:11(10) ack 1 win 32767
+0   epoll_ctl(5, EPOLL_CTL_MOD, 4, {events=EPOLLOUT, ptr=7}) = 0
+0   epoll_wait(5, {events=EPOLLOUT, ptr=7}, 1, 0) = 1
+0   epoll_ctl(5, EPOLL_CTL_DEL, 4, {events=0, fd=4}) = 0
+0   epoll_ctl(5, EPOLL_CTL_DEL, 4, {events=0, fd=4}) = -1 ENOENT (No such file)
+0   close(5) = 0
+0   epoll_wait(5, {events=0, fd=4}, 1, 0) = -1 EBADF (Bad file descriptor)
"""
    )
    assert verdict.kind == "passed", str(verdict)


def test_a_file_is_sent_with_what_goes_around_it() -> None:
    verdict = play(
        CONNECTED
        + """
+0   open("/etc/hosts", O_RDONLY) = 5
+0   sendfile(5, 4, 0, 1500, {headers(1)=[{..., 200}], trailers(1)=[{..., 300}]}, [2000], 0) = 0
+0   > .  1:1001(1000) ack 1
+0   > P. 1001:2001(1000) ack 1
+0   close(5) = 0
"""
    )
    assert verdict.kind == "passed", str(verdict)


def test_scripts_for_linux_look_at_segments_before_they_are_cut() -> None:
    assert play(LINUX + "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1\n").kind == "passed"
    single = "+0 write(4, ..., 2000) = 2000\n+0 > . 1:1001(1000) ack 1\n+0 > P. 1001:2001(1000) ack 1\n"
    assert play(LINUX + single).kind == "passed"
    assert play(LINUX + "+0 write(4, ..., 3000) = 3000\n+0 > . 1:3001(3000) ack 1\n").kind == "failed", (
        "the last has PSH"
    )
    assert play(CONNECTED + "+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1\n").kind == "failed"


@pytest.mark.parametrize(
    "command",
    [
        "kldload -n tcp_rack cc_dctcp",
        "sysctl kern.timecounter.alloweddeviation=0",
        "sysctl -w net.inet.tcp.hostcache.purgenow=1 net.inet.tcp.syncookies_only=0",
        "sysctl -q net.ipv4.tcp_rmem='4096 540000 $((15*1024*1024))'",
        "sysctl -n net.inet.tcp.msl",
        "true; : ; echo a > /dev/null 2>&1 && kldstat",
    ],
)
def test_commands_that_change_nothing_here_or_a_knob(command: str) -> None:
    verdict = play(f"{CONNECTED}+0 `{command}`")
    assert verdict.kind == "passed", str(verdict)


def test_the_window_scale_follows_what_may_be_received_at_most() -> None:
    script = """`sysctl -q net.ipv4.tcp_rmem="4096 540000 $((15*1024*1024))"`
0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   bind(3, ..., ...) = 0
+0   listen(3, 1) = 0
+0   < S  0:0(0) win 32767 <mss 1000,nop,wscale 7>
+0   > S. 0:0(0) ack 1 <mss 1460,nop,wscale 8>
"""
    assert play(script).kind == "passed"


def test_tolerance_in_percent_grows_with_the_time_that_passed() -> None:
    late = CONNECTED + "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+{} > P. 1:11(10) ack 1"
    assert play("--tolerance_usecs=1000\n" + late.format("0.90")).kind == "failed"
    assert play("--tolerance_usecs=1000 --tolerance_percent=20\n" + late.format("0.90")).kind == "passed"
