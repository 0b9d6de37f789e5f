"""The Mininet world: the real Linux stack in namespaces of its own."""

from netlab.backend.mininet.session import MininetBackend, MininetSession

__all__ = ["MininetBackend", "MininetSession"]
