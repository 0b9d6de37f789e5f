"""Steering: which ring, and so which core, a packet goes to; and the rings themselves. Pure: no clock, no host."""

from __future__ import annotations

from netlab.stack.steering.filters import Filter, FilterTable
from netlab.stack.steering.interface import Steering
from netlab.stack.steering.reta import default_table, rebalance, ring_loads, weighted_table
from netlab.stack.steering.rings import DescriptorRing, Interrupts, Moderation
from netlab.stack.steering.spray import ReorderBuffer, Reordering, Spray, reordering
from netlab.stack.steering.toeplitz import KEY, SYMMETRIC_KEY, Toeplitz, rss_input

__all__ = [
    "KEY",
    "SYMMETRIC_KEY",
    "DescriptorRing",
    "Filter",
    "FilterTable",
    "Interrupts",
    "Moderation",
    "ReorderBuffer",
    "Reordering",
    "Spray",
    "Steering",
    "Toeplitz",
    "default_table",
    "rebalance",
    "reordering",
    "ring_loads",
    "rss_input",
    "weighted_table",
]
