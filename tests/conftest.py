"""What every test run does: its last lines say which tests were skipped and what would make them run.

With NETLAB_NO_SKIPS=1 in the environment (as in CI) a skip is a failure, unless the test is marked
`may_skip("why even a machine of ours may lack this")`.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import settings

# How long one example takes says more about the machine than about us.
settings.register_profile("netlab", deadline=None)
settings.load_profile("netlab")

Report = pytest.TestReport | pytest.CollectReport


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write tests/golden anew; read the diff")


def _skipped(config: pytest.Config) -> list[Report]:
    """The reports of skipped tests and modules; empty in an xdist worker, whose reports go to its controller."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return list(reporter.stats.get("skipped", [])) if reporter and not hasattr(config, "workerinput") else []


def _reason(report: Report) -> str:
    """What the skip said, which by the rule of the house is what would make the test run."""
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return said.removeprefix("Skipped: ")


def _forbidden(config: pytest.Config) -> list[Report]:
    """Skips that fail this run."""
    if not os.environ.get("NETLAB_NO_SKIPS"):
        return []
    return [report for report in _skipped(config) if "may_skip" not in getattr(report, "keywords", {})]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _forbidden(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Runs after pytest's own summary, so that these are the last lines."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput") or config.option.collectonly:
        return
    reasons = Counter(_reason(report) for report in _skipped(config))
    for reason, count in sorted(reasons.items()):
        reporter.write_line(f"skipped {count}: {reason}")
    if not reasons:
        reporter.write_line("skipped 0: this machine can run every test that was asked for")
    if config.option.markexpr == "not long":
        reporter.write_line("left out: the tests that take minutes; `make test-long` runs them")
    for report in _forbidden(config):
        reporter.write_line(f"FAILED: skipped where nothing may be skipped: {report.nodeid}", red=True)
