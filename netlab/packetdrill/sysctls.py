"""Knobs of two systems by the names that their administrators use. What is not modelled is accepted at the value that
our behaviour stands for, and refused at any other."""

from __future__ import annotations

from collections.abc import Callable

from netlab.packetdrill.script import Refused
from netlab.stack.tcp.congestion import CONTROLS
from netlab.stack.tcp.layer import TcpLayer
from netlab.units import MS, SEC

Setter = Callable[[TcpLayer, str], None]


def _flag(name: str) -> Setter:
    return lambda layer, text: setattr(layer.knobs, name, int(text) != 0)


def _number(name: str, unit: int = 1) -> Setter:
    return lambda layer, text: setattr(layer.knobs, name, int(text.split()[0]) * unit)


def _middle(name: str) -> Setter:
    """``min default max`` (Linux): the default."""
    return lambda layer, text: setattr(layer.knobs, name, int(text.split()[len(text.split()) // 2]))


def _rfc1323(layer: TcpLayer, text: str) -> None:
    """0 nothing, 1 scaling and timestamps, 2 scaling, 3 timestamps."""
    layer.knobs.window_scaling = int(text) in (1, 2)
    layer.knobs.timestamps = int(text) in (1, 3)


def _delayed_ack(layer: TcpLayer, text: str) -> None:
    layer.knobs.delayed_ack = (layer.knobs.delayed_ack or 40 * MS) if int(text) else 0


def _drop_options(layer: TcpLayer, text: str) -> None:
    layer.knobs.syn_drops_options_after = 3 if int(text) else 0


def _congestion(layer: TcpLayer, text: str) -> None:
    if text not in CONTROLS:
        raise Refused(f"the congestion control '{text}'")
    layer.knobs.congestion = text


def _fast_open_client(layer: TcpLayer, text: str) -> None:
    layer.knobs.fast_open_client = int(text) != 0
    if not int(text):
        layer.jar.clear()


def _fast_open_linux(layer: TcpLayer, text: str) -> None:
    layer.knobs.fast_open_client, layer.knobs.fast_open_server = bool(int(text, 0) & 1), bool(int(text, 0) & 2)


def _purge(layer: TcpLayer, text: str) -> None:
    """Nothing is cached of hosts but fast open cookies, which have a cache of their own in FreeBSD too."""


def _backlog(layer: TcpLayer, text: str) -> None:
    layer.knobs.backlog = int(text)


FREEBSD: dict[str, Setter] = {
    "net.inet.tcp.rfc1323": _rfc1323,
    "net.inet.tcp.sack.enable": _flag("sack"),
    "net.inet.tcp.ecn.enable": _number("ecn"),
    "kern.ipc.maxsockbuf": _number("maximum_buffer"),
    "net.inet.tcp.recvspace": _number("receive_buffer"),
    "net.inet.tcp.sendspace": _number("send_buffer"),
    "net.inet.tcp.rexmit_initial": _number("rto_initial", MS),
    "net.inet.tcp.rexmit_min": _number("rto_minimum", MS),
    "net.inet.tcp.rexmit_slop": _number("rto_slop", MS),
    "net.inet.tcp.rexmit_drop_options": _drop_options,
    "net.inet.tcp.insecure_rst": _flag("insecure_rst"),
    "net.inet.tcp.insecure_syn": _flag("insecure_syn"),
    "net.inet.tcp.drop_synfin": _flag("drop_synfin"),
    "net.inet.tcp.blackhole": _flag("blackhole"),
    "net.inet.tcp.icmp_may_rst": _flag("icmp_may_reset"),
    "net.inet.tcp.tolerate_missing_ts": _flag("tolerate_missing_ts"),
    "net.inet.tcp.delayed_ack": _delayed_ack,
    "net.inet.tcp.delacktime": _number("delayed_ack", MS),
    "net.inet.tcp.msl": _number("msl", MS),
    "net.inet.tcp.finwait2_timeout": _number("fin_wait_2", MS),
    "net.inet.tcp.keepinit": _number("keep_init", MS),
    "net.inet.tcp.keepidle": _number("keep_idle", MS),
    "net.inet.tcp.keepintvl": _number("keep_interval", MS),
    "net.inet.tcp.keepcnt": _number("keep_count"),
    "net.inet.tcp.persmin": _number("persist_minimum", MS),
    "net.inet.tcp.persmax": _number("persist_maximum", MS),
    "net.inet.tcp.mssdflt": _number("default_mss"),
    "net.inet.tcp.v6mssdflt": _number("default_mss_v6"),
    "net.inet.tcp.minmss": _number("minimum_mss"),
    "net.inet.tcp.initcwnd_segments": _number("initial_window"),
    "net.inet.tcp.rfc3042": _flag("limited_transmit"),
    "net.inet.tcp.path_mtu_discovery": _flag("path_mtu_discovery"),
    "net.inet.tcp.cc.algorithm": _congestion,
    "net.inet.tcp.syncookies": _flag("syn_cookies"),
    "net.inet.tcp.syncookies_only": _flag("syn_cookies_only"),
    "net.inet.tcp.syncache.rexmtlimit": _number("synack_retries"),
    "net.inet.tcp.rexmit_maxretries": _number("retries"),
    "net.inet.tcp.fastopen.client_enable": _fast_open_client,
    "net.inet.tcp.fastopen.server_enable": _flag("fast_open_server"),
    "net.inet.tcp.fastopen.enabled": _flag("fast_open_server"),
    "net.inet.tcp.hostcache.purgenow": _purge,
    "net.inet.tcp.hostcache.purge": _purge,
    "net.inet.tcp.udp_tunneling_port": _number("udp_port"),
    "net.inet.tcp.udp_tunneling_overhead": _number("udp_overhead"),
    "net.inet.tcp.ecn.maxretries": _number("ecn_syn_retries"),
    "net.inet.tcp.pmtud_blackhole_detection": _number("blackhole_detection"),
    "net.inet.tcp.pmtud_blackhole_mss": _number("blackhole_mss"),
    "net.inet.tcp.v6pmtud_blackhole_mss": _number("blackhole_mss_v6"),
    "net.inet.tcp.ack_war_cnt": _number("challenge_limit"),
    "net.inet.tcp.ack_war_timewindow": _number("challenge_period", MS),
    "kern.ipc.somaxconn": _backlog,
    "kern.ipc.soacceptqueue": _backlog,
}
LINUX: dict[str, Setter] = {
    "tcp_window_scaling": _flag("window_scaling"),
    "tcp_timestamps": _flag("timestamps"),
    "tcp_sack": _flag("sack"),
    "tcp_ecn": _number("ecn"),
    "tcp_rmem": _middle("receive_buffer"),
    "tcp_wmem": _middle("send_buffer"),
    "tcp_fin_timeout": _number("fin_wait_2", SEC),
    "tcp_syn_retries": _number("syn_retries"),
    "tcp_synack_retries": _number("synack_retries"),
    "tcp_retries2": _number("retries"),
    "tcp_syncookies": _flag("syn_cookies"),
    "tcp_keepalive_time": _number("keep_idle", SEC),
    "tcp_keepalive_intvl": _number("keep_interval", SEC),
    "tcp_keepalive_probes": _number("keep_count"),
    "tcp_congestion_control": _congestion,
    "tcp_fastopen": _fast_open_linux,
    "tcp_recovery": _flag("rack"),
    "tcp_early_retrans": lambda layer, text: setattr(layer.knobs, "tail_loss_probe", int(text) >= 3),
    "tcp_reordering": _number("duplicate_threshold"),
    "tcp_base_mss": lambda layer, text: None,
    "tcp_max_syn_backlog": _backlog,
    "tcp_invalid_ratelimit": _number("challenge_period", MS),
    "tcp_min_snd_mss": _number("minimum_mss"),
}

STANDS_FOR: dict[str, tuple[str, ...]] = {
    "net.inet.tcp.functions_default": ("freebsd",),
    "net.inet.tcp.tso": ("0", "1"),
    "net.inet.tcp.rfc3390": ("1",),
    "net.inet.tcp.do_prr": ("1", "0"),
    "net.inet.tcp.rfc6675_pipe": ("0", "1"),
    "net.inet.tcp.abc_l_var": ("2",),
    "net.inet.tcp.recvbuf_auto": ("0", "1"),
    "net.inet.tcp.sendbuf_auto": ("0", "1"),
    "net.inet.tcp.always_keepalive": ("0", "1"),
    "net.inet.tcp.nolocaltimewait": ("0",),
    "net.inet.tcp.fast_finwait2_recycle": ("0",),
    "net.inet.tcp.newcwv": ("0",),
    "net.inet.tcp.per_cpu_timers": ("0", "1"),
    "net.inet.tcp.log_in_vain": ("0", "1", "2"),
    "net.inet.tcp.log_debug": ("0", "1"),
    "net.inet.tcp.fastopen.psk_enable": ("0",),
    "net.inet.tcp.fastopen.acceptany": ("0",),
    "net.inet.tcp.fastopen.autokey": ("0", "120"),
    "net.inet.tcp.syncache.rst_on_sock_fail": ("1",),
    "net.inet.tcp.do_lrd": ("0", "1"),
    "net.inet.tcp.insecure_ack": ("0",),
    "net.inet.tcp.fastopen.path_disable_time": ("900",),
    "net.inet.tcp.hostcache.enable": ("0", "1"),
    "net.inet.ip.ttl": ("64",),
    "net.ipv4.tcp_mtu_probing": ("0",),
    "net.ipv4.tcp_dsack": ("1",),
    "net.ipv4.tcp_fack": ("0",),
    "net.ipv4.tcp_frto": ("0",),
    "net.ipv4.tcp_slow_start_after_idle": ("1",),
    "net.ipv4.tcp_no_metrics_save": ("0", "1"),
    "net.ipv4.tcp_moderate_rcvbuf": ("0",),
    "net.ipv4.tcp_autocorking": ("0",),
    "net.ipv4.tcp_abort_on_overflow": ("0",),
    "net.ipv4.tcp_rfc1337": ("0", "1"),
    "net.ipv4.tcp_tso_win_divisor": ("3",),
}
"""Sysctls that nothing here depends on, and the values that our behaviour stands for."""


def set_knob(layer: TcpLayer, name: str, text: str) -> None:
    """What ``sysctl name=text`` does; Refused for a name or a value that stands for nothing here."""
    text = text.strip().strip("\"'")
    if name.startswith(("net.inet.tcp.hostcache.", "net.inet.icmp.icmplim")):
        return
    setter = FREEBSD.get(name) or LINUX.get(name.removeprefix("net.ipv4."))
    try:
        if setter is not None:
            setter(layer, text)
            return
    except ValueError:
        raise Refused(f"the sysctl {name} with the value '{text}'") from None
    if text not in STANDS_FOR.get(name, ()):
        raise Refused(f"the sysctl {name}={text}" if name in STANDS_FOR else f"the sysctl {name}")
