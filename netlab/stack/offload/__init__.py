"""Long packets inside a host: cut as late as possible (TSO, GSO), joined as early as possible (LRO, GRO).

One long segment costs a stack what one short segment costs. So TCP builds segments of up to 64 KB, and a program may
hand UDP many datagrams at once; whoever sends them on a wire cuts them: the device, or `settle` right before a device
that cannot. What comes in is joined by `coalesce` so that cut again it is what it was, byte for byte (GRO), or by
`lro`, which keeps less and joins more. (Linux Documentation/networking/segmentation-offloads.rst; FreeBSD
sys/netinet/tcp_lro.c.)
"""

from __future__ import annotations

from netlab.stack.ifcaps import LONGEST
from netlab.stack.offload.cut import cut, finished, fragments
from netlab.stack.offload.join import coalesce
from netlab.stack.offload.lro import LIMITS, LroLimits, lro
from netlab.stack.offload.places import Offload, Places, longest_frame, places, sound
from netlab.stack.offload.settle import cut_late, fits, onward, pieces, pieces_of_packet, settle, unpartial, within

__all__ = [
    "LIMITS",
    "LONGEST",
    "LroLimits",
    "Offload",
    "Places",
    "coalesce",
    "cut",
    "cut_late",
    "finished",
    "fits",
    "fragments",
    "longest_frame",
    "lro",
    "onward",
    "pieces",
    "pieces_of_packet",
    "places",
    "settle",
    "sound",
    "unpartial",
    "within",
]
