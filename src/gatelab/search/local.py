"""Trials on this machine: one process a core, one thread each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import connection
from pathlib import Path
from types import TracebackType

import torch

from gatelab.errors import RunError
from gatelab.graph.cell import Cell
from gatelab.graph.data import from_data
from gatelab.runs import Comparison, Epoch, Outcome, Trial, open_run, write_json
from gatelab.runs.profile import FILE, Timing
from gatelab.runs.tables import read_trial
from gatelab.tasks import Task, reopen
from gatelab.train import train
from gatelab.train.clock import UNTIMED, Clock

LOOK_EVERY = 0.25
"""Seconds between two looks at what the running trials have written."""

Told = Callable[[Trial, Epoch | Outcome], None]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """Processes that train trials of the run in ``folder``, ``count`` at most, from the first trial on.

    They live as long as the block, so that imports and data are paid for once, and end with this process,
    however it ends, so that nothing writes to the run behind its back. News is read from the run's own
    files, so nothing but these files joins the processes.

    Parameters
    ----------
    timed
        Whether each trial writes down where its time went.

    Attributes
    ----------
    seconds
        Wall-clock time in which trials were run.
    """

    def __init__(self, folder: Path, count: int, timed: bool = False) -> None:
        self.folder, self.timed, self.seconds = folder, timed, 0.0
        self._pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _start_worker)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
        self._pool.shutdown(cancel_futures=True)

    def run(self, trials: Sequence[Trial], told: Told) -> None:
        """Train these trials; tell of epochs and outcomes.

        Raises
        ------
        RunError
            Where a worker died; what had ended is kept.
        GatelabError
            What a trial raised.
        """
        began = time.monotonic()
        news, since = _News(self.folder, trials), began if self.timed else None
        try:
            with interrupts_are_ours():
                waiting: set[Future[None]] = {
                    self._pool.submit(_run_trial, str(self.folder), trial, since) for trial in trials
                }
            while waiting:
                ended, waiting = wait(waiting, timeout=LOOK_EVERY, return_when=FIRST_COMPLETED)
                news.tell(told)
                for future in ended:
                    future.result()
        except BrokenProcessPool:
            raise RunError(
                "a worker process died (killed, out of memory, or a script that starts a run without "
                f"if __name__ == '__main__'); what had ended is kept: gatelab resume {self.folder}"
            ) from None
        self.seconds += time.monotonic() - began


class _News:
    """What the files of running trials say that has not been told yet."""

    def __init__(self, folder: Path, trials: Sequence[Trial]) -> None:
        self.places = {trial: folder / "trials" / trial.name for trial in trials}
        self.epochs: dict[Trial, int] = {}

    def tell(self, told: Told) -> None:
        """Tell of each trial's newest epoch, and of its outcome."""
        for trial in [t for t, place in self.places.items() if (place / "trial.json").exists()]:
            record = read_trial(self.places[trial])
            if record.epochs and record.epochs[-1].epoch > self.epochs.get(trial, 0):
                self.epochs[trial] = record.epochs[-1].epoch
                told(trial, record.epochs[-1])
            if record.outcome:
                del self.places[trial]
                told(trial, record.outcome)


@contextmanager
def interrupts_are_ours() -> Iterator[None]:
    """Let processes begun inside ignore Ctrl-C: this one hears it and ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _start_worker() -> None:
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=end_with, args=(parent.sentinel,), daemon=True).start()


def end_with(sentinel: int) -> None:
    """Wait for another process to end, and end this one."""
    connection.wait([sentinel])
    os._exit(1)


class _Process:
    """What a worker remembers from trial to trial: when, by time.monotonic(), its last timed one ended."""

    free_since = 0.0


def _run_trial(folder: str, trial: Trial, since: float | None) -> None:
    """Train one trial; where it is timed, from ``since`` or from the end of this process's last one."""
    clock = UNTIMED if since is None else Clock(time.monotonic() - max(since, _Process.free_since))
    config, task, cells = _loaded(folder)
    unit = next(u for u in config.units if u.name == trial.unit)
    place = Path(folder) / "trials" / trial.name
    train(place, trial, task, cells[trial.unit], unit.hidden_size, config.training, config.body, clock=clock)
    if since is not None:
        write_json(place / FILE, Timing(process=os.getpid(), seconds=clock.seconds))
        _Process.free_since = time.monotonic()


@lru_cache(maxsize=1)
def _loaded(folder: str) -> tuple[Comparison, Task, dict[str, Cell]]:
    config = open_run(Path(folder))
    return config, reopen(config.task), {u.name: from_data(u.cell) for u in config.units}
