"""Drop, and take the refusal for congestion."""

from __future__ import annotations

from netlab.stack.pressure.account import Account
from netlab.stack.pressure.policy import Policy
from netlab.stack.stage import Hop


class Quench(Policy):
    """cwnd becomes one segment, and the packet is missed like any other (4.4BSD tcp_quench)."""

    def refused(self, account: Account, seq: int, now: int) -> list[Hop]:
        """Close the window."""
        connection = account.connection
        connection.control.cwnd = connection.send_mss
        return []
