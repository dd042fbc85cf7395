"""The tasks by their kinds, and how one is opened from what a run keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gatelab.errors import ConfigError, DataError, near_misses
from gatelab.runs.config import Task as Record
from gatelab.tasks.classify import ClassifyTask
from gatelab.tasks.forecast import ForecastTask
from gatelab.tasks.frames import FrameTask
from gatelab.tasks.guess import guess, named
from gatelab.tasks.language import LanguageTask
from gatelab.tasks.music import MusicTask
from gatelab.tasks.options import Options
from gatelab.tasks.synthetic import SyntheticTask
from gatelab.tasks.task import Task
from gatelab.tasks.transcribe import TranscribeTask
from gatelab.tasks.translate import TranslateTask
from gatelab.tasks.tune import TuneTask
from gatelab.tasks.waveform import WaveformTask

KINDS: Mapping[str, type[Task]] = MappingProxyType(
    {
        task.kind: task
        for task in (
            MusicTask,
            LanguageTask,
            ClassifyTask,
            FrameTask,
            TranscribeTask,
            WaveformTask,
            TuneTask,
            TranslateTask,
            ForecastTask,
            SyntheticTask,
        )
    }
)
"""The classes of tasks by their kinds."""


def open_task(load: str, kind: str | None = None, options: Mapping[str, Any] | None = None) -> Task:
    """Return a task on the data that ``load``, a name or a path, means.

    Without ``kind``, it is the one that the data suggests; see :func:`gatelab.tasks.guess.guess`.

    Raises
    ------
    ConfigError, DataError
        Where there is no such kind, name or option, or the data is broken.
    """
    kind = kind or guess(load).kind
    if kind not in KINDS:
        hint = near_misses(kind, KINDS) or ";"
        raise ConfigError(f"no task is called {kind!r}{hint} known are {', '.join(KINDS)}")
    told = Options(kind, options or {})
    load = _lasting(load)
    task = KINDS[kind].load(load, told)
    told.close()
    task.options = told.given
    task.asked = task.asked or load
    return task


def _lasting(load: str) -> str:
    """Return a known name as it is, and a path so that it means the same from any folder."""
    path = Path(load).expanduser()
    return str(path.resolve()) if load.lower() not in named() and path.exists() else load


def reopen(record: Record) -> Task:
    """Return the task of a run, on the same data that it began with.

    Raises
    ------
    DataError
        Where the data is another one now.
    """
    task = open_task(record.load, record.kind, record.options)
    now = task.record()
    if now.digest != record.digest:
        raise DataError(
            f"{now.source} is not the file that this run began with (SHA-256 {now.digest[:12]}…, wanted "
            f"{record.digest[:12]}…); put the old file back or begin a new run"
        )
    return task
