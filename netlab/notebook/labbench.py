"""A lab as a notebook sees it: guess, run, see, explain, build, check, what if.

Every step is a widget that waits for what it needs: a run waits for the guess, a question for the run. So cells may be
run in any order, all at once, or again.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

# Only notebooks import this module, so the heavy imports may stand here.
import ipywidgets
from IPython.display import display

from netlab.backend.base import Session
from netlab.errors import BadInput, NetlabError
from netlab.experiment.result import Result
from netlab.experiment.run import open_experiment, result_of
from netlab.experiment.spec import Experiment
from netlab.lab.catalogue import load_lab
from netlab.lab.check import Evidence
from netlab.lab.experiment import LabExperiment
from netlab.lab.lab import Lab
from netlab.lab.rhythm import Prediction, Question
from netlab.lab.variant import variant
from netlab.notebook import words
from netlab.notebook.exercise import Answer
from netlab.notebook.guesses import Guesses
from netlab.notebook.widget import PathWidget
from netlab.topology.resolve import resolve

SEED = 1
WIDE = {"width": "max-content"}
"""As wide as its words: ipywidgets would cut them."""


class LabBench:
    """One student at one lab. ``folder`` is where the answer is written: the notebook's own."""

    def __init__(self, lab: Lab, *, student: str = "", folder: Path | None = None) -> None:
        self.lab, self.student = lab, student
        self.answer = Answer(lab, (folder or Path.cwd()) / "exercise.py", student)
        self.variant = variant(lab, student)
        self.guesses = Guesses(self.answer.path.with_name(".guesses.json"))
        self.results: dict[str, Result] = {}
        self.looked_at: dict[str, tuple[PathWidget, Result]] = {}
        """By experiment: the picture in which the reader stepped last, and its run."""
        self._waiting: list[Callable[[], bool]] = []
        self._sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_event_loop()

    # ---- predict -----------------------------------------------------------------------------------

    def predict(self, name: str, guess: str = "") -> ipywidgets.Widget:
        """Ask for a guess; committing to it unlocks the run. ``guess`` commits at once."""
        prediction = _named(self.lab.predictions, name, "prediction", self.lab.slug)
        # Buttons, not radios: JupyterLab takes the arrow keys that radios are chosen with.
        choice = ipywidgets.ToggleButtons(options=prediction.options, value=None, style={"button_width": "auto"})
        commit = ipywidgets.Button(
            description="Commit to this guess", disabled=True, button_style="primary", layout=WIDE
        )
        said = ipywidgets.HTML(words.quiet("Choose one; the run starts when you have committed."))
        choice.observe(lambda change: setattr(commit, "disabled", change["new"] is None), "value")

        def committed(_: object = None) -> None:
            self._later(lambda: self._commit(prediction, str(choice.value), choice, commit, said))

        commit.on_click(committed)
        made = guess or self.guesses.made.get(name, "")
        if made in prediction.options:
            choice.value = made
            self._commit(prediction, str(choice.value), choice, commit, said)
        return ipywidgets.VBox([ipywidgets.HTML(words.question(prediction.ask)), choice, commit, said])

    def _commit(
        self,
        prediction: Prediction,
        guess: str,
        choice: ipywidgets.ToggleButtons,
        commit: ipywidgets.Button,
        said: ipywidgets.HTML,
    ) -> None:
        self.guesses.keep(prediction.name, guess)
        choice.disabled = commit.disabled = True
        commit.description = "Committed"
        said.value = words.quiet("Your guess is kept. Run the next cell, if you have not.")

        def compare() -> bool:
            result = self.results.get(prediction.experiment)
            if result is None:
                return False
            said.value = words.guessed(guess, prediction.came_true(result), prediction.because)
            return True

        self._when(compare)
        self._look()

    def _unlocked(self, experiment: str) -> list[str]:
        """The questions that still want a guess before the experiment may run."""
        return [p.ask for p in self.lab.predictions if p.experiment == experiment and p.name not in self.guesses.made]

    # ---- run ---------------------------------------------------------------------------------------

    def run(self, name: str, *, backend: str = "sim", seed: int = SEED, mine: bool = False) -> ipywidgets.Widget:
        """Run an experiment in a world and show it while it runs, as soon as the guesses are made.

        ``mine`` puts your own answer in its slot. Running the cell again starts afresh.
        """
        _known(self.lab, name)
        box = ipywidgets.VBox([])
        key = f"{name}/{backend}/{'mine' if mine else 'ours'}"
        self._hang_up(key)

        def begin() -> bool:
            missing = self._unlocked(name)
            if missing:
                box.children = (ipywidgets.HTML(words.waits(missing)),)
                return False
            self._start(self._run(name, key, box, backend, seed, mine), box)
            return True

        self._when(begin)
        return box

    async def _run(self, name: str, key: str, box: ipywidgets.VBox, backend: str, seed: int, mine: bool) -> None:
        build: Callable[..., Experiment] = _known(self.lab, name).build
        result = await self._watch(build(self.variant, seed), key, box, backend, seed, mine)
        if result is not None and not mine:
            self.results[name] = result
            self._look()

    async def _watch(
        self, experiment: Experiment, key: str, box: ipywidgets.VBox, backend: str, seed: int, mine: bool
    ) -> Result | None:
        """Open, run and close, with the live picture in ``box``; None when that fails: the box says why."""
        box.children = (ipywidgets.HTML(words.quiet(f"opening {resolve(experiment.topology).name} ({backend}) …")),)
        try:
            with self.answer.called(mine) as part:
                session = open_experiment(experiment, backend=backend, seed=seed, part=part)
                result = await self._fly(session, experiment, key, box, backend, seed)
        except Exception as error:  # noqa: BLE001 - an edge: what went wrong is read in the box
            box.children = (ipywidgets.HTML(words.broken(error)),)
            return None
        whose = [ipywidgets.HTML(words.yours(self.answer.path.name, result))] if mine else []
        box.children = (*whose, *box.children, ipywidgets.HTML(words.outcome(experiment, result)))
        return result

    async def _fly(
        self, session: Session, experiment: Experiment, key: str, box: ipywidgets.VBox, backend: str, seed: int
    ) -> Result:
        self._sessions[key] = session
        picture = PathWidget.live(session.log)
        try:
            box.children = (picture,)
            outcomes = await picture.during(lambda: session.run(experiment.workloads))
        finally:
            session.close()
            if self._sessions.get(key) is session:  # else the cell has been run again, and it is the new run's
                del self._sessions[key]
        result = result_of(experiment, session, outcomes, backend=backend, seed=seed)

        def looked(_: object = None) -> None:
            self.looked_at[experiment.name] = (picture, result)

        picture.observe(looked, "picked")
        looked()
        return result

    def _hang_up(self, key: str) -> None:
        session = self._sessions.pop(key, None)
        if session is not None:
            session.close()

    # ---- explain -----------------------------------------------------------------------------------

    def explain(self, name: str, record: int | None = None) -> ipywidgets.Widget:
        """Ask a question whose answer is the step that the picture shows; ``record`` answers without a picture."""
        question = _named(self.lab.questions, name, "question", self.lab.slug)
        take = ipywidgets.Button(description="This step is my answer", disabled=True, layout=WIDE)
        said = ipywidgets.HTML(words.quiet("Run the experiment first; then step through its picture."))

        def ready() -> bool:
            if question.experiment not in self.results:
                return False
            take.disabled = False
            said.value = words.quiet(
                "Choose the packet and step to the place, in either picture; the one you stepped in last counts."
            )
            if record is not None:
                said.value = _judged(question, self.results[question.experiment], record)
            return True

        def taken(_: object) -> None:
            picture, result = self.looked_at[question.experiment]
            said.value = _judged(question, result, picture.picked)

        take.on_click(taken)
        self._when(ready)
        return ipywidgets.VBox([ipywidgets.HTML(words.question(question.ask)), take, said])

    # ---- build and check ---------------------------------------------------------------------------

    def check(self) -> ipywidgets.Widget:
        """The button that runs the visible checks on your answer, in the grader's own sandbox."""
        press = ipywidgets.Button(description="Check my answer", button_style="primary", icon="check", layout=WIDE)
        box = ipywidgets.VBox([])

        def pressed(_: object = None) -> None:
            press.disabled = True
            box.children = (ipywidgets.HTML(words.quiet("checking …")),)
            self._later(lambda: self._start(judged(), box))

        async def judged() -> None:
            try:
                graded = await asyncio.to_thread(self.answer.check)
            finally:
                press.disabled, box.children = False, ()
            box.children = (ipywidgets.HTML(words.feedback(graded)), *self._evidence(graded))

        press.on_click(pressed)
        asked = [ipywidgets.HTML(words.assignment(exercise)) for exercise in self.lab.exercises]
        return ipywidgets.VBox([*asked, press, box])

    def _evidence(self, graded: Any) -> list[ipywidgets.Widget]:
        """For the first check that failed: a button that shows the packet at fault."""
        for result in graded.results:
            if result.status == "failed" and result.evidence:
                return [self._shown(result.check, result.evidence[0])]
        return []

    def _shown(self, check: str, evidence: Evidence) -> ipywidgets.Widget:
        show = ipywidgets.Button(description=f"Show me the packet of '{check}'", layout=WIDE)
        box = ipywidgets.VBox([show])

        def pressed(_: object) -> None:
            box.children = (show,)
            self._later(lambda: self._start(replay(), box))

        async def replay() -> None:
            result = await asyncio.to_thread(self.answer.replay, evidence.experiment, evidence.seed)
            box.children = (show, PathWidget(result, _packet(result, evidence)))

        show.on_click(pressed)
        return box

    # ---- what if -----------------------------------------------------------------------------------

    def what_if(self) -> ipywidgets.Widget:
        """Knobs, and a run with them."""
        turnable = self.lab.what_if
        if turnable is None:
            raise BadInput("this lab has no knobs", where=self.lab.slug)
        style = {"description_width": "11em"}
        knobs = {
            k.name: ipywidgets.IntSlider(
                k.value, k.low, k.high, k.step, description=k.label, style=style, layout={"width": "28em"}
            )
            for k in turnable.knobs
        }
        go = ipywidgets.Button(description="Run with these", button_style="primary", layout=WIDE)
        box = ipywidgets.VBox([])

        async def again() -> None:
            experiment = turnable.build(self.variant, SEED, **{name: knob.value for name, knob in knobs.items()})
            await self._watch(experiment, "what-if/sim", box, "sim", SEED, False)

        go.on_click(lambda _: self._later(lambda: self._start(again(), box)))
        return ipywidgets.VBox([ipywidgets.HTML(words.question(turnable.ask)), *knobs.values(), go, box])

    # ---- waiting -----------------------------------------------------------------------------------

    def _when(self, attempt: Callable[[], bool]) -> None:
        """Try now, and again whenever something has changed, until ``attempt`` says True."""
        if not attempt():
            self._waiting.append(attempt)

    def _look(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._waiting += [attempt for attempt in waiting if not attempt()]

    def _later(self, work: Callable[[], None]) -> None:
        """Do it on the notebook's own thread: a button's click may come on another."""
        if threading.current_thread() is threading.main_thread():
            work()
        else:
            self._loop.call_soon_threadsafe(work)

    def _start(self, work: Coroutine[Any, Any, None], box: ipywidgets.VBox) -> None:
        """Begin something that takes a while; a reference is kept so that it is not collected."""
        task = self._loop.create_task(_told(work, box))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finished(self) -> None:
        """Wait until everything that was begun has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks)


async def _told(work: Coroutine[Any, Any, None], box: ipywidgets.VBox) -> None:
    """Do it; what goes wrong is said in the box, since nobody waits for the task who could hear of it."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - an edge: the reader sees nothing but the box
        box.children = (*box.children, ipywidgets.HTML(words.broken(error)))


def _packet(result: Result, evidence: Evidence) -> int | None:
    if not evidence.records:
        return None
    if evidence.records[0] >= len(result.log):
        raise NetlabError("run again, the answer did something else: that packet is not there any more")
    return result.log[evidence.records[0]].pkt


def _judged(question: Question, result: Result, record: int) -> str:
    if not 0 <= record < len(result.log):
        return words.quiet("The picture shows no step; press ▸❙ in it until you are at the place.")
    return words.verdict(question.right(result, record), result.log, record)


def open_lab(name: str, *, student: str = "", folder: Path | None = None) -> LabBench:
    """The bench of a lab, and a picture of its network."""
    lab = load_lab(name)
    bench = LabBench(lab, student=student, folder=folder)
    from netlab.notebook.exercise import register

    register(bench.answer)
    display(words.Opening(lab, bench.variant))  # type: ignore[no-untyped-call]
    return bench


def _known(lab: Lab, name: str) -> LabExperiment:
    found = lab.experiments.get(name)
    if not isinstance(found, LabExperiment):
        raise BadInput(
            f"there is no experiment '{name}'", where=lab.slug, right=f"there are {', '.join(lab.experiments)}"
        )
    return found


def _named(items: Any, name: str, what: str, where: str) -> Any:
    for item in items:
        if item.name == name:
            return item
    raise BadInput(f"there is no {what} '{name}'", where=where, right=f"there are {', '.join(i.name for i in items)}")
