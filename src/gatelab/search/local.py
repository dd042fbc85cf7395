"""Trials on this machine: one process a core, one thread each."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing import connection
from pathlib import Path
from queue import Queue
from typing import Any

import torch

from gatelab.data import load_music
from gatelab.errors import DataError, RunError
from gatelab.graph.cell import Cell
from gatelab.graph.data import from_data
from gatelab.runs import Comparison, Epoch, Outcome, Trial, open_run
from gatelab.tasks import MusicTask
from gatelab.train import train

Told = Callable[[Trial, Epoch | Outcome], None]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_trials(folder: Path, trials: Iterable[Trial], workers: int, told: Told) -> None:
    """Train the trials of the run in ``folder``, ``workers`` at once; tell of epochs and outcomes.

    Workers end with this process, however it ends, so that nothing writes to the run behind its back.

    Raises
    ------
    RunError
        Where a worker died; what had ended is kept.
    GatelabError
        What a trial raised.
    """
    context = multiprocessing.get_context("spawn")
    events: Any = context.Queue()
    stop = threading.Event()
    listener = threading.Thread(target=_listen, args=(events, told, stop), daemon=True)
    listener.start()
    pool = ProcessPoolExecutor(workers, context, _start_worker, (events,))
    try:
        futures: list[Future[None]] = [pool.submit(_run_trial, str(folder), trial) for trial in trials]
        for future in as_completed(futures):
            future.result()
    except BrokenProcessPool:
        raise RunError(
            f"a worker process died (killed, or out of memory); what had ended is kept: "
            f"gatelab resume {folder}"
        ) from None
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        events.put(None)
        stop.set()
        listener.join()


def _listen(events: Queue[Any], told: Told, stop: threading.Event) -> None:
    while (event := events.get()) is not None:
        told(*event)


_events: Any = None


def _start_worker(events: Any) -> None:
    global _events
    _events = events
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
    outcome = train(
        place, trial, task, cells[trial.unit], unit.hidden_size, config.training,
        lambda epoch: _events.put((trial, epoch)),
    )  # fmt: skip
    _events.put((trial, outcome))


@lru_cache(maxsize=1)
def _loaded(folder: str) -> tuple[Comparison, MusicTask, dict[str, Cell]]:
    config = open_run(Path(folder))
    return config, MusicTask(data_of(config)), {u.name: from_data(u.cell) for u in config.units}


def data_of(config: Comparison) -> Any:
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
