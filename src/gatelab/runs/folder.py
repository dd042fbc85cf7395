"""One run, one folder; every file in it is written whole or not at all.

::

    RUN/
      config.json         the frozen configuration (:class:`gatelab.runs.Comparison`)
      environment.json    machine, versions, when it began
      later_environments.jsonl   the same of later sessions, where something had changed
      baselines.json      the measures of the baselines
      lock                held by the process that works on the run
      trials/TRIAL/
        trial.json        unit, learning rate, seed (:class:`gatelab.runs.Trial`)
        metrics.jsonl     one line an epoch (:class:`gatelab.runs.Epoch`)
        checkpoint.safetensors   everything needed to go on; removed at the end
        weights.safetensors      the weights with the best validation
        scores.json       the measures' numbers for each sequence of test
        outcome.json      how it ended (:class:`gatelab.runs.Outcome`); there only when it has ended
        profile.json      where its time went, if it was timed (:class:`gatelab.runs.profile.Timing`)
      profile.json        the same of the last timed session (:class:`gatelab.runs.profile.Profile`)
      report.html
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gatelab.errors import RunError
from gatelab.runs.config import FORMAT, Comparison, explain
from gatelab.whole import write_whole

M = TypeVar("M", bound=BaseModel)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file as a whole or not at all, as :func:`gatelab.whole.write_whole`.

    Raises
    ------
    RunError
        Where the disk is full or the folder cannot be written; what stood there before is untouched.
    """
    try:
        write_whole(path, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise RunError(_cannot_write(path, error)) from error


def _cannot_write(path: Path, error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full:
        return (
            f"cannot write {path}: the disk is full; what was written before is kept: make room, then "
            f"gatelab resume"
        )
    reason = (error.strerror or str(error)).lower()
    return (
        f"cannot write {path}: {reason}; wanted a folder that can be written; try another, or its permissions"
    )


def write_json(path: Path, value: Any) -> None:
    """Write a value, or a pydantic model, as JSON."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def append_line(path: Path, line: str) -> None:
    """Add one line to a file; a disk that is full is a RunError."""
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RunError(_cannot_write(path, error)) from error


def read_json(path: Path) -> Any:
    """Return the content of a JSON file of a run folder.

    Raises
    ------
    RunError
        Where it is missing or damaged.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RunError(f"{path} is missing: {path.parent} is no complete run folder") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(
            f"{path} cannot be read ({error}); if it was damaged, take it from a copy or move the run away"
        ) from None


def read_model(path: Path, model: type[M]) -> M:
    """Return a JSON file of a run as a pydantic model; a damaged or foreign file is a RunError."""
    return parse_model(path, read_json(path), model, FORMAT)


def parse_model(path: Path, value: Any, model: type[M], version: int) -> M:
    """Return the content of a JSON file as a pydantic model of a version.

    Raises
    ------
    RunError
        Where it is of another version, or does not fit the model.
    """
    came = value.get("format", version) if isinstance(value, dict) else None
    if came != version:
        raise RunError(
            f"{path} is of format {came!r:.40}, this gatelab reads format {version}; try the gatelab that "
            "wrote it"
        )
    return parse_part(path, value, model)


def parse_part(path: Path, value: Any, model: type[M], part: str = "") -> M:
    """Return what stands in a part of a JSON file as a pydantic model; a RunError where it does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        where = f"{part}." if part else ""
        raise RunError(f"{path} is damaged: {where}{explain(error, list(model.model_fields))}") from None


def create(parent: Path, config: Comparison) -> Path:
    """Return the folder of this configuration's run below ``parent``, made where it is not there."""
    folder = parent / config.name
    try:
        (folder / "trials").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(_cannot_write(folder, error)) from error
    if not (folder / "config.json").exists():
        write_json(folder / "config.json", config)
        return folder
    before = open_run(folder)
    if before.digest != config.digest:
        raise RunError(
            f"{folder / 'config.json'} was changed since the run began; put it back, or move the run away"
        )
    if before.task.load != config.task.load:  # the same data, found elsewhere now
        write_json(folder / "config.json", config)
    return folder


def open_run(folder: Path) -> Comparison:
    """Return the configuration of the run in ``folder``.

    Raises
    ------
    RunError
        Where the folder is missing, is no run, is half written or of another version.
    """
    if not folder.is_dir():
        raise RunError(f"{folder} is no folder; wanted a run folder, such as one below {folder.parent}/")
    if not (folder / "config.json").exists():
        raise RunError(f"{folder} holds no config.json: no run folder, or one whose making was cut off")
    return read_model(folder / "config.json", Comparison)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the run for this process; the lock goes with the process, however it ends.

    Raises
    ------
    RunError
        Where another process works on the run.
    """
    try:
        file = open(folder / "lock", "a+")  # noqa: SIM115
    except OSError as error:
        raise RunError(_cannot_write(folder / "lock", error)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{folder} is being worked on by another process; wait for it to end") from None
        yield
