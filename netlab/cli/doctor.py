"""`nlab doctor`: what works on this machine, world by world, and how to get the rest."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from netlab.cli.table import print_json

if TYPE_CHECKING:
    from netlab.cli.findings import Finding

EXAMPLE = """nlab doctor
  nlab doctor --backend mininet --json"""

SIGNS = {"fine": "✓", "limited": "~", "missing": "✗"}
CANNOT = 3


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    said = "exit with 3 unless this world works; any world if not given"
    parser.add_argument("--backend", choices=["sim", "mininet"], help=said)
    parser.add_argument("--json", action="store_true", help="the findings as JSON")


def run(options: Namespace) -> int:
    """0 when the world works that was asked for, 3 when it does not."""
    from netlab.cli.findings import everything as examine
    from netlab.cli.findings import worlds

    findings = examine()
    works = worlds(findings)
    if options.json:
        print_json({"worlds": works, "findings": [asdict(finding) for finding in findings]})
    else:
        print(report(findings, works))
    wanted = works[options.backend] if options.backend else any(works.values())
    return 0 if wanted else CANNOT


def report(findings: list[Finding], works: dict[str, bool]) -> str:
    """The findings, an area at a time, and at the end what to install in one line."""
    from netlab import __version__

    lines = [f"netlab {__version__}, Python {sys.version.split()[0]}, {_system()}"]
    for area in dict.fromkeys(finding.area for finding in findings):
        verdict = "" if area not in works else ": works" if works[area] else ": does not work here"
        lines += ["", f"{area}{verdict}"]
        for finding in findings:
            if finding.area == area:
                lines.append(f"  {SIGNS[finding.status]} {finding.name}: {finding.said}")
                lines += [f"      {finding.fix}"] if finding.fix else []
    packages = sorted({finding.package for finding in findings if finding.package and finding.status != "fine"})
    if packages:
        lines += ["", "On Debian or Ubuntu, for all of it:", f"  sudo apt-get install {' '.join(packages)}"]
    return "\n".join(lines)


def _system() -> str:
    import platform

    return f"{platform.system()} {platform.release()}"
