"""A study of short trials, as a program: python conducted.py STORAGE TRIALS WORKERS [--ray ADDRESS].

It ends with code 0 when every trial has ended, whoever trained it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gatelab.cells import get
from gatelab.graph.data import to_data
from gatelab.runs import Epoch
from gatelab.runs.store import Store
from gatelab.runs.study import Key, StudyPlan, StudyTrial, study_plan
from gatelab.runs.study_table import StudyRecord
from gatelab.search.conduct import Conduct
from gatelab.search.crew import Crew, LocalCrew
from gatelab.tasks import open_task

NAME = "short"
CELLS = ("tanh", "gru", "lstm")
SPACE = {
    "learning_rate": {"kind": "log-uniform", "low": 1e-4, "high": 1e-1},
    "hidden_size": {"kind": "log-uniform", "low": 4, "high": 20, "whole": True},
}


def short_plan(trials: int, epochs: int = 6) -> StudyPlan:
    """Return the plan of a study whose trials take a moment; ``trials`` in all, a multiple of three."""
    task = open_task("parity", None, {"shortest": 3, "longest": 5, "epoch": 20, "held_out": 5})
    return study_plan(
        name=NAME,
        tasks=[{"name": "parity", "record": task.record(), "training": {"max_epochs": epochs}}],
        cells=[{"name": c, "cell": to_data(get(c))} for c in CELLS],
        space=SPACE,
        trials=trials // len(CELLS),
    )


class Told:
    """A watcher that keeps what it is told, and may print it."""

    def __init__(self, aloud: bool = False) -> None:
        self.aloud = aloud
        self.outcomes: list[StudyTrial] = []
        self.losses: list[tuple[Key, str]] = []
        self.messages: list[str] = []

    def begun(self, record: StudyRecord, workers: int) -> None:
        self._print(f"begun with {len(record.trials)} trials and {workers} workers")

    def started(self, key: Key) -> None:
        pass

    def epoch(self, key: Key, epoch: Epoch) -> None:
        pass

    def ended(self, trial: StudyTrial) -> None:
        self.outcomes.append(trial)

    def lost(self, key: Key, why: str) -> None:
        self.losses.append((key, why))
        self._print(f"lost {key.name}: {why}")

    def said(self, message: str) -> None:
        self.messages.append(message)
        self._print(message)

    def _print(self, message: str) -> None:
        if self.aloud:
            print(message, flush=True)


def crew_for(plan: StudyPlan, workers: int, ray: str = "") -> Crew:
    """Return workers of this machine, or of Ray at an address."""
    if not ray:
        return LocalCrew(plan, workers)
    from gatelab.search.ray_crew import RayCrew

    return RayCrew(plan, ray)


def numbers(record: StudyRecord) -> dict[Key, tuple[object, ...]]:
    """Return of each trial what no accident may change."""
    assert len({t.key for t in record.trials}) == len(record.trials)
    return {
        t.key: (t.status, t.settings, t.hidden_size, t.parameters, t.train, t.valid, t.test, t.curve)
        for t in record.trials
    }


def main(storage: str, trials: str, workers: str, ray: str = "") -> int:
    plan = short_plan(int(trials))
    store = Store(storage, NAME)
    store.begin(plan)
    crew = crew_for(plan, int(workers), ray)
    try:
        rescue = Path(f"{storage.rpartition('/')[2]}.unsaved.jsonl")
        return {"done": 0, "stopped": 3}[Conduct(store, plan, crew, Told(aloud=True), rescue).run()]
    finally:
        crew.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
