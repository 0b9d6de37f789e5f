"""`nlab stack show`: the stages of a node, drawn and in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netlab.cli.main import main
from netlab.stack.host import GRAPHS
from netlab.stack.pressure import POLICIES

Captured = pytest.CaptureFixture[str]
KINDS = pytest.mark.parametrize("kind", ["host", "router", "switch"])


@KINDS
def test_every_stage_is_on_the_map_and_explained_once(kind: str, capsys: Captured) -> None:
    assert main(["stack", "show", kind]) == 0
    drawing, _, told = capsys.readouterr().out.partition("═")
    for name in (*(stage.name for stage in GRAPHS[kind]), "nic.tx"):
        assert drawing.split().count(name) == 1, name
        assert f"\n{name} " in told, name
    assert "The device puts frames on the wire." in told


def test_a_router_forwards_and_a_host_does_not(capsys: Captured) -> None:
    main(["stack", "show", "router", "--json"])
    router = {stage["stage"]: stage["to"] for stage in json.loads(capsys.readouterr().out)}
    main(["stack", "show", "--json"])
    host = {stage["stage"]: stage["to"] for stage in json.loads(capsys.readouterr().out)}
    assert "ip.forward" in router["ip.input"] and "ip.forward" not in host
    assert router["ifq"] == ["nic.tx"] and router["nic.tx"] == []


@KINDS
def test_the_map_is_one_html_file_that_needs_nothing_else(kind: str, tmp_path: Path) -> None:
    assert main(["stack", "show", kind, "--html", str(tmp_path / "map.html")]) == 0
    page = (tmp_path / "map.html").read_text()
    assert "<svg" in page and "ether.input" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, capsys: Captured) -> None:
    assert main(["stack", "show", "--html", str(tmp_path / "missing" / "map.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_states_of_tcp_as_a_table_as_json_and_as_a_drawing(tmp_path: Path, capsys: Captured) -> None:
    assert main(["stack", "tcp"]) == 0
    assert "SYN-SENT      receive SYN ACK" in capsys.readouterr().out
    assert main(["stack", "tcp", "--json"]) == 0
    assert {"state": "LISTEN", "event": "receive SYN", "does": "send SYN ACK", "next": "SYN-RECEIVED"} in json.loads(
        capsys.readouterr().out
    )
    for name in ("states.svg", "states.html"):
        assert main(["stack", "tcp", "--out", str(tmp_path / name)]) == 0
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "FIN-WAIT-2" in text and "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_diagram_of_another_kind_is_refused(tmp_path: Path, capsys: Captured) -> None:
    assert main(["stack", "tcp", "--out", str(tmp_path / "states.png")]) == 2
    assert "states.svg, states.html" in capsys.readouterr().err


def test_every_policy_of_backpressure_is_listed_with_a_sentence(capsys: Captured) -> None:
    assert main(["stack", "policies"]) == 0
    told = capsys.readouterr().out
    assert all(f"\n{name} " in told for name in POLICIES)
    main(["stack", "policies", "--json"])
    assert all(entry["says"].endswith((".", ";")) for entry in json.loads(capsys.readouterr().out))
