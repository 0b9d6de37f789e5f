"""The inside of a kind of node as a picture, without any run: every stage, and where each may hand a packet."""

from __future__ import annotations

from netlab.view.picture import Picture, columns
from netlab.view.stagemap import stage_map


def stack_picture(kind: str) -> Picture:
    """All stages of our stack on a "host", "router" or "switch"."""
    from netlab.stack.host import GRAPHS

    held = stage_map(kind, [*(stage.name for stage in GRAPHS[kind]), "nic.tx"], (), None)
    after: dict[str, list[str]] = {}
    for track in held.tracks:
        after.setdefault(track.a, []).append(track.b)
    said = [
        f"{s.stage}: {s.says} It leads to {', '.join(after.get(s.stage, ())) or 'no other'}." for s in held.stations
    ]
    return Picture(
        title=f"The stack of a {kind}",
        axes={"kind": "stack", "maps": {kind: [held.width, held.height]}},
        layers={
            "stations": columns(
                ("node", "stage", "x", "y", "state", "says"), ((kind, *station) for station in held.stations)
            ),
            "tracks": columns(("node", "a", "b", "inferred"), ((kind, *track) for track in held.tracks)),
        },
        narrative=tuple(said),
    )
