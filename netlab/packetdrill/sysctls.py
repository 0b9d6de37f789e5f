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


def _three(name: str, largest: str = "") -> Setter:
    """``min default max`` (Linux): the default, and for what is received the largest too, which scales windows."""

    def put(layer: TcpLayer, text: str) -> None:
        numbers = [int(part) for part in text.split()]
        setattr(layer.knobs, name, numbers[len(numbers) // 2])
        if largest and len(numbers) == 3:
            setattr(layer.knobs, largest, numbers[2])

    return put


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


def _backlog(layer: TcpLayer, text: str) -> None:
    layer.knobs.backlog = int(text)


def functions(layer: TcpLayer, text: str) -> None:
    """FreeBSD's choice of a TCP: of RACK, what RFC 8985 says is here; pacing and its own windows are not."""
    if text not in ("freebsd", "rack"):
        raise Refused(f"the TCP stack '{text}'")
    layer.knobs.rack = layer.knobs.tail_loss_probe = text == "rack"


FREEBSD: dict[str, Setter] = {
    "net.inet.tcp.functions_default": functions,
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
    "net.inet.tcp.blackhole": _number("blackhole"),
    "net.inet.tcp.icmp_may_rst": _flag("icmp_may_reset"),
    "net.inet.tcp.tolerate_missing_ts": _flag("tolerate_missing_ts"),
    "net.inet.tcp.delayed_ack": _delayed_ack,
    "net.inet.tcp.delacktime": _number("delayed_ack", MS),
    "net.inet.tcp.msl": _number("msl", MS),
    "net.inet.tcp.fast_finwait2_recycle": _flag("fast_fin_wait_2"),
    "net.inet.tcp.fastopen.acceptany": _flag("fast_open_any_cookie"),
    "net.inet.tcp.fastopen.autokey": _flag("fast_open_grants"),
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
    "tcp_rmem": _three("receive_buffer", "maximum_buffer"),
    "tcp_wmem": _three("send_buffer"),
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
    "tcp_max_syn_backlog": _backlog,
    "tcp_invalid_ratelimit": _number("challenge_period", MS),
    "tcp_min_snd_mss": _number("minimum_mss"),
}

SWITCH = ("0", "1")
STANDS_FOR: dict[str, tuple[str, ...]] = {
    "net.inet.tcp.abc_l_var": ("2",),
    "net.inet.tcp.always_keepalive": SWITCH,
    "net.inet.tcp.bind_all_fibs": SWITCH,
    "net.inet.tcp.blackhole_local": SWITCH,
    "net.inet.tcp.cc.abe": ("0",),
    "net.inet.tcp.cc.abe_frlossreduce": ("0",),
    "net.inet.tcp.cc.newreno.beta": ("50",),
    "net.inet.tcp.cc.newreno.beta_ecn": ("80",),
    "net.inet.tcp.do_lrd": SWITCH,
    "net.inet.tcp.do_prr": SWITCH,
    "net.inet.tcp.do_prr_conservative": ("0",),
    "net.inet.tcp.experimental.initcwnd10": ("1",),
    "net.inet.tcp.fastopen.path_disable_time": ("900",),
    "net.inet.tcp.fastopen.psk_enable": ("0",),
    "net.inet.tcp.functions_inherit_listen_socket_stack": SWITCH,
    "net.inet.tcp.insecure_ack": ("0",),
    "net.inet.tcp.isn_reseed_interval": ("0",),
    "net.inet.tcp.log_debug": SWITCH,
    "net.inet.tcp.log_in_vain": ("0", "1", "2"),
    "net.inet.tcp.maxunacktime": ("0",),
    "net.inet.tcp.newcwv": ("0",),
    "net.inet.tcp.newreno": ("1",),
    "net.inet.tcp.nolocaltimewait": SWITCH,  # no peer of a script is local
    "net.inet.tcp.per_cpu_timers": SWITCH,
    "net.inet.tcp.read_locking": SWITCH,
    "net.inet.tcp.recvbuf_auto": SWITCH,
    "net.inet.tcp.rfc3390": ("1",),
    "net.inet.tcp.rfc3465": ("1",),
    "net.inet.tcp.rfc6675_pipe": SWITCH,
    "net.inet.tcp.sack.lrd": SWITCH,
    "net.inet.tcp.sack.revised": SWITCH,
    "net.inet.tcp.sack.tso": SWITCH,
    "net.inet.tcp.sendbuf_auto": SWITCH,
    "net.inet.tcp.sendbuf_auto_lowat": SWITCH,
    "net.inet.tcp.soreceive_stream": SWITCH,
    "net.inet.tcp.syncache.rst_on_sock_fail": ("1",),
    "net.inet.tcp.syncache.see_other": SWITCH,
    "net.inet.tcp.ts_offset_per_conn": SWITCH,
    "net.inet.tcp.tso": SWITCH,
    "net.inet.tcp.use_local_fib": SWITCH,
    "net.inet.ip.ttl": ("64",),
    "net.inet.ip.rfc6864": SWITCH,
    "net.inet.ip.random_id": SWITCH,
    "net.inet.ip.forwarding": ("0",),
    "net.inet6.ip6.hlim": ("64",),
    "net.inet6.ip6.forwarding": ("0",),
    "net.ipv4.tcp_abort_on_overflow": ("0",),
    "net.ipv4.tcp_autocorking": ("0",),
    "net.ipv4.tcp_base_mss": ("1024", "512"),
    "net.ipv4.tcp_comp_sack_nr": ("0", "44"),
    "net.ipv4.tcp_dsack": ("1",),
    "net.ipv4.tcp_ecn_fallback": ("1",),
    "net.ipv4.tcp_fack": ("0",),
    "net.ipv4.tcp_frto": ("0", "2"),
    "net.ipv4.tcp_mtu_probing": ("0",),
    "net.ipv4.tcp_moderate_rcvbuf": ("0", "1"),
    "net.ipv4.tcp_no_metrics_save": SWITCH,
    "net.ipv4.tcp_retries1": ("3",),
    "net.ipv4.tcp_rfc1337": SWITCH,
    "net.ipv4.tcp_shrink_window": ("0",),
    "net.ipv4.tcp_slow_start_after_idle": SWITCH,
    "net.ipv4.tcp_thin_linear_timeouts": ("0",),
    "net.ipv4.tcp_tso_win_divisor": ("3",),
    "net.ipv4.tcp_tw_reuse": ("0", "2"),
    "net.ipv4.tcp_workaround_signed_windows": ("0",),
    "net.ipv4.ip_no_pmtu_disc": ("0",),
}
"""Sysctls that nothing here depends on, and the values that our behaviour stands for."""
WITHOUT_MEANING = (
    # clocks, memory, tables and logs: nothing that a segment could show
    "kern.timecounter.",
    "kern.eventtimer.",
    "kern.ipc.nmb",
    "kern.ipc.maxsockets",
    "kern.maxfiles",
    "kern.random.",
    "kern.smp.",
    "debug.",
    "dev.",
    "hw.",
    "security.",
    "vm.",
    "net.isr.",
    "net.bpf.",
    "net.link.",
    "net.pf.",
    "net.inet.icmp.",
    "net.inet.udp.",
    "net.inet6.icmp6.",
    "net.inet.ip.portrange.",
    "net.inet6.ip6.dad_count",
    "net.inet.tcp.bb.",
    "net.inet.tcp.fastopen.ccache_",
    "net.inet.tcp.fastopen.keylen",
    "net.inet.tcp.fastopen.max",
    "net.inet.tcp.fastopen.num",
    "net.inet.tcp.fastopen.setkey",
    "net.inet.tcp.hostcache.",
    "net.inet.tcp.hpts.",
    "net.inet.tcp.lro.",
    "net.inet.tcp.map_",
    "net.inet.tcp.maxtcptw",
    "net.inet.tcp.msl_local",
    "net.inet.tcp.pacing_",
    "net.inet.tcp.pcap_",
    "net.inet.tcp.reass.",
    "net.inet.tcp.recvbuf_inc",
    "net.inet.tcp.recvbuf_max",
    "net.inet.tcp.sack.globalmaxholes",
    "net.inet.tcp.sack.maxholes",
    "net.inet.tcp.sendbuf_inc",
    "net.inet.tcp.sendbuf_max",
    "net.inet.tcp.split_limit",
    "net.inet.tcp.syncache.bucketlimit",
    "net.inet.tcp.syncache.cachelimit",
    "net.inet.tcp.syncache.hashsize",
    # what the stacks RACK and BBR are set to: neither is in force here
    "net.inet.tcp.rack.",
    "net.inet.tcp.bbr.",
    "net.core.",
    "net.ipv4.conf.",
    "net.ipv6.conf.",
    "net.ipv4.icmp_",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_fastopen_key",
    "net.ipv4.tcp_fastopen_blackhole_timeout_sec",
    "net.ipv4.tcp_limit_output_bytes",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_mem",
    "net.ipv4.tcp_min_tso_segs",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_pacing_",
    "net.ipv4.tcp_tso_rtt_log",
)
"""Beginnings of names of sysctls that may be set to anything: no behaviour here could depend on them."""


def set_knob(layer: TcpLayer, name: str, text: str) -> None:
    """What ``sysctl name=text`` does; Refused for a name or a value that stands for nothing here."""
    text = text.strip().strip("\"'")
    setter = FREEBSD.get(name) or LINUX.get(name.removeprefix("net.ipv4."))
    if setter is None and name.startswith(WITHOUT_MEANING):
        return
    try:
        if setter is not None:
            setter(layer, text)
            return
    except ValueError:
        raise Refused(f"the sysctl {name} with the value '{text}'") from None
    if text not in STANDS_FOR.get(name, ()):
        raise Refused(f"the sysctl {name}={text}" if name in STANDS_FOR else f"the sysctl {name}")
