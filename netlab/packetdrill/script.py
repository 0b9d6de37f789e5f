"""What a script says, as data."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple


class Time(NamedTuple):
    """When an event is, in ns. ``any``: whenever it comes; ``end`` differs from ``start`` for a range."""

    kind: Literal["absolute", "relative", "any"]
    start: int = 0
    end: int = 0


class TcpOption(NamedTuple):
    """An option as it stands: kind and value; NOP and END have none."""

    kind: int
    value: bytes = b""


class Packet(NamedTuple):
    """A TCP segment. ``seq``, ``ack`` and timestamps count as the script does; None: not said."""

    inbound: bool
    flags: int
    seq: int
    size: int
    ack: int | None = None
    window: int | None = None
    options: tuple[TcpOption, ...] | None = ()
    """None: whatever they are ("<...>")."""
    ecn: tuple[int, ...] | None = None
    """The IP ECN codepoints that are right; None: any."""
    tos: int | None = None
    ttl: int | None = None
    urgent: int = 0
    udp: tuple[int, int] | None = None
    """(source, destination) port of the UDP that carries it."""
    ports: tuple[int, int] | None = None
    """(source, destination) port, where the script says them."""
    dscp: int | None = None
    flow_label: int | None = None
    seq_absolute: bool = False
    """Whether ``seq`` is the wire's own number."""
    seq_any: bool = False
    any_stamp: bool = False
    """Whether our timestamp may be whatever it is."""
    raw_echo: bool = False
    """Whether the echo in the timestamps is the wire's own number."""


class Icmp(NamedTuple):
    """An ICMP error that quotes our segment."""

    inbound: bool
    type: str
    code: str
    seq: int
    mtu: int = 0
    quotes_udp: tuple[int, int] | None = None


class Datagram(NamedTuple):
    """A UDP datagram of ``size`` bytes of payload."""

    inbound: bool
    size: int


class Call(NamedTuple):
    """A system call. ``ends``: when it returns, if it blocks; ``result`` None: whatever."""

    name: str
    args: tuple[Any, ...]
    result: Any
    errno: str = ""
    ends: int | None = None


class Command(NamedTuple):
    """A shell command, in back-ticks."""

    text: str


class Code(NamedTuple):
    """Assertions in Python, in %{ }%."""

    text: str


Action = Packet | Icmp | Datagram | Call | Command | Code


class Event(NamedTuple):
    """An action, when it is, the line it stands in and its text."""

    line: int
    time: Time
    action: Action
    text: str


class Script(NamedTuple):
    """A whole script: options of the command line, commands before the first event, events."""

    name: str
    options: dict[str, str]
    before: tuple[Event, ...]
    events: tuple[Event, ...]


class Name(NamedTuple):
    """A symbol such as SO_ERROR, not yet looked up."""

    text: str


class Either(NamedTuple):
    """Symbols or-ed."""

    parts: tuple[Any, ...]


class Ellipsis_(NamedTuple):
    """ "...": whatever."""


ANYTHING = Ellipsis_()


class BadScript(Exception):
    """A script that is no packetdrill script: ``line`` and what is wrong."""

    def __init__(self, line: int, said: str) -> None:
        super().__init__(f"line {line}: {said}")
        self.line, self.said = line, said


class Refused(Exception):
    """A script asks for what is not played here: ``what`` names it."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.what, self.line = what, line
