"""The simulated world: our stack in virtual time."""

from netlab.backend.sim.session import SimBackend, SimSession

__all__ = ["SimBackend", "SimSession"]
