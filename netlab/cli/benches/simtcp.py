"""TCP through the simulated world: four flows over a dumbbell, beside ns-3 in the same scenario (see `models`)."""

from __future__ import annotations

from netlab.cli.benches import Row
from netlab.cli.benches.sim import contestants, race

ROUNDS = 3
PEERS = {"ns-3 (stack, no checksums)": ("ns3_tcp_model.py", "uv pip install ns3==3.44.post0")}
WAYS: dict[str, tuple[str, ...]] = {"recorded": ("recorded",), "not recorded": ()}


def rows() -> list[Row]:
    """Data packets a second of CPU time."""
    model = "netlab.cli.benches.models.netlab_tcp_model"
    ours = contestants(model, WAYS, "four flows, simulated", "the same compiled")
    return race("tcp", "data packets/s", ours, PEERS, ROUNDS)
