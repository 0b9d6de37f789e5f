"""A path-compressed binary trie: what BSD calls its radix table (Sklower, USENIX 1991), without its back-tracking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netlab.stack.fib.route import WIDTH, Route, checked, mask


class _Node:
    """A prefix, its route if it has one, and what begins with it and goes on with a 0 or a 1."""

    __slots__ = ("length", "mask", "one", "prefix", "route", "zero")

    def __init__(self, prefix: int, length: int, mask: int, route: Route | None) -> None:
        self.prefix, self.length, self.mask, self.route = prefix, length, mask, route
        self.zero: _Node | None = None
        self.one: _Node | None = None


class RadixFib:
    """A lookup takes one step for each branching on the way: about log2 n, and never more than an address has bits."""

    __slots__ = ("_root", "width")

    def __init__(self, routes: Iterable[Route] = (), *, width: int = WIDTH) -> None:
        self.width = width
        self._root: _Node | None = None
        for route in routes:
            self.add(route)

    @property
    def routes(self) -> tuple[Route, ...]:
        """All routes, longest prefix first."""
        held = (node.route for node in _walk(self._root) if node.route is not None)
        return tuple(sorted(held, key=lambda r: (-r.length, r.prefix)))

    @property
    def octets(self) -> int:
        """Memory as C would have it: prefix, length, two pointers and a next hop for each node."""
        return sum(self.width // 8 + 4 + 3 * 8 for _ in _walk(self._root))

    def lookup(self, address: int) -> Route | None:
        """The longest prefix that covers the address; None when there is no route."""
        node, best, top = self._root, None, self.width - 1
        while node is not None and address & node.mask == node.prefix:
            if node.route is not None:
                best = node.route
            if node.length > top:
                break
            node = node.one if address >> (top - node.length) & 1 else node.zero
        return best

    def depth(self, address: int) -> int:
        """How many nodes a lookup of this address looks at."""
        node, seen, top = self._root, 0, self.width - 1
        while node is not None:
            seen += 1
            if address & node.mask != node.prefix or node.length > top:
                break
            node = node.one if address >> (top - node.length) & 1 else node.zero
        return seen

    def add(self, route: Route) -> None:
        """Take a route, or replace the one of the same prefix."""
        self._root = self._with(self._root, checked(route, self.width))

    def remove(self, prefix: int, length: int) -> None:
        """Give up a route; KeyError when there is none for that prefix."""
        self._root = self._without(self._root, prefix, length)

    def _with(self, node: _Node | None, route: Route) -> _Node:
        """The subtree that holds the route too."""
        if node is None:
            return self._leaf(route)
        common = self._common(node, route)
        if common == node.length == route.length:
            node.route = route
            return node
        if common == node.length:
            if self._bit(route.prefix, common):
                node.one = self._with(node.one, route)
            else:
                node.zero = self._with(node.zero, route)
            return node
        return self._above(node, route, common)

    def _above(self, node: _Node, route: Route, common: int) -> _Node:
        """The route's node above the node, or a branching above both."""
        if common == route.length:
            top = self._leaf(route)
        else:
            covers = mask(common, self.width)
            top = _Node(node.prefix & covers, common, covers, None)
            self._hang(top, self._leaf(route))
        self._hang(top, node)
        return top

    def _hang(self, top: _Node, node: _Node) -> None:
        if self._bit(node.prefix, top.length):
            top.one = node
        else:
            top.zero = node

    def _without(self, node: _Node | None, prefix: int, length: int) -> _Node | None:
        """The subtree less one route, and less the nodes that then have no purpose."""
        if node is None or prefix & node.mask != node.prefix or length < node.length:
            raise KeyError((prefix, length))
        if length == node.length:
            if node.route is None:
                raise KeyError((prefix, length))
            node.route = None
        elif self._bit(prefix, node.length):
            node.one = self._without(node.one, prefix, length)
        else:
            node.zero = self._without(node.zero, prefix, length)
        if node.route is not None or (node.zero is not None and node.one is not None):
            return node
        return node.zero or node.one

    def _leaf(self, route: Route) -> _Node:
        return _Node(route.prefix, route.length, mask(route.length, self.width), route)

    def _bit(self, address: int, at: int) -> int:
        return address >> (self.width - 1 - at) & 1

    def _common(self, node: _Node, route: Route) -> int:
        """How many leading bits the two prefixes share."""
        differing = node.prefix ^ route.prefix
        return min(node.length, route.length, self.width - differing.bit_length())


def _walk(node: _Node | None) -> Iterator[_Node]:
    if node is not None:
        yield node
        yield from _walk(node.zero)
        yield from _walk(node.one)
