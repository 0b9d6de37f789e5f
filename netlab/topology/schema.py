"""The JSON schema of a topology file, for editors; made of the loader's own table of keys."""

from __future__ import annotations

from typing import Any

from netlab.topology.keys import TOPOLOGY


def schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) as plain data."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "netlab topology",
        "description": "Nodes and links of a network. Quantities are written with their unit, as 10 Mbit/s.",
        **TOPOLOGY.schema(),
    }
