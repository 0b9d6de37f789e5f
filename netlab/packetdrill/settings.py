"""What a script's options (``--tolerance_usecs=5000``) ask of the player."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from netlab.packetdrill.script import Refused

VERSIONS = {"ipv4": 4, "ipv6": 6, "ipv4-mapped-ipv6": 4, "ipv4_mapped_ipv6": 4}
IGNORED = frozenset(
    {
        "local_ip",
        "remote_ip",
        "local_ipv4",
        "remote_ipv4",
        "local_ipv6",
        "remote_ipv6",
        "netmask_ip",
        "gateway_ip",
        "local_linklocal_ip",
        "connect_port",
        "bind_port",
        "speed",
        "tun_speed",
        "is_anyip",
        "tun_dev",
        "persistent_tun_dev",
        "mss",
        "wire_client",
        "wire_server",
        "wire_server_ip",
        "wire_server_port",
        "wire_client_dev",
        "wire_server_dev",
        "wire_server_hw_address",
        "send_omit_free",
        "dry_run",
        "verbose",
        "v",
        "debug",
        "init_scripts",
        "code_command",
        "code_format",
        "code_sockopt",
        "no_cleanup",
        "so_filename",
        "so_flags",
        "strict_segments",
    }
)
"""Options of packetdrill that say how it reaches a kernel; here there is none."""


class Settings(NamedTuple):
    """Times in ns. ``stamp_tick``: µs a tick of our timestamps; None: they are not looked at."""

    version: int = 4
    mtu: int = 1500
    tolerance: int = 4_000_000
    """packetdrill's own default."""
    percent: float = 0
    """Of the time since the event before: what is later by so much is still in time."""
    stamp_tick: int | None = None


def settings(options: Mapping[str, str]) -> Settings:
    """The options as settings; Refused for one that is not known, or whose value is not."""
    found = Settings()
    for name, value in options.items():
        if name == "ip_version":
            if value not in VERSIONS:
                raise Refused(f"--ip_version={value}")
            found = found._replace(version=VERSIONS[value])
        elif name == "mtu":
            found = found._replace(mtu=int(_number(name, value)))
        elif name == "tolerance_usecs":
            found = found._replace(tolerance=int(_number(name, value) * 1000))
        elif name == "tolerance_percent":
            found = found._replace(percent=_number(name, value))
        elif name == "tcp_ts_tick_usecs":
            found = found._replace(stamp_tick=int(_number(name, value)) or None)
        elif name == "udp_encapsulation":
            if value not in ("tcp", "udp", "none"):
                raise Refused(f"--udp_encapsulation={value}")
        elif name == "non_fatal":
            raise Refused("--non_fatal: what differs here fails")
        elif name not in IGNORED:
            raise Refused(f"the option --{name}")
    return found


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise Refused(f"--{name}={value}") from None
