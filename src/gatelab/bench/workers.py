"""Trials an hour of a whole study, storage and all, by the number of workers.

In rounds, each number of workers in turn carries the same study out from nothing, in a new storage. Timed is from
the first trial's beginning to the last one's end; processes that begin and data that is read come before. Of that
time × workers, *busy* is the part that trials took from the processors; what is neither that nor waiting for a
processor is a trial's *overhead*: to be claimed, sent, told and kept.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gatelab.runs import Epoch
from gatelab.runs.store import Store
from gatelab.runs.study import Key, StudyPlan, StudyTrial
from gatelab.runs.study_table import StudyRecord
from gatelab.search.conduct import Conduct
from gatelab.search.crew import LocalCrew


@dataclass
class Carried:
    """How a study went with so many workers, a number for each round.

    Attributes
    ----------
    hours
        Trials an hour.
    busy
        Processor seconds of trials, as a part of wall-clock seconds × workers.
    overhead
        Seconds of a worker and trial in which it trained none.
    """

    workers: int
    hours: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    overhead: list[float] = field(default_factory=list)

    def add(self, trials: Sequence[StudyTrial]) -> None:
        """Add a round."""
        wall = max(t.ended for t in trials) - min(t.began for t in trials)
        trained = sum(t.ended - t.began for t in trials)
        between = max(1, len(trials) - self.workers)  # the first trial of each worker waits for nothing
        self.hours.append(3600 * len(trials) / wall)
        self.busy.append(sum(t.cpu_seconds for t in trials) / (wall * self.workers))
        self.overhead.append((wall * self.workers - trained) / between)


class Silent:
    """Listens and says nothing."""

    def begun(self, record: StudyRecord, workers: int) -> None:
        """Do nothing."""

    def started(self, key: Key) -> None:
        """Do nothing."""

    def epoch(self, key: Key, epoch: Epoch) -> None:
        """Do nothing."""

    def ended(self, trial: StudyTrial) -> None:
        """Do nothing."""

    def lost(self, key: Key, why: str) -> None:
        """Do nothing."""

    def said(self, message: str) -> None:
        """Do nothing."""


def carry_out(plan: StudyPlan, counts: Sequence[int], rounds: int) -> list[Carried]:
    """Carry a study out with each number of workers in turn, and return how it went."""
    found = [Carried(count) for count in counts]
    for _ in range(rounds):
        for carried in found:
            with tempfile.TemporaryDirectory() as folder:
                carried.add(_trials(plan, carried.workers, Path(folder)))
    return found


def _trials(plan: StudyPlan, workers: int, folder: Path) -> Sequence[StudyTrial]:
    store = Store(str(folder / "study.db"), plan.name)
    store.begin(plan)
    crew = LocalCrew(plan, workers)
    try:
        Conduct(store, plan, crew, Silent(), folder / "unsaved.jsonl").run()
    finally:
        crew.close()
    return store.record().trials


def table(found: Sequence[Carried], number: Callable[[float], str]) -> tuple[list[str], list[list[str]]]:
    """Return medians over rounds as columns and rows."""
    columns = ["workers", "trials an hour", "× the first row", "busy [%]", "overhead a trial [ms]"]
    first = statistics.median(found[0].hours)
    rows = []
    for carried in found:
        hours = statistics.median(carried.hours)
        shares = (100 * statistics.median(carried.busy), 1000 * statistics.median(carried.overhead))
        rows.append([str(carried.workers), number(hours), number(hours / first), *map(number, shares)])
    return columns, rows
