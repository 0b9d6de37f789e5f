"""`nlab compare`: the same flows in virtual time and in the kernel, and where the two worlds differ."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from netlab.cli.table import print_json
from netlab.cli.topo import NETWORK, plan_of

if TYPE_CHECKING:
    from netlab.experiment.compare import Flow

EXAMPLE = """nlab compare star,3
  nlab compare my-network.yaml --flows 100 --bulk 100kB"""
FAILED = 1


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("network", help=NETWORK)
    parser.add_argument("--flows", type=_some, default=40, metavar="N", help="at most so many; 40 if not given")
    parser.add_argument("--bulk", metavar="SIZE", help="a TCP transfer of so many bytes (100kB) between hosts as well")
    parser.add_argument("--seed", type=int, default=1, help="for the simulated world; 1 if not given")
    parser.add_argument("--json", action="store_true", help="the flows as JSON")


def _some(text: str) -> int:
    n = int(text)
    if n < 1:
        raise ValueError(text)
    return n


def run(options: Namespace) -> int:
    """0; 1 when the worlds differ; 3 when this machine cannot hold the network in both."""
    from netlab.errors import BadInput
    from netlab.experiment.compare import compare
    from netlab.experiment.run import backend_named
    from netlab.units import parse_size

    plan = plan_of(options.network)
    worlds = backend_named("sim"), backend_named("mininet")
    octets = parse_size(options.bulk, "--bulk") if options.bulk else 0
    flows = compare(plan, worlds, limit=options.flows, seed=options.seed, octets=octets)
    if not flows:
        raise BadInput("no two hosts have addresses, so nothing flows", where=plan.name)
    if options.json:
        print_json([{**flow._asdict(), "differences": flow.differences} for flow in flows])
    else:
        print("\n".join(line for flow in flows for line in told(flow)))
        print(_summed(flows))
    return FAILED if any(flow.differences for flow in flows) else 0


def told(flow: Flow) -> list[str]:
    """A line for the flow, one for each packet's way, and what differs."""
    verdict = "differs" if flow.differences else "same"
    again = " (at the second look)" if flow.looks > 1 else ""
    lines = [f"{verdict:7}  {flow.kind:4}  {flow.src} → {flow.dst}  {flow.results[0]}{again}"]
    lines += [f"           {passage.said}: {' → '.join(passage.nodes)}" for passage in flow.passages]
    return lines + [f"         ! {difference}" for difference in flow.differences]


def _summed(flows: list[Flow]) -> str:
    packets = sum(len(flow.passages) for flow in flows)
    wrong = sum(bool(flow.differences) for flow in flows)
    fate = f"{wrong} of them differ" if wrong else "both worlds take the same way"
    return f"{len(flows)} flows, {packets} packets: {fate}"
