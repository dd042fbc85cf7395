"""Outcomes that a storage would not take, in files until it does."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from gatelab.errors import RunError
from gatelab.runs import write_atomic
from gatelab.runs.study import StudyTrial


def keep(path: Path, outcomes: Sequence[StudyTrial]) -> Path:
    """Write outcomes to a file of this process beside ``path``; return which.

    Where that cannot be, such as on a disk that is full, it is in the folder for temporary files.

    Raises
    ------
    RunError
        Neither can be written.
    """
    text = "".join(outcome.model_dump_json() + "\n" for outcome in outcomes)
    whose = f"-{socket.gethostname()}-{os.getpid()}{path.suffix}"
    first, second = path.with_name(path.stem + whose), _elsewhere(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(first, text)
        return first
    except (RunError, OSError):
        second = second.with_name(second.stem + whose)
        write_atomic(second, text)
        return second


def kept(path: Path) -> Iterator[tuple[Path, list[StudyTrial]]]:
    """Yield the files that processes kept beside ``path``, and their outcomes.

    Raises
    ------
    RunError
        A file is damaged.
    """
    for place in (path, _elsewhere(path)):
        for file in sorted(place.parent.glob(f"{place.stem}*{place.suffix}")):
            with suppress(FileNotFoundError):  # another process was faster
                lines = file.read_text().splitlines()
                try:
                    yield file, [StudyTrial.model_validate(json.loads(line)) for line in lines]
                except ValueError:
                    raise RunError(
                        f"{file} is damaged; repair or remove it to go on without its outcomes"
                    ) from None


def _elsewhere(path: Path) -> Path:
    """Return the same in the folder for temporary files, by a name that no other study's has."""
    mark = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"gatelab-{mark}{path.suffix}"
