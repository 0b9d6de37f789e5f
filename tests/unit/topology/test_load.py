"""Topologies by name, from Python files, and what a person is told when that goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.errors import BadInput
from netlab.topology.load import known_names, load_topology


def python_file(folder: Path, text: str, name: str = "mine.py") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


MINE = """\
from dataclasses import dataclass
from netlab.topology.generators import cable, several
from netlab.topology.spec import Topology


@dataclass
class Wish:
    n: int


def mine(n: int = 2, rate: str = "") -> Topology:
    hosts = several("h", Wish(n).n)
    return Topology("mine", tuple(hosts), (cable("h1", "h2", rate=rate),))
"""


def test_the_shipped_topologies_are_known_by_name() -> None:
    assert {"pair", "line", "star", "dumbbell"} <= set(known_names())


@pytest.mark.parametrize("name", ["pair", "line", "star", "dumbbell"])
def test_no_shipped_topology_asks_for_delay_or_loss(name: str) -> None:
    links = load_topology(name).links
    assert {(link.rate, link.delay, link.loss, link.queue) for link in links} == {(0, 0, 0.0, None)}


def test_arguments_come_behind_commas() -> None:
    assert len(load_topology("star,20").nodes) == 21
    assert len(load_topology("star,n=20").nodes) == 21
    (link,) = load_topology("pair,delay=2 ms,rate=1 Gbit/s").links
    assert (link.delay, link.rate) == (2_000_000, 1_000_000_000)


def test_a_dumbbells_limits_hold_on_the_shared_link_only() -> None:
    *outer, shared = load_topology("dumbbell,3,rate=10 Mbit/s").links
    assert str(shared) == "s1-s2"
    assert shared.rate == 10_000_000
    assert {link.rate for link in outer} == {0}


def test_a_python_file_runs_its_function_of_the_same_name(tmp_path: Path) -> None:
    path = python_file(tmp_path, MINE)
    assert [n.name for n in load_topology(f"{path},3,rate=1 Mbit/s").nodes] == ["h1", "h2", "h3"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("def mine():\n    return 1 / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("import nowhere_at_all\n", 1, "ModuleNotFoundError"),
        ("\ndef (:\n", 2, "SyntaxError"),
        ("import sys\nsys.exit(3)\n", 2, "SystemExit: 3"),
        ("def mine():\n    return 7\n", 0, "'mine' returned int"),
        ("x = 1\n", 0, "there is no function 'mine' or 'topology'"),
        (
            "from netlab.topology.generators import several\ndef mine():\n    several('h', 0)\n",
            0,
            "is 0; it is a whole",
        ),
    ],
)
def test_a_python_files_failure_is_one_sentence(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = python_file(tmp_path, text)
    with pytest.raises(BadInput) as caught:
        load_topology(path)
    where = f"{path}:{line}: " if line else f"{path}: "
    assert str(caught.value).startswith(where)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("stra", "no topology is called 'stra'; did you mean 'star'?"),
        ("./none.yaml", "there is no file './none.yaml'"),
        ("star,x", "the number of hosts is 'x'; it is a whole number from 1 to 1000"),
        ("star,1,2,3,4,5,6", "does not take these arguments: too many positional arguments; it is star(n=3, rate=''"),
        ("pair,dely=2 ms", "unexpected keyword argument 'dely'"),
        ("pair,delay=2", "delay of link h1-h2 '2' is not a number with a unit"),
    ],
)
def test_a_wrong_name_or_argument_says_what_would_be_right(name: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_topology(name)
    assert says in str(caught.value)


def test_a_yaml_file_takes_no_arguments(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("nodes: {h1: }\n")
    with pytest.raises(BadInput, match="takes no arguments"):
        load_topology(f"{tmp_path}/x.yaml,3")
