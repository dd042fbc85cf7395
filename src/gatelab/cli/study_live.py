"""A study while it is trained: a live table in a terminal, lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gatelab.cli import study_view as view
from gatelab.errors import RunError

if TYPE_CHECKING:
    from gatelab.runs import Epoch
    from gatelab.runs.progress import Progress, Row
    from gatelab.runs.store import Running, Store
    from gatelab.runs.study import Key, StudyPlan, StudyTrial
    from gatelab.runs.study_table import StudyRecord

LOOK_EVERY = 15.0
"""Seconds between two looks at what other processes do."""
SAY_EVERY = 60.0
"""Seconds between two lines that say how far the study is, and between two of the same trouble."""
MOST_RUNNING = 8
"""Running trials that are shown."""


class Board:
    """What is known of a study that is being trained, by this process and others.

    A thread looks at the storage now and then; :meth:`tick` is called by it, a few times a second.
    """

    pause = 0.5

    def __init__(self, console: Console, store: Store, plan: StudyPlan) -> None:
        self.console, self.store, self.plan = console, store, plan
        self.trials: dict[Key, StudyTrial] = {}
        self.own: dict[Key, tuple[float, Epoch | None]] = {}
        self.others: list[Running] = []
        self.note, self.size, self.usage = "", 0, ""
        self._lock, self._over = threading.Lock(), threading.Event()
        self._cpu: tuple[float, float] | None = None
        self._found: tuple[float, Progress] | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    # what a study tells

    def begun(self, record: StudyRecord, workers: int) -> None:
        """Hear where the study stands, and begin to show it."""
        with self._lock:
            self.trials = {t.key: t for t in record.trials}
            self.size = workers
        if not self._thread.is_alive():
            self._thread.start()

    def started(self, key: Key) -> None:
        """Hear of a trial that begins."""
        with self._lock:
            self.own[key] = (time.time(), None)

    def epoch(self, key: Key, epoch: Epoch) -> None:
        """Hear of an epoch."""
        with self._lock:
            if key in self.own:
                self.own[key] = (self.own[key][0], epoch)

    def ended(self, trial: StudyTrial) -> None:
        """Hear of an outcome."""
        with self._lock:
            self.own.pop(trial.key, None)
            self.trials[trial.key] = trial

    def lost(self, key: Key, why: str) -> None:
        """Hear of a trial that will be begun anew."""
        with self._lock:
            self.own.pop(key, None)
        self.console.print(f"{key.name} is begun anew: {why}", markup=False, soft_wrap=True)

    def said(self, message: str) -> None:
        """Hear anything else."""
        self.note = message

    # what it shows

    def progress(self) -> Progress:
        """Return where the study stands, at most two seconds old."""
        from gatelab.runs.progress import progress
        from gatelab.runs.store import Running

        with self._lock:
            now = time.time()
            if self._found is None or now - self._found[0] > 2.0:
                running = [Running(key, "", since) for key, (since, _) in self.own.items()]
                running += [r for r in self.others if r.key not in self.own]
                workers = self.size + sum(not r.lost for r in self.others)
                self._found = now, progress(self.plan, self.trials.values(), running, now, workers)
            return self._found[1]

    def tick(self) -> None:
        """Show what is new."""

    def _watch(self) -> None:
        """Look at the storage for what others do, and at the processors."""
        looked = time.monotonic()
        self._weigh()
        while not self._over.wait(self.pause):
            self.tick()
            if time.monotonic() - looked > LOOK_EVERY:
                looked = time.monotonic()
                with suppress(RunError):  # whoever conducts the study says so
                    self._look()

    def _look(self) -> None:
        with self._lock:
            known = set(self.trials)
            own = set(self.own)
        ended, running = self.store.ended(known), self.store.running()
        with self._lock:
            self.trials.update({t.key: t for t in ended if t.key not in self.own})
            self.others = [r for r in running if r.key not in own | set(self.own) | set(self.trials)]
        self._weigh()

    def _weigh(self) -> None:
        from gatelab.search.usage import cpu_seconds

        taken, now, before = cpu_seconds(), time.monotonic(), self._cpu
        if taken is not None:
            self._cpu = taken, now
            if before is not None and taken >= before[0]:
                self.usage = f"{(taken - before[0]) / (now - before[1]):.1f} cores busy"

    def sentence(self) -> str:
        """Say how far the study is and who works on it."""
        there = f"{self.size} {'worker' if self.size == 1 else 'workers'}"
        elsewhere = sum(not r.lost for r in self.others)
        who = (
            [there] + ([f"{elsewhere} elsewhere"] if elsewhere else []) + ([self.usage] if self.usage else [])
        )
        return view.speed(self.progress(), ", ".join(who))


class Screen(Board):
    """A table that is drawn anew a few times a second, and gone when the study is over."""

    def __init__(self, console: Console, store: Store, plan: StudyPlan) -> None:
        super().__init__(console, store, plan)
        self._live = Live(get_renderable=self.render, console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._live.stop()
        if self.note:
            self.console.print(self.note, markup=False, soft_wrap=True)

    def tick(self) -> None:
        """Draw."""
        self._live.refresh()

    def render(self) -> RenderableType:
        """Return the whole picture, as high and wide as the terminal."""
        if not self.size:
            return Text(f"{self.plan.name}: reading the data, beginning with workers …")
        found, width, height = self.progress(), self.console.width, self.console.height
        parts: list[RenderableType] = [Text(f"{self.plan.name}: {self.sentence()}")]
        parts += [Text(self.note, style="yellow")] if self.note else []
        running = self._running(width)
        parts.append(running)
        used = 3 + len(self.note) // width + running.row_count + 3 + 3
        rows = _most_telling(found.rows, max(3, height - used))
        parts.append(view.counts(self.plan, rows, width))
        if len(rows) < len(found.rows):
            parts.append(
                Text(f"and {len(found.rows) - len(rows)} more: gatelab study status {self.plan.name}")
            )
        return Group(*parts)

    def _running(self, width: int) -> Table:
        """Return the trials that this process's workers are training."""
        with self._lock:
            own = list(self.own.items())
        table = view.plain_table("running", "epoch", "validation", "for")
        if width >= view.WIDE:
            table.add_column("by", no_wrap=True)
        for key, (since, epoch) in own[:MOST_RUNNING]:
            most = self.plan.task(key.task).training.max_epochs
            seen = f"{epoch.epoch if epoch else 0}/{most}"
            cells = [key.name, seen, view.figures(epoch.valid if epoch else None)]
            cells.append(view.duration(time.time() - since))
            cells += [view.drawn(self.plan.drawn(key))] if width >= view.WIDE else []
            table.add_row(*map(Text, cells))
        if len(own) > MOST_RUNNING:
            table.add_row(Text(f"and {len(own) - MOST_RUNNING} more"))
        return table


