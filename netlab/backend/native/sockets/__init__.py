"""Sockets with the names that Python programmers know, blocking and for asyncio, on our stack in real time."""

from __future__ import annotations

from netlab.backend.native.sockets.blocking import Socket
from netlab.backend.native.sockets.cable import cable
from netlab.backend.native.sockets.livestack import LiveStack, pair

__all__ = ["LiveStack", "Socket", "cable", "pair"]
