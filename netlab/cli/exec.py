"""`nlab exec`: a command on a node of a network that is up, from another terminal."""

from __future__ import annotations

from argparse import REMAINDER, ArgumentParser, Namespace

from netlab.errors import BadInput, Unavailable

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
    from netlab.backend.mininet.attach import execute
    from netlab.backend.mininet.runs import find, live

    if not live():
        right = "open one with 'nlab up NAME --backend mininet'; in a simulated one no command can run"
        raise BadInput("no network of the kernel is up", right=right)
    return execute(find(network, node), node, argv)
