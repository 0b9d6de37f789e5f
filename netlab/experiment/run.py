"""Run an experiment in a world and keep what was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from netlab.backend.base import Backend, Problem, Session
from netlab.errors import BadInput, Unavailable
from netlab.experiment.result import Result
from netlab.experiment.spec import Experiment
from netlab.stack.slot import SlotCall, Slots
from netlab.topology.resolve import resolve
from netlab.workload.spec import Flow, Outcome


def _sim() -> Backend:
    from netlab.backend.sim import SimBackend

    return SimBackend()


def _mininet() -> Backend:
    from netlab.backend.mininet import MininetBackend

    return MininetBackend()


BACKENDS: dict[str, Callable[[], Backend]] = {"sim": _sim, "mininet": _mininet}
"""The worlds. Each is imported when it is asked for."""


def backend_named(name: str) -> Backend:
    """The world of that name; BadInput lists the ones that there are."""
    if name not in BACKENDS:
        raise BadInput(f"there is no backend '{name}'", right=f"backends are {', '.join(BACKENDS)}")
    return BACKENDS[name]()


def open_experiment(
    experiment: Experiment, *, backend: str = "sim", seed: int = 0, part: Mapping[str, SlotCall] | None = None
) -> Session:
    """The experiment's network, open, with the functions of ``part`` (by slot name) in its slots.

    Unavailable names the problems when this machine cannot be trusted to show what the experiment is about.
    """
    world = backend_named(backend)
    plan = resolve(experiment.topology)
    refuse(world.problems(plan))
    slots: Slots = {place: part[place[1]] for place in experiment.slots if part and place[1] in part}
    session = world.open(plan, seed=seed, slots=slots)
    try:
        refuse(session.verify())
    except BaseException:
        session.close()
        raise
    return session


def refuse(problems: Sequence[Problem]) -> None:
    """Unavailable when one of the problems is a refusal; it carries every such sentence."""
    grave = [str(p) for p in problems if p.severity == "refuse"]
    if grave:
        raise Unavailable("\n".join(grave))


def run_experiment(
    experiment: Experiment, *, backend: str = "sim", seed: int = 0, part: Mapping[str, SlotCall] | None = None
) -> Result:
    """Open, run, close; what was seen and measured."""
    with open_experiment(experiment, backend=backend, seed=seed, part=part) as session:
        outcomes = session.run(experiment.workloads)
    return result_of(experiment, session, outcomes, backend=backend, seed=seed)


def result_of(
    experiment: Experiment, session: Session, outcomes: tuple[Outcome, ...], *, backend: str, seed: int
) -> Result:
    """The Result of a session that has run an experiment's workloads."""
    facts: dict[str, Any] = {
        "backend": backend,
        "seed": seed,
        "topology": session.plan.name,
        "slot_failures": [
            {"node": n, "kind": f.kind, "said": f.said} for n, found in session.slot_failures.items() for f in found
        ],
    }
    return Result(experiment.name, facts, metrics_of(outcomes), session.log, session.problems, outcomes)


def _flow_metrics(flows: Sequence[Flow]) -> dict[str, Any]:
    """Of all connections together: bytes delivered, the sum of their goodputs in bit/s, and how many failed."""
    return {
        "flows": len(flows),
        "flow_errors": sum(bool(flow.error) for flow in flows),
        "octets": sum(flow.octets for flow in flows),
        "goodput": round(sum(flow.goodput for flow in flows)),
    }


def metrics_of(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Requests sent and answered, and the median round trip in ns (None without one); with flows, their goodput."""
    replies = [reply for outcome in outcomes for reply in outcome.replies]
    rtts = [reply.rtt for reply in replies if reply.result == "answered"]
    flows = [flow for outcome in outcomes for flow in outcome.flows]
    return (_flow_metrics(flows) if flows else {}) | {
        "requests": len(replies),
        "answered": len(rtts),
        "errors": sum(reply.result == "error" for reply in replies),
        "rtt_median_ns": int(median(rtts)) if rtts else None,
    }
