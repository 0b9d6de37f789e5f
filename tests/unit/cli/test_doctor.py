"""`nlab doctor` says what works here and how to get the rest; it never fails for want of something."""

from __future__ import annotations

import json

import pytest

from netlab.cli.doctor import report
from netlab.cli.findings import Finding, worlds
from netlab.cli.main import main


def test_the_simulated_world_works_wherever_netlab_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--backend", "sim"]) == 0
    said = capsys.readouterr().out
    assert "sim: works" in said
    assert "a small network: can be opened" in said


def test_json_has_every_finding_with_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["worlds"]["sim"] is True
    assert {finding["status"] for finding in told["findings"]} <= {"fine", "limited", "missing"}
    assert {"python", "sim", "mininet"} <= {finding["area"] for finding in told["findings"]}


def test_a_world_with_something_missing_does_not_work_and_packages_come_in_one_line() -> None:
    findings = [
        Finding("sim", "a small network", "fine", "can be opened"),
        Finding("mininet", "mnexec", "limited", "not installed", "sudo apt-get install mininet", "mininet"),
        Finding("mininet", "namespaces", "missing", "Operation not permitted", "run as root"),
        Finding("tools", "tshark", "limited", "not installed", "", "tshark"),
    ]
    assert worlds(findings) == {"sim": True, "mininet": False}
    said = report(findings, worlds(findings))
    assert "mininet: does not work here" in said
    assert "✗ namespaces: Operation not permitted\n      run as root" in said
    assert said.endswith("sudo apt-get install mininet tshark")


def test_a_missing_package_of_python_stops_every_world() -> None:
    findings = [Finding("python", "packages", "missing", "networkx not installed")]
    assert worlds(findings) == {"sim": False, "mininet": False}
