"""An mbuf on the stack of a running function: free to make, and gone when the function returns.

Whoever is handed one must consume it inline, or copy it (FreeBSD's ether_vlan_mtap lends such mbufs to BPF).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from netlab.stack.mbufs.chain import Chain
from netlab.stack.mbufs.errors import Escaped
from netlab.stack.mbufs.memory import Pool
from netlab.stack.mbufs.packet import Pieces

P = TypeVar("P", bound=Pieces)


@contextmanager
def ephemeral(pool: Pool, data: bytes, variant: type[P] = Chain) -> Iterator[P]:  # type: ignore[assignment]
    """Lend a packet for the time of the block; ``pool`` gives what copies of it need.

    Escaped when something keeps it at the end, and says what does. Local variables are no keeping; a use of them after
    the block is a UseAfterFree.
    """
    packet = variant(Pool(lent=True), data)
    packet.pool = pool
    yield packet
    keepers = list(_keepers(packet))
    if not packet.gone:
        packet.free()
    if keepers:
        raise Escaped(f"the ephemeral mbuf made at {packet.made} was kept by {', '.join(keepers)}: copy() it instead")


def _keepers(packet: Pieces) -> Iterator[str]:
    """Containers and objects that refer to the packet. Local variables are not among them."""
    scopes = list(_global_scopes())
    for holder in gc.get_referrers(packet):
        if not (isinstance(holder, FrameType) or _is_ours(holder) or any(holder is scope for scope in scopes)):
            yield _named(holder)


def _global_scopes() -> Iterator[dict[str, Any]]:
    """The global variables of the running functions: at a prompt those are what elsewhere is local."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame.f_globals
        frame = frame.f_back


def _is_ours(holder: Any) -> bool:
    """The generator of this context manager, and what runs it."""
    return getattr(holder, "gi_code", None) is ephemeral.__wrapped__.__code__  # type: ignore[attr-defined]


def _named(holder: Any) -> str:
    """What a reader would call the container: the attribute of the object it belongs to, if one does."""
    if not isinstance(holder, list | dict | set | tuple) and type(holder).__name__ not in ("deque", "cell"):
        return _article(holder)
    for owner in gc.get_referrers(holder):
        for name, value in _attributes(owner):
            if value is holder:
                return f"{_article(owner)}.{name}"
    return _article(holder)


def _attributes(owner: Any) -> list[tuple[str, Any]]:
    if isinstance(owner, FrameType | dict | list | tuple | type(sys)):
        return []
    slots = [name for kind in type(owner).__mro__ for name in getattr(kind, "__slots__", ()) if hasattr(owner, name)]
    return [*getattr(owner, "__dict__", {}).items(), *((name, getattr(owner, name)) for name in slots)]


def _article(holder: Any) -> str:
    name = type(holder).__name__
    return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"
