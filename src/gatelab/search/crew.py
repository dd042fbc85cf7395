"""Who trains the trials of a study: a crew is told keys, and answers with epochs and outcomes.

The crew of this machine has one process a core, one thread each, forked by a keeper: it reads torch and the
data once, and its workers share both with it, copied by none. A worker that dies is replaced; everything ends
with the process that began it.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import torch

from gatelab import errors
from gatelab.errors import GatelabError, RunError
from gatelab.runs import Epoch
from gatelab.runs.study import Key, StudyPlan, StudyTrial
from gatelab.search.local import end_with, interrupts_are_ours
from gatelab.search.memory import available, room_for
from gatelab.search.worker import Pruned, run_trial
from gatelab.tasks import Task, reopen

TELL_EVERY = 0.5
"""Seconds between two epochs of a worker that are told."""
DEATHS = 10
"""How many keepers may die one after the other without a trial that ended."""


@dataclass(frozen=True)
class News:
    """What is heard of a trial: an epoch, its outcome, or why it was lost with its worker.

    ``blamed`` is whether it was the worker alone that died, so that the trial may be the reason;
    ``environment`` what the machine of an outcome is, where that is not this one and was not said before.
    """

    key: Key
    epoch: Epoch | None = None
    outcome: StudyTrial | None = None
    lost: str = ""
    blamed: bool = True
    environment: dict[str, Any] | None = None


class Crew(Protocol):
    """Workers, wherever they are.

    Attributes
    ----------
    size
        How many trials are trained at a time.
    """

    size: int

    def start(self, key: Key, attempt: int) -> None:
        """Train a trial; there is a free worker."""

    def news(self, timeout: float) -> Sequence[News]:
        """Return what is heard within so many seconds, as soon as anything is."""

    def judge(self, key: Key, go_on: bool) -> None:
        """Answer an epoch, where the plan has a pruner: the trial goes on or ends there."""

    def close(self) -> None:
        """Let go of all workers, and of what they are training."""


class LocalCrew:
    """Workers of this machine.

    Parameters
    ----------
    plan
        The study.
    count
        How many workers; fewer where memory has no room for them.

    Raises
    ------
    GatelabError
        What opening the data of a task raised.
    """

    def __init__(self, plan: StudyPlan, count: int) -> None:
        self.plan, self.wanted = plan, count
        self.running: set[Key] = set()
        self.deaths = 0
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        with interrupts_are_ours():
            self._keeper = context.Process(target=_keep, args=(theirs,), daemon=False)
            self._keeper.start()
        theirs.close()
        try:
            _send(self._connection, {"plan": self.plan.model_dump(mode="json"), "count": self.wanted})
            said = _receive(self._connection)
        except (EOFError, OSError):
            self.close()
            raise RunError(
                "the process that keeps the workers died while it read the data (killed, out of memory, or a "
                "script that starts a study without if __name__ == '__main__')"
            ) from None
        if "refused" in said:
            self.close()
            kind = getattr(errors, said["refused"], RunError)
            raise kind(said["message"])
        self.size = int(said["count"])

    def start(self, key: Key, attempt: int) -> None:
        """Train a trial."""
        self.running.add(key)
        with suppress(OSError):  # news will tell of the keeper's death
            _send(self._connection, {"start": list(key), "attempt": attempt})

    def judge(self, key: Key, go_on: bool) -> None:
        """Answer an epoch."""
        with suppress(OSError):
            _send(self._connection, {"judge": list(key), "go": go_on})

    def news(self, timeout: float) -> list[News]:
        """Return what is heard within so many seconds."""
        found: list[News] = []
        try:
            if self._connection.poll(timeout):
                found.append(_news(_receive(self._connection)))
                while self._connection.poll(0):
                    found.append(_news(_receive(self._connection)))
        except (EOFError, OSError):
            return found + self._replaced({n.key for n in found if n.epoch is None})
        for n in found:
            if n.epoch is None:
                self.running.discard(n.key)
                self.deaths = 0
        return found

    def _replaced(self, heard: set[Key]) -> list[News]:
        """Begin with another keeper in place of one that died; return what was lost with it."""
        why = "the process that keeps the workers died"
        lost = [News(k, lost=why, blamed=False) for k in self.running - heard]
        self.running.clear()
        self.deaths += 1
        if self.deaths >= DEATHS:
            raise RunError(
                f"the process that keeps the workers died {DEATHS} times in a row; is there memory?"
            )
        self.close()
        self._begin()
        return lost

    def close(self) -> None:
        """Let go of all workers."""
        self._connection.close()
        self._keeper.kill()  # its workers end with it
        self._keeper.join()


def _keep(main: Connection) -> None:
    """Read the data, and have workers train what ``main`` says, until it says no more."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the process that began this one hears it, and ends it
    torch.set_num_threads(1)
    said = _receive(main)
    try:
        plan = StudyPlan.model_validate(said["plan"])
        tasks = {t.name: reopen(t.record) for t in plan.tasks}
    except GatelabError as error:
        _send(main, {"refused": type(error).__name__, "message": str(error)})
        return
    gc.collect()
    gc.freeze()  # what is there stays: workers need not look through it, which would also copy it
    count = room_for(said["count"], available())
    _send(main, {"count": count})
    _Keeper(main, plan, tasks, count).keep()


