"""The log of a run: records in the order they were made, a header, and a file of both.

The log is bounded: past ``limit`` records nothing is kept and ``lost`` counts. A file holds no wall time, so two
runs of one seed are the same file's worth of columns; `Log.digest` says whether two logs are equal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from netlab.errors import BadInput
from netlab.files import whole
from netlab.trace.kinds import KINDS, Fidelity
from netlab.trace.record import Record, Row

SCHEMA = 2
"""One more whenever the records, the header or the plan in it take another form: logs of two forms do not mix."""
DEFAULT_LIMIT = 1_000_000

_FIELDS: dict[str, str] = {f.name: f.type for kind in KINDS.values() for f in kind.fields}


@dataclass(frozen=True)
class Header:
    """What a reader must know before he believes a record."""

    backend: str
    """"sim" or "mininet"."""
    seed: int
    plan: dict[str, Any]
    """The plan, as plain data (see `netlab.topology.codec`)."""
    kernel: str = ""
    """The kernel's release where one took part, else empty."""
    clock: str = "virtual"
    """"virtual" or "monotonic"; either way ns since the run's start."""
    fidelity: dict[str, Fidelity] = field(default_factory=dict)
    """For each record kind: exact, inferred, or none."""
    stages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """For each node, the stages that could be observed there (a node not named: all of its own)."""
    notes: tuple[str, ...] = ()
    """Sentences that a caption must carry."""
    lost: int = 0
    schema: int = SCHEMA


class Log:
    """Records as they come. ``add`` is cheap and never raises; readers keep an index and ask for what is new."""

    def __init__(self, header: Header, *, limit: int = DEFAULT_LIMIT) -> None:
        self.header = header
        self.limit = limit
        self.rows: list[Row] = []
        self.lost = header.lost

    def add(self, row: Row) -> None:
        """Keep one record, or count it as lost when the log is full."""
        if len(self.rows) < self.limit:
            self.rows.append(row)
        else:
            self.lost += 1

    def extend(self, rows: Iterable[Row]) -> None:
        """Keep many records."""
        for row in rows:
            self.add(row)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Record]:
        return (Record._make(row) for row in self.rows)

    def __getitem__(self, index: int) -> Record:
        return Record._make(self.rows[index])

    def since(self, index: int) -> list[Row]:
        """The rows made after the first ``index`` ones: how a live view reads."""
        return self.rows[index:]

    def sealed_header(self) -> Header:
        """The header with the number of lost records as it is now."""
        return replace(self.header, lost=self.lost)

    def digest(self) -> str:
        """SHA-256 over the records and the header: equal for two runs exactly when both are."""
        state = hashlib.sha256(_canonical(asdict(self.sealed_header())))
        for row in self.rows:
            state.update(repr(row).encode())
        return state.hexdigest()

    def save(self, path: Path) -> None:
        """Write an Arrow IPC file, whole or not at all. The same records give the same bytes."""
        import pyarrow as pa

        table = _to_table(self)
        with (
            whole(path) as partial,
            pa.OSFile(str(partial), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table, max_chunksize=65536)

    @classmethod
    def load(cls, path: Path) -> Log:
        """Read a saved log; BadInput when the file is not one, or another netlab's."""
        import pyarrow as pa

        try:
            with pa.memory_map(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
            raw = json.loads(table.schema.metadata[b"netlab"])
        except (OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError) as error:
            raise BadInput(
                f"no netlab log can be read ({_first_line(error)})",
                where=str(path),
                right="give the trace.arrow that 'nlab run --out' wrote",
            ) from error
        try:
            if raw["schema"] != SCHEMA:
                raise ValueError(f"its schema is {raw['schema']}, and this one's {SCHEMA}")
            raw["notes"] = tuple(raw["notes"])
            raw["stages"] = {node: tuple(names) for node, names in raw["stages"].items()}
            log = cls(Header(**raw))
            log.rows = list(_from_table(table))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(
                f"the log was written by another netlab ({_first_line(error)})", where=str(path), right="run it again"
            ) from error
        log.limit = max(log.limit, len(log.rows))
        return log


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _to_table(log: Log) -> Any:
    import pyarrow as pa

    types = {"int": pa.int64(), "str": pa.string(), "bytes": pa.binary()}
    columns: dict[str, Any] = {}
    rows = log.rows
    for i, (name, kind) in enumerate(
        (
            ("t", pa.int64()),
            ("kind", pa.string()),
            ("node", pa.string()),
            ("obj", pa.string()),
            ("cpu", pa.int32()),
            ("pkt", pa.int64()),
        )
    ):
        columns[name] = pa.array([row[i] for row in rows], kind)
    position = {name: {f.name: i for i, f in enumerate(kind.fields)} for name, kind in KINDS.items()}
    for name, field_type in _FIELDS.items():
        at = {kind: places[name] for kind, places in position.items() if name in places}
        columns[name] = pa.array([row[6][at[row[1]]] if row[1] in at else None for row in rows], types[field_type])
    header = _canonical(asdict(log.sealed_header()))
    return pa.table(columns).replace_schema_metadata({b"netlab": header})


def _from_table(table: Any) -> Iterator[Row]:
    plain = {name: table.column(name).to_pylist() for name in table.column_names}
    names = {kind: tuple(f.name for f in entry.fields) for kind, entry in KINDS.items()}
    for i, kind in enumerate(plain["kind"]):
        data = tuple(plain[name][i] for name in names[kind])
        yield (plain["t"][i], kind, plain["node"][i], plain["obj"][i], plain["cpu"][i], plain["pkt"][i], data)
