"""A kept run: what it holds comes back, and what another netlab wrote is told in a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from netlab.cli.kept import log_in
from netlab.errors import BadInput
from netlab.topology.codec import plan_from_data, plan_to_data
from netlab.topology.load import load_topology
from netlab.topology.resolve import resolve
from netlab.trace.log import SCHEMA, Header, Log

ROW = (5, "packet", "h1", "", -1, 1, (0, "an echo request"))


def plan_data() -> dict[str, Any]:
    return plan_to_data(resolve(load_topology("pair")))


def saved(path: Path, header: Header) -> Path:
    log = Log(header)
    log.add(ROW)
    log.save(path)
    return path


def test_a_log_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    header = Header("sim", 7, plan_data(), notes=("a note",), stages={"h1": ("ip.input",)})
    log = log_in(saved(tmp_path / "trace.arrow", header))
    assert (log.header, log.rows) == (header, [ROW])


def test_a_log_of_another_schema_is_to_be_made_again(tmp_path: Path) -> None:
    file = saved(tmp_path / "trace.arrow", replace(Header("sim", 7, plan_data()), schema=SCHEMA - 1))
    with pytest.raises(BadInput, match=r"written by another netlab \(its schema is 1, .*; run it again"):
        Log.load(file)


def test_a_header_that_knows_more_is_to_be_made_again(tmp_path: Path) -> None:
    file = saved(tmp_path / "trace.arrow", Header("sim", 7, plan_data()))
    table = pa.ipc.open_file(file.read_bytes()).read_all()
    header = {**json.loads(table.schema.metadata[b"netlab"]), "mood": "good"}
    table = table.replace_schema_metadata({b"netlab": json.dumps(header).encode()})
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(BadInput, match=r"written by another netlab \(.*'mood'.*\); run it again"):
        Log.load(file)


@pytest.mark.parametrize("change", ["lacks", "knows more", "is none"])
def test_a_plan_in_another_form_is_to_be_made_again(change: str, tmp_path: Path) -> None:
    plan = plan_data()
    interface = plan["nodes"][0]["interfaces"][0]
    if change == "lacks":
        del interface["steering"]
    elif change == "knows more":
        interface["colour"] = "blue"
    else:
        plan = {**plan, "nodes": None}
    with pytest.raises(BadInput, match="run it again"):
        plan_from_data(plan)
    with pytest.raises(BadInput, match=r"trace\.arrow: the log was written by another netlab: .*; run it again"):
        log_in(saved(tmp_path / "trace.arrow", Header("sim", 7, plan)))
