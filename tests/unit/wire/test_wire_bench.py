"""The bench compares like with like: every contestant builds the same frame and sums up to the same checksum."""

from __future__ import annotations

from itertools import count

from netlab.wire import bench


def test_all_contestants_build_the_same_frame():
    built = {name: build() for name, build in bench.tasks()["build, 8 headers"].items()}
    assert set(built.values()) == {bench.FRAME}


def test_all_contestants_find_the_same_checksum():
    for task, contestants in bench.tasks().items():
        if task.startswith("checksum"):
            assert len({work() for work in contestants.values()}) == 1, task


def test_the_table_names_each_contestant_and_its_ratio(capsys):
    ticks = count()
    rows = bench.bench_codec(lambda: next(ticks), rounds=1, seconds=1)  # a clock that says a second for every task
    assert {row.ratio for row in rows} == {1.0}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["task", "contestant", "per", "second", "x", "scapy"]
    assert len(lines) == len(rows) + 1
