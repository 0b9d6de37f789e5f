"""What our TCP does by itself: of a script what peer and program do, and all that passes, a line each."""

from __future__ import annotations

from typing import Any

from netlab.errors import BadInput
from netlab.packetdrill.compare import as_script, text
from netlab.packetdrill.parser import parse
from netlab.packetdrill.player import Player, system_of
from netlab.packetdrill.preprocess import DEFINED, preprocess
from netlab.packetdrill.script import BadScript, Event, Packet, Refused
from netlab.packetdrill.verdict import Failed
from netlab.units import SEC


class Watcher(Player):
    """A player that expects nothing: packets that leave are written down, and those of the script are passed over."""

    def _play(self, event: Event) -> None:
        if not isinstance(event.action, Packet) or event.action.inbound:
            super()._play(event)

    def _do(self, event: Event, action: Any) -> None:
        self.drain()
        super()._do(event, action)
        self.drain()

    def drain(self) -> None:
        """Write down what left."""
        while self.world.sent:
            sent = self.world.sent.popleft()
            stamps = sent.out.segment.options.timestamps
            if stamps is not None and self.traffic.numbers.stamp_offset is None:
                self.traffic.numbers.stamp_sent(0, stamps[0])
            packet = as_script(sent, self.traffic.offset, self.traffic.numbers, self.traffic.layout)
            self.exchange.append(f"{sent.at / 1e9:10.6f}  {text(packet)}")


def watch(source: str, *, system: str = "", since: float = 0, seconds: float = 0) -> str:
    """What passes when the peer and the program do what a script says, a line each: from ``since`` (in s) on.

    ``seconds`` go by after its last event.

    Timestamps count from the first of ours, sequence numbers from our SYN. BadInput for what is no script, and for one
    in which a call doesn't return what it says.
    """
    try:
        system = system or system_of(source)
        player = Watcher(parse(preprocess(source, DEFINED[system])), system)
        for event in player.script.before + player.script.events:
            player._play(event)
        player.world.run_until(player.world.now + round(seconds * SEC))
        player.drain()
    except (BadScript, Refused, Failed) as wrong:
        raise BadInput(str(wrong), where="the script", right="a packetdrill script") from None
    return "\n".join(line for line in player.exchange if float(line[:10]) >= since)