class Lines(Board):
    """A line for each trial that ends, and one each minute for the whole."""

    def __init__(self, console: Console, store: Store, plan: StudyPlan) -> None:
        super().__init__(console, store, plan)
        self._last, self._noted = time.monotonic(), (0.0, "")

    def begun(self, record: StudyRecord, workers: int) -> None:
        """Say where the study stands."""
        super().begun(record, workers)
        self._print(self.sentence())

    def ended(self, trial: StudyTrial) -> None:
        """Say what came of a trial."""
        super().ended(trial)
        objective = self.plan.task(trial.task).record.objective
        found = (
            "no result" if trial.valid is None else f"validation {objective.name} {view.figures(trial.valid)}"
        )
        reason = trial.reason.strip() if trial.status != "finished" else ""
        why = reason.splitlines()[-1] if reason else ""
        self._print(
            f"{trial.key.name}: {trial.status}, {found}, {trial.epochs} epochs in "
            f"{view.duration(trial.ended - trial.began)}{f' ({why})' if why else ''}"
        )

    def said(self, message: str) -> None:
        """Say it, but not again and again."""
        super().said(message)
        about, (when, before) = message[:60], self._noted
        if message and (about != before or time.monotonic() - when > SAY_EVERY):
            self._noted = time.monotonic(), about
            self._print(message)

    def tick(self) -> None:
        """Say how far it is, each minute."""
        if time.monotonic() - self._last > SAY_EVERY:
            self._last = time.monotonic()
            self._print(self.sentence())

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, soft_wrap=True)


def board(console: Console, store: Store, plan: StudyPlan) -> Board:
    """Return what shows a study on this console."""
    return Screen(console, store, plan) if console.is_terminal else Lines(console, store, plan)


def _most_telling(rows: Iterable[Row], most: int) -> list[Row]:
    """Return the rows that fit: those where something runs first, in their order."""
    rows = list(rows)
    first = sorted(range(len(rows)), key=lambda k: (not rows[k].running, k))[:most]
    return [rows[k] for k in sorted(first)]
