"""`nlab exec`: a command on a node of a network that is up, from another terminal."""

from __future__ import annotations

import os
from argparse import REMAINDER, ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from netlab.cli.attached import exit_code
from netlab.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from netlab.backend.mininet.client import Client

EXAMPLE = """nlab exec h1 -- ping -c 3 10.0.1.2
  nlab exec s1 -- tcpdump -n -i s1-eth1
  nlab exec h1 -- bash"""


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--network", default="", metavar="NAME", help="which network, when more than one is up")
    parser.add_argument("node", help="the node's name, as h1")
    parser.add_argument("command", nargs=REMAINDER, metavar="-- COMMAND …", help="the command and its arguments")


def run(options: Namespace) -> int:
    """The command's own exit code; 128 + n when signal n ended it."""
    import sys

    argv = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not argv:
        raise BadInput("there is no command", right=f"write it behind --, as: nlab exec {options.node} -- ip addr")
    if sys.platform != "linux":
        raise Unavailable(
            "networks of the Linux kernel exist on Linux only", right="use 'nlab up NAME' with --backend sim"
        )
    return _attached(options.network, options.node, argv)


def _attached(network: str, node: str, argv: list[str]) -> int:
    from netlab.backend.mininet import runs
    from netlab.backend.mininet.command import Running

    found = runs.find(network, node)
    client = _connect(Path(found.folder) / "arena.sock")
    try:
        job = Running(node, argv)
        environment = dict(os.environ)
        job.pid = client.run(job, (0, 1, 2), node=node, argv=argv, cwd=os.getcwd(), limit=None, env=environment)
        return exit_code(job)
    finally:
        client.close()


def _connect(path: Path) -> Client:
    import socket

    from netlab.backend.mininet.client import Client

    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # By way of a descriptor: a socket's path may have 107 characters only.
        sock.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError as error:
        sock.close()
        raise Unavailable(
            f"the network is gone ({error.strerror})", right="'nlab clean' sweeps what it left"
        ) from error
    finally:
        os.close(folder)
    return Client(sock)
