"""What a reader of the tree meets: files that can be held in the head, and nothing of the machine it was written on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT = 500
# Files that are longer for a reason, which stands here.
LONG: dict[str, str] = {}

BINARY = {".png", ".arrow", ".pcapng", ".pcap"}

# The first folders of a path that a Linux of some kind has.
STANDARD = {"bin", "boot", "dev", "etc", "lib", "nix", "proc", "run", "sbin", "sys", "tmp", "usr", "var"}
# What only looks like one: JupyterLab's addresses.
ADDRESSES = {"api", "lab"}
OURS = ("/opt/venv", "/opt/netlab", "/home/student")
# A path in text: a slash after a blank, a quote or a bracket, and at least two names.
PATH = re.compile(r"""(?:^|(?<=[\s"'`(=<]))/([A-Za-z.][\w.-]*)/[A-Za-z.][\w.-]*""", re.MULTILINE)


def tracked(*suffixes: str) -> Iterator[tuple[str, Path]]:
    """Tracked text files by name; a file that another commit has just removed is left out."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        path = ROOT / name
        wanted = path.suffix in suffixes if suffixes else path.suffix not in BINARY
        if name and path.is_file() and wanted:
            yield name, path


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in tracked(".py", ".js", ".mjs", ".css", ".sh")}
    long = {name for name, lines in lengths.items() if lines > LIMIT}
    assert not long - LONG.keys(), "split them, or list them with the reason"
    assert not LONG.keys() - long, "listed as long, and is not"


def foreign(text: str) -> Iterator[str]:
    """Absolute paths in a text that neither every Linux nor our image has."""
    for match in PATH.finditer(text):
        if match[1] not in STANDARD | ADDRESSES and not match[0].startswith(OURS):
            yield match[0]


def test_no_file_names_a_place_on_somebody_s_machine() -> None:
    found = [f"{name}: {path}" for name, file in tracked() for path in foreign(file.read_text())]
    assert not found, "\n".join(found)


def test_a_foreign_path_would_be_seen() -> None:
    mine = "/".join(["", "data", "class"])  # in pieces, or this file would be found
    assert list(foreign(f'open("{mine}/x")')) == [mine]
    assert not list(foreign("cat /proc/sys/net; 10.0.0.0/24/x a/b/c https://example.org/a/b /usr/bin/python3"))
