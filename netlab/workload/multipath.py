"""The programs of `netlab.workload.bulk` above multipath TCP."""

from __future__ import annotations

from netlab.stack.mptcp.host import MptcpListener, MptcpSocket
from netlab.workload.bulk import BulkSender, Sink


class MultipathSender(BulkSender):
    """Pours bytes into a multipath connection."""

    sockets = MptcpSocket


class MultipathSink(Sink):
    """Takes what multipath connections bring, and plain ones."""

    listeners = MptcpListener
