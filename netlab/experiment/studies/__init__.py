"""The studies there are. To add one: a module that ends in ``NAME = Study(…)``, and a line here."""

from __future__ import annotations

from importlib import import_module

from netlab.errors import BadInput
from netlab.experiment.study import Study

STUDIES: dict[str, str] = {
    "dctcp": "netlab.experiment.studies.dctcp:DCTCP",
    "mptcp": "netlab.experiment.studies.mptcp:MPTCP",
    "lro": "netlab.experiment.studies.lro:LRO",
    "segmentation": "netlab.experiment.studies.segmentation:SEGMENTATION",
    "backpressure": "netlab.experiment.studies.backpressure:BACKPRESSURE",
    "coexistence": "netlab.experiment.studies.coexistence:COEXISTENCE",
    "incast": "netlab.experiment.studies.incast:INCAST",
    "convergence": "netlab.experiment.studies.convergence:CONVERGENCE",
}
"""Name -> "module:attribute". A module is imported when its study is asked for, so it may import what it needs."""


def load_study(name: str) -> Study:
    """The study of that name; BadInput lists the ones that there are."""
    if name not in STUDIES:
        raise BadInput(f"there is no study '{name}'", right=f"studies are {', '.join(STUDIES)}")
    module, _, attribute = STUDIES[name].partition(":")
    study: Study = getattr(import_module(module), attribute)
    return study
