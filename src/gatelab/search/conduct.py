"""A study from where it stands to its end: claims, trials, heartbeats, outcomes."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from gatelab.errors import RunError
from gatelab.runs import Epoch
from gatelab.runs.store import BEAT, Claim, Store
from gatelab.runs.study import Key, StudyPlan, StudyTrial
from gatelab.runs.study_table import StudyRecord
from gatelab.search import rescue
from gatelab.search.compare import environment
from gatelab.search.crew import Crew, News
from gatelab.search.memory import A_WORKER, available

LOOK_EVERY = 2.0
"""Seconds between two looks at whether somebody asked to stop."""
LOST_EVERY = 15.0
"""Seconds between two looks for trials whose process died."""
BEFORE_PRUNING = 5
"""Trials that must have ended, and epochs that a trial has at least, before any is pruned."""

Ending = Literal["done", "stopped"]


class Watcher(Protocol):
    """Who is told how a study goes."""

    def begun(self, record: StudyRecord, workers: int) -> None:
        """Hear where the study stands, and how many trials are trained at a time."""

    def started(self, key: Key) -> None:
        """Hear of a trial that begins."""

    def epoch(self, key: Key, epoch: Epoch) -> None:
        """Hear of an epoch, now and then."""

    def ended(self, trial: StudyTrial) -> None:
        """Hear of an outcome."""

    def lost(self, key: Key, why: str) -> None:
        """Hear of a trial that will be begun anew."""

    def said(self, message: str) -> None:
        """Hear anything else that a person should know; '' when it is no longer so."""


@dataclass
class Conduct:
    """Does what has not been done of a study.

    Parameters
    ----------
    store, plan
        The study, begun.
    crew
        Who trains.
    watcher
        Who is told.
    rescue
        File beside which outcomes are kept that the storage would not take; they are read when the study
        goes on.
    patience
        Seconds for which the storage may be unreachable before they are written there.
    leave
        To be set, by a handler of signals or another thread, when this process is to stop at once.
    """

    store: Store
    plan: StudyPlan
    crew: Crew
    watcher: Watcher
    rescue: Path
    patience: float = 600.0
    leave: threading.Event = field(default_factory=threading.Event)

    claims: dict[Key, Claim] = field(default_factory=dict)
    unkept: list[tuple[Claim, StudyTrial]] = field(default_factory=list)
    curves: dict[tuple[str, str], list[Sequence[float]]] = field(default_factory=dict)

    def run(self) -> Ending:
        """Train until every trial has ended, or somebody asks to stop.

        A trial that others are training is waited for: should they be lost, it is begun here.

        Raises
        ------
        RunError
            The storage could not be used for too long; what had ended is kept in the rescue file.
        """
        self._began, self._silent, self._told = time.time(), 0.0, ""
        self._looked = self._beaten = self._freed = time.monotonic()
        self.store.keep_environment(socket.gethostname(), dict(environment()))
        self.store.free_lost()
        self._recover()
        record = self.store.record()
        if self.plan.pruner != "none":
            for trial in record.trials:
                self._remember(trial)
        self.watcher.begun(record, self.crew.size)
        try:
            return self._loop()
        except BaseException:
            self._leave()
            raise

    def _loop(self) -> Ending:
        stopping: str = ""
        while True:
            self._keep_outcomes()
            if self.leave.is_set():
                self._leave()
                return "stopped"
            if not self.unkept:
                try:
                    stopping = stopping or self._stop_asked()
                    if stopping == "now":
                        self._leave()
                        return "stopped"
                    self._beat()  # first: after a silence, so that no own trial is taken for lost
                    others, trouble = (0, "") if stopping else self._fill()
                    self._tell(trouble)
                    if not self.claims and not others:
                        return "stopped" if stopping else "done"
                    self._silent = 0.0
                except RunError as error:
                    self._unreachable(error)
            for news in self.crew.news(0.25):
                self._hear(news)

    def _tell(self, trouble: str) -> None:
        """Say what is wrong now; once that it no longer is."""
        if trouble != self._told:
            self._told = trouble
            self.watcher.said(trouble)

    def _fill(self) -> tuple[int, str]:
        """Begin trials where workers are free; return how many trials others train, and what is wrong."""
        free, trouble = self._room(self.crew.size - len(self.claims))
        if free <= 0:
            return 0, trouble
        if time.monotonic() - self._freed > LOST_EVERY:
            self._freed = time.monotonic()
            for key in self.store.free_lost():
                if key not in self.claims:
                    self.watcher.lost(key, "its process is gone")
        for claim in self.store.claim(self.plan, free):
            self.claims[claim.key] = claim
            self.crew.start(claim.key, claim.attempt)
            self.watcher.started(claim.key)
        if self.claims:
            return 0, trouble
        others = len(self.store.running())
        if others:
            trouble = f"waiting for {others} trials that others are training"
            time.sleep(min(1.0, LOOK_EVERY))
        return others, trouble

    def _room(self, free: int) -> tuple[int, str]:
        """Return for how many more trials memory has room, for the first always, and what is wrong."""
        left = available()
        if free <= 0 or left is None or left > A_WORKER:
            return free, ""
        trouble = f"{left >> 20} MiB of memory are left: no further trial is begun until there is more"
        return 0 if self.claims else 1, trouble

    def _hear(self, news: News) -> None:
        claim = self.claims.get(news.key)
        if claim is None:
            return
        if news.epoch is not None:
            if self.plan.pruner != "none":
                self.crew.judge(news.key, self._promising(news.key, news.epoch))
            self.watcher.epoch(news.key, news.epoch)
            return
        if news.outcome is not None:
            self.unkept.append((claim, news.outcome))
            if news.environment:
                with suppress(RunError):
                    self.store.keep_environment(news.outcome.worker.partition(":")[0], news.environment)
        else:
            self.watcher.lost(news.key, news.lost)
            with suppress(RunError):  # it will be found lost
                self.store.free([claim], "worker" if news.blamed else "gone")
        del self.claims[news.key]

    def _keep_outcomes(self) -> None:
        while self.unkept:
            claim, outcome = self.unkept[0]
            try:
                counts = self.store.finish(claim, outcome)
            except RunError as error:
                self._unreachable(error)
                return
            self.unkept.pop(0)
            self._silent = 0.0
            if counts:
                self._remember(outcome)
                self.watcher.ended(outcome)
            else:
                self.watcher.said(
                    f"{claim.key.name} was taken for lost while this process was silent; this outcome is "
                    "dropped, another counts"
                )

    def _unreachable(self, error: RunError) -> None:
        """Wait a little with everything that needs the storage; too long, and it is an error."""
        now = time.monotonic()
        self._silent = self._silent or now
        if now - self._silent > self.patience:
            raise error
        left = self.patience - (now - self._silent)
        waiting = f", with {len(self.unkept)} outcomes to keep" if self.unkept else ""
        self._tell(f"{error}; trying again for {left:.0f} s{waiting}")
        time.sleep(min(1.0, self.patience / 10))

    def _stop_asked(self) -> str:
        if time.monotonic() - self._looked < LOOK_EVERY:
            return ""
        self._looked = time.monotonic()
        return self.store.asked_to_stop(self._began)

    def _beat(self) -> None:
        if time.monotonic() - self._beaten > BEAT:
            self.store.beat(list(self.claims.values()))
            self._beaten = time.monotonic()

    def _leave(self) -> None:
        """Give up what is being trained, and keep outcomes that the storage did not take in a file."""
        with suppress(RunError):  # the crew may be what ended it
            for news in self.crew.news(0.0):
                self._hear(news)
        with suppress(RunError):
            while self.unkept:
                self.store.finish(*self.unkept[0])
                self.unkept.pop(0)
        if self.unkept:
            count = f"{len(self.unkept)} outcomes"
            try:
                file = rescue.keep(self.rescue, [o for _, o in self.unkept])
                self.watcher.said(f"{count} are kept in {file} until the study goes on")
            except RunError as error:
                self.watcher.said(f"{count} cannot be kept, their trials will be trained anew: {error}")
        with suppress(RunError):  # they will be found lost
            self.store.free(list(self.claims.values()), "stop")
        self.claims.clear()

    def _recover(self) -> None:
        """Keep the outcomes of rescue files, and remove these."""
        for file, trials in rescue.kept(self.rescue):
            new = self.store.add(trials)
            file.unlink(missing_ok=True)
            self.watcher.said(f"{new} outcomes of {file} are in the storage now")

    # pruning

    def _remember(self, trial: StudyTrial) -> None:
        if trial.status in ("finished", "pruned"):
            self.curves.setdefault((trial.task, trial.cell), []).append([valid for _, valid in trial.curve])

    def _promising(self, key: Key, epoch: Epoch) -> bool:
        """Return whether a trial is at least as good as the median of its cell's trials at this epoch."""
        if epoch.epoch < BEFORE_PRUNING:
            return True
        before = [
            c[epoch.epoch - 1] for c in self.curves.get((key.task, key.cell), []) if len(c) >= epoch.epoch
        ]
        return len(before) < BEFORE_PRUNING or epoch.valid <= statistics.median(before)
