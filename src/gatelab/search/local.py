"""Trials on this machine: one process a core, one thread each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import connection
from pathlib import Path

import torch

from gatelab.data import MusicData, load_music
from gatelab.errors import DataError, RunError
from gatelab.graph.cell import Cell
from gatelab.graph.data import from_data
from gatelab.runs import Comparison, Epoch, Outcome, Trial, open_run
from gatelab.runs.tables import read_trial
from gatelab.tasks import MusicTask
from gatelab.train import train

LOOK_EVERY = 0.25
"""Seconds between two looks at what the running trials have written."""

Told = Callable[[Trial, Epoch | Outcome], None]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_trials(folder: Path, trials: Sequence[Trial], workers: int, told: Told) -> None:
    """Train the trials of the run in ``folder``, ``workers`` at once; tell of epochs and outcomes.

    News is read from the run's own files, so nothing but these files joins the processes. Workers end with
    this process, however it ends, so that nothing writes to the run behind its back.

    Raises
    ------
    RunError
        Where a worker died; what had ended is kept.
    GatelabError
        What a trial raised.
    """
    news = _News(folder, trials)
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker)
    try:
        with _interrupts_are_ours():
            waiting: set[Future[None]] = {pool.submit(_run_trial, str(folder), trial) for trial in trials}
        while waiting:
            ended, waiting = wait(waiting, timeout=LOOK_EVERY, return_when=FIRST_COMPLETED)
            news.tell(told)
            for future in ended:
                future.result()
    except BrokenProcessPool:
        raise RunError(
            "a worker process died (killed, out of memory, or a script that starts a run without "
            f"if __name__ == '__main__'); what had ended is kept: gatelab resume {folder}"
        ) from None
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


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
def _interrupts_are_ours() -> Iterator[None]:
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
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _run_trial(folder: str, trial: Trial) -> None:
    config, task, cells = _loaded(folder)
    unit = next(u for u in config.units if u.name == trial.unit)
    place = Path(folder) / "trials" / trial.name
    train(place, trial, task, cells[trial.unit], unit.hidden_size, config.training)


@lru_cache(maxsize=1)
def _loaded(folder: str) -> tuple[Comparison, MusicTask, dict[str, Cell]]:
    config = open_run(Path(folder))
    return config, MusicTask(data_of(config)), {u.name: from_data(u.cell) for u in config.units}


def data_of(config: Comparison) -> MusicData:
    """Return the data of a run, the same that it began with.

    Raises
    ------
    DataError
        Where the file is another one now.
    """
    data = load_music(config.task.load)
    if data.digest != config.task.digest:
        raise DataError(
            f"{data.source} is not the file that this run began with (SHA-256 {data.digest[:12]}…, wanted "
            f"{config.task.digest[:12]}…); put the old file back or begin a new run"
        )
    return data
