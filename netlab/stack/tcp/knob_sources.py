"""Where each of `Knobs` comes from: the standard, and what the two systems call it."""

from __future__ import annotations

from typing import NamedTuple


class Source(NamedTuple):
    """``rfc`` says what is asked for; the others are sysctls (net.inet.tcp., net.ipv4.tcp_) or where it is fixed."""

    rfc: str
    freebsd: str = ""
    linux: str = ""


SOURCES: dict[str, Source] = {
    "system": Source("none: which of two sets of details", "the base stack of 14", "6.x"),
    "window_scaling": Source("RFC 7323 §2", "rfc1323", "window_scaling"),
    "timestamps": Source("RFC 7323 §3", "rfc1323", "timestamps"),
    "sack": Source("RFC 2018", "sack.enable", "sack"),
    "ecn": Source("RFC 3168 §6.1.1", "ecn.enable", "ecn"),
    "ecn_syn_retries": Source("RFC 3168 §6.1.1.1", "ecn.maxretries", "ecn_fallback"),
    "layout": Source("RFC 9293 §3.1: any order", "tcp_addoptions()", "tcp_options_write()"),
    "tolerate_missing_ts": Source("RFC 7323 §3.2 says no", "tolerate_missing_ts"),
    "syn_drops_options_after": Source("none", "rexmit_drop_options"),
    "fast_open_client": Source("RFC 7413 §4", "fastopen.client_enable", "fastopen, bit 0"),
    "fast_open_server": Source("RFC 7413 §4", "fastopen.server_enable", "fastopen, bit 1"),
    "fast_open_any_cookie": Source("RFC 7413 §4.1.2 says no", "fastopen.acceptany", "fastopen, bit 9"),
    "fast_open_grants": Source("RFC 7413 §4.1.2", "fastopen.setkey, fastopen.autokey", "fastopen_key"),
    "nagle": Source("RFC 9293 §3.7.4; Minshall's draft of 1999", "tcp_output()", "tcp_minshall_check()"),
    "default_mss": Source("RFC 9293 §3.7.1: MUST-15", "mssdflt", "536"),
    "default_mss_v6": Source("RFC 9293 §3.7.1: MUST-15", "v6mssdflt", "1220"),
    "minimum_mss": Source("RFC 9293 §3.7.1 leaves it open", "minmss", "min_snd_mss"),
    "receive_buffer": Source("RFC 9293 §3.8.6", "recvspace", "rmem"),
    "send_buffer": Source("RFC 9293 §3.9.1.2", "sendspace", "wmem"),
    "maximum_buffer": Source("RFC 7323 §2.2", "kern.ipc.maxsockbuf", "rmem"),
    "rounds_buffers": Source("none", "tcp_mss()"),
    "initial_window": Source("RFC 6928", "initcwnd_segments", "ip route … initcwnd"),
    "initial_threshold": Source("RFC 9040 §8", "the host cache", "no_metrics_save"),
    "delayed_ack": Source("RFC 9293 §3.8.6.3, RFC 5681 §4.2", "delacktime", "TCP_DELACK_MIN"),
    "quick_acks": Source("RFC 5681 §4.2 allows it", "", "TCP_MAX_QUICKACKS"),
    "challenge_limit": Source("RFC 5961 §7", "ack_war_cnt", "invalid_ratelimit"),
    "challenge_period": Source("RFC 5961 §7", "ack_war_timewindow", "invalid_ratelimit"),
    "insecure_rst": Source("RFC 5961 §3 says no", "insecure_rst"),
    "insecure_syn": Source("RFC 5961 §4 says no", "insecure_syn"),
    "drop_synfin": Source("none", "drop_synfin"),
    "blackhole": Source("RFC 9293 §3.5.2 says no", "blackhole"),
    "icmp_may_reset": Source("RFC 1122 §4.2.3.9, RFC 5927 §5.2", "icmp_may_rst", "tcp_v4_err()"),
    "unreachable_ends_connect": Source("RFC 5461 §4", "tcp_notify()", "tcp_v4_err()"),
    "takes_ack_of_old": Source("RFC 9293 §3.10.7.4, first check", "tcp_do_segment()", "tcp_rcv_established()"),
    "rto_initial": Source("RFC 6298 §2.1", "rexmit_initial", "TCP_TIMEOUT_INIT"),
    "rto_minimum": Source("RFC 6298 §2.4 (1 s; both go below)", "rexmit_min", "rto_min_us"),
    "rto_slop": Source("none", "rexmit_slop"),
    "rto_maximum": Source("RFC 6298 §2.5", "TCPTV_REXMTMAX", "rto_max_ms"),
    "rto_backs_off_minimum": Source("RFC 6298 §5.5", "tcp_timer_rexmt()", "tcp_retransmit_timer()"),
    "retries": Source("RFC 9293 §3.8.3", "TCP_MAXRXTSHIFT", "retries2"),
    "syn_retries": Source("RFC 9293 §3.8.3", "TCP_MAXRXTSHIFT", "syn_retries"),
    "synack_retries": Source("RFC 9293 §3.8.3", "syncache.rexmtlimit", "synack_retries"),
    "duplicate_threshold": Source("RFC 5681 §3.2", "constant: tcprexmtthresh", "reordering"),
    "limited_transmit": Source("RFC 3042", "rfc3042", "always"),
    "rack": Source("RFC 8985 §6", "functions_default=rack", "recovery"),
    "tail_loss_probe": Source("RFC 8985 §7", "functions_default=rack", "early_retrans"),
    "reorder_slop": Source("RFC 8985 §6.2 leaves it open", "", "TCP_TIMEOUT_MIN"),
    "congestion": Source("RFC 9438, RFC 6582, RFC 8257", "cc.algorithm", "congestion_control"),
    "persist_minimum": Source("RFC 9293 §3.8.6.1", "persmin", "rto_min_us"),
    "persist_maximum": Source("RFC 9293 §3.8.6.1", "persmax", "rto_max_ms"),
    "path_mtu_discovery": Source("RFC 1191, RFC 8201", "path_mtu_discovery", "ip_no_pmtu_disc"),
    "blackhole_detection": Source("RFC 2923 §2.1, RFC 4821", "pmtud_blackhole_detection", "mtu_probing"),
    "blackhole_mss": Source("RFC 4821 §7.7", "pmtud_blackhole_mss", "base_mss"),
    "blackhole_mss_v6": Source("RFC 4821 §7.7", "v6pmtud_blackhole_mss", "base_mss"),
    "msl": Source("RFC 9293 §3.4.2 (2 min)", "msl", "TCP_TIMEWAIT_LEN"),
    "fin_wait_2": Source("RFC 9293 §3.6 leaves it open", "finwait2_timeout", "fin_timeout"),
    "fast_fin_wait_2": Source("none", "fast_finwait2_recycle"),
    "reset_on_unread": Source("RFC 1122 §4.2.2.13, RFC 2525 §2.17", "tcp_usr_close()", "tcp_close()"),
    "keep_init": Source("RFC 9293 §3.9.1.1", "keepinit"),
    "keep_idle": Source("RFC 9293 §3.8.4: MUST-28", "keepidle", "keepalive_time"),
    "keep_interval": Source("RFC 9293 §3.8.4", "keepintvl", "keepalive_intvl"),
    "keep_count": Source("RFC 9293 §3.8.4", "keepcnt", "keepalive_probes"),
    "syn_cookies": Source("RFC 4987 §3.6", "syncookies", "syncookies=1"),
    "syn_cookies_only": Source("RFC 4987 §3.6", "syncookies_only", "syncookies=2"),
    "backlog": Source("RFC 4987 §3.1", "kern.ipc.soacceptqueue", "net.core.somaxconn"),
    "udp_port": Source("RFC 6951 in spirit", "udp_tunneling_port"),
    "udp_overhead": Source("RFC 6951 in spirit", "udp_tunneling_overhead"),
    "longest_segment": Source("none: GSO", "TSO of a device", "gso_max_size"),
}
"""Knob -> its source. A system that has no such setting has none here either."""
