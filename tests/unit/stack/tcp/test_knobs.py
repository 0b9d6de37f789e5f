"""Every knob says where it comes from, and what scripts may set of it is called the same there."""

from __future__ import annotations

import re
from dataclasses import asdict

from netlab.packetdrill.sysctls import FREEBSD
from netlab.stack.tcp.knob_sources import SOURCES
from netlab.stack.tcp.knobs import Knobs, freebsd, linux


def test_every_knob_has_a_source_and_every_source_a_knob() -> None:
    assert list(SOURCES) == list(asdict(Knobs()))
    assert all(source.rfc and (source.freebsd or source.linux) for source in SOURCES.values())


def test_what_differs_between_the_systems_has_a_name_in_one_at_least() -> None:
    ours, theirs = asdict(freebsd()), asdict(linux())
    for name in (name for name in ours if ours[name] != theirs[name]):
        assert SOURCES[name].freebsd or SOURCES[name].linux, name


def test_freebsds_sysctls_are_those_that_scripts_may_set() -> None:
    for name, source in SOURCES.items():
        for sysctl in source.freebsd.split(", "):
            if re.fullmatch(r"[a-z0-9_.]+", sysctl) and not sysctl.startswith(("kern.", "fastopen.")):
                assert f"net.inet.tcp.{sysctl}" in FREEBSD, name