@dataclass
class _Worker:
    process: Any
    connection: Connection
    key: Key | None = None


@dataclass
class _Keeper:
    main: Connection
    plan: StudyPlan
    tasks: dict[str, Task]
    count: int
    workers: list[_Worker] = field(default_factory=list)

    def keep(self) -> None:
        """Hand on what is said between main and workers; replace workers that died."""
        self.workers = [self._forked() for _ in range(self.count)]
        while True:
            heard = connection.wait([self.main, *(w.connection for w in self.workers)])
            if self.main in heard and not self._told():
                break
            for worker in list(self.workers):
                if worker.connection in heard:
                    self._listen(worker)
        for worker in self.workers:
            worker.process.kill()

    def _told(self) -> bool:
        try:
            said = _receive(self.main)
        except (EOFError, OSError):
            return False
        if "start" in said:
            worker = next(w for w in self.workers if w.key is None)
            worker.key = Key(*said["start"])
        else:
            found = [w for w in self.workers if w.key == Key(*said["judge"])]
            if not found:
                return True
            (worker,) = found
        with suppress(OSError):  # it died; its connection says so next
            _send(worker.connection, said)
        return True

    def _listen(self, worker: _Worker) -> None:
        try:
            said = _receive(worker.connection)
        except (EOFError, OSError):
            worker.process.join()
            if worker.key is not None:
                how = worker.process.exitcode
                why = (
                    f"its worker was ended by signal {-how}"
                    if how < 0
                    else f"its worker ended with code {how}"
                )
                _send(self.main, {"key": list(worker.key), "lost": why})
            else:
                time.sleep(0.5)  # not as fast as the machine can begin processes
            worker.connection.close()
            self.workers[self.workers.index(worker)] = self._forked()
            return
        if "outcome" in said:
            worker.key = None
        _send(self.main, said)

    def _forked(self) -> _Worker:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        others = [self.main, ours, *(w.connection for w in self.workers)]
        process = context.Process(target=_work, args=(theirs, others, self.plan, self.tasks))
        process.start()
        theirs.close()
        return _Worker(process, ours)


def _work(keeper: Connection, others: Sequence[Connection], plan: StudyPlan, tasks: dict[str, Task]) -> None:
    """Train what the keeper says, one trial after the other."""
    for other in others:
        other.close()
    with suppress(OSError):  # where memory is short, the system ends a worker first, not who keeps them
        Path("/proc/self/oom_score_adj").write_text("500")
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=end_with, args=(parent.sentinel,), daemon=True).start()
    while True:
        try:
            said = _receive(keeper)
        except (EOFError, OSError):
            os._exit(0)
        if "start" not in said:
            continue  # a judgement of a trial that has ended
        key = Key(*said["start"])
        outcome = run_trial(plan, tasks, key, said["attempt"], _Teller(keeper, key, plan.pruner != "none"))
        try:
            _send(keeper, {"key": list(key), "outcome": outcome.model_dump(mode="json")})
        except OSError:
            os._exit(0)


@dataclass
class _Teller:
    """Tells of epochs: now and then, or of each one and waits for an answer, where trials are pruned."""

    keeper: Connection
    key: Key
    judged: bool
    last: float = 0.0

    def __call__(self, epoch: Epoch) -> None:
        if not self.judged and time.monotonic() - self.last < TELL_EVERY:
            return
        self.last = time.monotonic()
        _send(self.keeper, {"key": list(self.key), "epoch": epoch.model_dump(mode="json")})
        if self.judged and not _receive(self.keeper)["go"]:
            raise Pruned(f"worse than the median of the trials before it at epoch {epoch.epoch}")


def _news(said: dict[str, Any]) -> News:
    key = Key(*said["key"])
    if "epoch" in said:
        return News(key, epoch=Epoch.model_validate(said["epoch"]))
    if "outcome" in said:
        return News(key, outcome=StudyTrial.model_validate(said["outcome"]))
    return News(key, lost=said["lost"])


def _send(to: Connection, said: dict[str, Any]) -> None:
    to.send_bytes(json.dumps(said).encode())


def _receive(of: Connection) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(of.recv_bytes())
    return said
