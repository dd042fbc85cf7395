"""How far a study is: counts by task and cell, how fast it goes, and how long it will take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatelab.runs.store import Running
from gatelab.runs.study import StudyPlan, StudyTrial

WINDOW = 3600.0
"""Seconds back from now by whose trials the rate is measured."""
PAUSE = 120.0
"""Seconds in which no trial was trained that begin a new session."""


@dataclass(frozen=True)
class Row:
    """Where a cell stands on a task; ``best`` is the trial with the best validation, if any has one."""

    task: str
    cell: str
    total: int
    finished: int = 0
    diverged: int = 0
    pruned: int = 0
    failed: int = 0
    running: int = 0
    best: StudyTrial | None = None

    @property
    def ended(self) -> int:
        """Trials that have ended, however that was."""
        return self.finished + self.diverged + self.pruned + self.failed


@dataclass(frozen=True)
class Progress:
    """Where a study stands.

    Attributes
    ----------
    rows
        One for each task and cell, in the plan's order.
    running
        The trials that somebody works on.
    rate
        Trials an hour, of the last hour at most and since the last pause; None: not known.
    left
        Seconds that the rest will take, by how long the trials of each task and cell took; None: not known.
    """

    rows: tuple[Row, ...]
    running: tuple[Running, ...]
    rate: float | None
    left: float | None

    @property
    def total(self) -> int:
        """Trials of the plan."""
        return sum(r.total for r in self.rows)

    @property
    def ended(self) -> int:
        """Those that have ended."""
        return sum(r.ended for r in self.rows)


def progress(
    plan: StudyPlan,
    trials: Iterable[StudyTrial],
    running: Sequence[Running],
    now: float,
    workers: int | None = None,
) -> Progress:
    """Return where a study stands.

    Parameters
    ----------
    now
        Seconds since 1970.
    workers
        How many trials are trained at a time; None: as many as are running.
    """
    trials, at_work = list(trials), [r for r in running if not r.lost]
    grouped: dict[tuple[str, str], list[StudyTrial]] = {}
    for trial in trials:
        grouped.setdefault((trial.task, trial.cell), []).append(trial)
    active = Counter((r.key.task, r.key.cell) for r in at_work)
    rows = tuple(
        _row(task.name, cell.name, plan.trials, grouped.get((task.name, cell.name), []), active)
        for task in plan.tasks
        for cell in plan.cells
    )
    workers = len(at_work) if workers is None else workers
    return Progress(
        rows, tuple(running), _rate(trials, at_work, now), _left(rows, grouped, at_work, now, workers)
    )


def _row(
    task: str, cell: str, total: int, trials: Sequence[StudyTrial], active: Counter[tuple[str, str]]
) -> Row:
    count = Counter(t.status for t in trials)
    measured = [t for t in trials if t.valid is not None]
    return Row(
        task, cell, total, count["finished"], count["diverged"], count["pruned"], count["failed"],
        active[task, cell], min(measured, key=lambda t: (t.valid, t.number), default=None),
    )  # fmt: skip


def _rate(trials: Sequence[StudyTrial], running: Sequence[Running], now: float) -> float | None:
    """Return trials an hour since nobody worked on the study, but of the last hour at most."""
    begin = now - WINDOW
    recent = [t for t in trials if t.ended > begin]
    since = min([now, *(r.began for r in running)])
    for trial in sorted(recent, key=lambda t: t.ended, reverse=True):
        if since - trial.ended > PAUSE:
            break
        since = min(since, trial.began)
    since = max(since, begin)
    ended = sum(t.ended > since for t in recent)
    return ended * 3600 / (now - since) if ended and now > since else None


def _left(
    rows: Sequence[Row],
    trials: dict[tuple[str, str], list[StudyTrial]],
    running: Sequence[Running],
    now: float,
    workers: int,
) -> float | None:
    """Return the work that is left, by the mean time of a trial of its kind, over the workers."""
    times = {
        place: [t.ended - t.began for t in several if t.ended > t.began] for place, several in trials.items()
    }
    everything = [s for several in times.values() for s in several]
    missing = sum(r.total - r.ended for r in rows)
    if not missing:
        return 0.0
    if not everything or not workers:
        return None
    usual = sum(everything) / len(everything)
    by_task: dict[str, list[float]] = {}
    for (task, _), several in times.items():
        by_task.setdefault(task, []).extend(several)

    def expected(task: str, cell: str) -> float:
        like_it = times.get((task, cell)) or by_task.get(task)
        return sum(like_it) / len(like_it) if like_it else usual

    work = sum((r.total - r.ended) * expected(r.task, r.cell) for r in rows if r.ended < r.total)
    done = sum(min(now - r.began, expected(r.key.task, r.key.cell)) for r in running)
    return max(0.0, work - done) / min(workers, missing)
