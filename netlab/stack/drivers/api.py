"""What a driver is, and its place between an interface and whatever moves its frames.

A driver only moves frames. What all drivers would do alike (count, look at the length, stop when the interface is
down) is done once, in `Attached`.
"""

from __future__ import annotations

from typing import Protocol, cast

from netlab.stack.ifcaps import SOFTWARE, Capability
from netlab.stack.ifnet import Ifnet
from netlab.stack.offload import Offload
from netlab.wire.vlan import TAGS


class Driver(Protocol):
    """Frames are whole, from the Ethernet header on, without check sequence. Nothing here waits."""

    name: str
    mtu: int
    """The longest payload that it moves."""
    capabilities: Capability
    queues: int

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """Take a frame to be sent; False when there is no room now, and the frame is still the caller's."""

    def receive(self, queue: int = 0) -> bytes | None:
        """The next frame, None when there is none. ValueError for one that was received and is of no use."""

    def up(self) -> None:
        """Begin; nothing that came before is received."""

    def down(self) -> None:
        """Stop: what comes is not received."""

    def close(self) -> None:
        """Give everything back. A second call does nothing."""


class Offloading(Driver, Protocol):
    """A driver with `Capability.TSO` and `Capability.GRO`: long segments come and go whole."""

    def transmit_long(self, frame: bytes, offload: Offload, queue: int = 0) -> bool:
        """As `transmit`, for a frame that the device is to cut, or to sum."""

    def receive_long(self, queue: int = 0) -> tuple[bytes, Offload | None] | None:
        """As `receive`, with what the device left to do, or found right."""


TAGGED = frozenset(tag.to_bytes(2, "big") for tag in TAGS)
TOO_LONG, FULL, DOWN = "frame is longer than the device takes", "queue full", "interface is down"


class Attached:
    """An interface with its driver, up and counting: what a stack sends to and receives from."""

    __slots__ = ("driver", "ifp", "refusal")

    def __init__(self, ifp: Ifnet, driver: Driver) -> None:
        self.ifp, self.driver = ifp, driver
        self.refusal = ""
        """Why the last frame that was refused was."""
        ifp.mtu = min(ifp.mtu, driver.mtu)
        ifp.capabilities = driver.capabilities | SOFTWARE
        ifp.capenable = driver.capabilities | ifp.capenable & SOFTWARE
        self.up()

    def up(self) -> None:
        """Let frames through."""
        self.driver.up()
        self.ifp.up = True

    def down(self) -> None:
        """Let none through."""
        self.ifp.up = False
        self.driver.down()

    def close(self) -> None:
        """Down, for good."""
        self.ifp.up = False
        self.driver.close()

    def transmit(self, frame: bytes, queue: int = 0) -> bool:
        """Hand a frame to the driver. False when it was refused: too long (oerrors), down, or no room (oqdrops)."""
        counters = self.ifp.counters
        if not self._fits(frame):
            counters["oerrors"] += 1
            self.refusal = TOO_LONG
            return False
        if not self.ifp.up or not self.driver.transmit(frame, queue):
            counters["oqdrops"] += 1
            self.refusal = FULL if self.ifp.up else DOWN
            return False
        counters["opackets"] += 1
        counters["obytes"] += len(frame)
        return True

    def transmit_long(self, frame: bytes, offload: Offload, queue: int = 0) -> bool:
        """As `transmit`; the driver does what is left to do with the frame."""
        counters = self.ifp.counters
        if not self.ifp.up or not cast(Offloading, self.driver).transmit_long(frame, offload, queue):
            counters["oqdrops"] += 1
            self.refusal = FULL if self.ifp.up else DOWN
            return False
        counters["opackets"] += 1
        counters["obytes"] += len(frame)
        return True

    def receive_long(self, queue: int = 0) -> tuple[bytes, Offload | None] | None:
        """As `receive`, from a driver with GRO: long segments are whole."""
        driver = cast(Offloading, self.driver)
        while self.ifp.up:
            try:
                found = driver.receive_long(queue)
            except ValueError:
                self.ifp.counters["ierrors"] += 1
                continue
            if found is not None and not (found[1] is not None and found[1].segsz) and not self._fits(found[0]):
                self.ifp.counters["ierrors"] += 1
                continue
            if found is not None:
                self.ifp.counters["ipackets"] += 1
                self.ifp.counters["ibytes"] += len(found[0])
            return found
        return None

    def receive(self, queue: int = 0) -> bytes | None:
        """The driver's next good frame; what is of no use, or too long for the device, counts as ierrors."""
        while self.ifp.up:
            try:
                frame = self.driver.receive(queue)
            except ValueError:
                self.ifp.counters["ierrors"] += 1
                continue
            if frame is None or self._fits(frame):
                break
            self.ifp.counters["ierrors"] += 1
        else:
            return None
        if frame is not None:
            self.ifp.counters["ipackets"] += 1
            self.ifp.counters["ibytes"] += len(frame)
        return frame

    def _fits(self, frame: bytes) -> bool:
        """Whether the payload is within the device's MTU; a VLAN tag comes on top (IEEE 802.3-2018 §3.2.7)."""
        return len(frame) <= self.driver.mtu + 14 or (frame[12:14] in TAGGED and len(frame) <= self.driver.mtu + 18)
