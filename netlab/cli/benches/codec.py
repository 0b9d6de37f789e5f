"""Headers parsed and built, beside scapy and dpkt in the same run."""

from __future__ import annotations

import time
from contextlib import redirect_stdout
from io import StringIO

from netlab.cli.benches import Row
from netlab.errors import Unavailable


def rows() -> list[Row]:
    """Each of netlab's contestants with its ratio to scapy."""
    from netlab.wire.bench import bench_codec

    try:
        with redirect_stdout(StringIO()):
            raced = bench_codec(time.perf_counter)
    except ImportError as error:
        raise Unavailable(f"a peer is missing ({error.name})", right=f"pip install {error.name}") from error
    others = {(row.task, row.contestant): row.per_second for row in raced}
    return [
        Row(
            "codec",
            f"{row.task}, {row.contestant}",
            row.per_second,
            "/s",
            f"scapy {others[row.task, 'scapy']:,.0f}, dpkt {others[row.task, 'dpkt']:,.0f}",
            row.ratio,
        )
        for row in raced
        if row.contestant.startswith("netlab")
    ]
