"""Mbufs as BSD has them: packets in several pieces of modelled memory, shared, counted, and accounted for.

`Chain` links its pieces, `Array` lists them; both are a `Packet`. A `Pool` knows every piece that is in use and where
it was taken. `lines_touched` says what a walk over a packet costs in cache lines.

The running stack's own mbuf (`netlab.stack.mbuf`) holds plain bytes: it is made for speed in Python. These are made
to be looked into.
"""

from netlab.stack.mbufs.array import Array
from netlab.stack.mbufs.chain import Chain
from netlab.stack.mbufs.ephemeral import ephemeral
from netlab.stack.mbufs.errors import DoubleFree, Escaped, Leak, MbufError, NoBuffers, Shared, UseAfterFree
from netlab.stack.mbufs.lines import lines_of, lines_touched
from netlab.stack.mbufs.memory import LINE, MCLBYTES, MHLEN, MLEN, MSIZE, Pool
from netlab.stack.mbufs.packet import Packet

__all__ = [
    "LINE",
    "MCLBYTES",
    "MHLEN",
    "MLEN",
    "MSIZE",
    "Array",
    "Chain",
    "DoubleFree",
    "Escaped",
    "Leak",
    "MbufError",
    "NoBuffers",
    "Packet",
    "Pool",
    "Shared",
    "UseAfterFree",
    "ephemeral",
    "lines_of",
    "lines_touched",
]
