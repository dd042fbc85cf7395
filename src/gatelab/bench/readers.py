"""How long readers take and what memory they need, each in a process of its own.

Run as a module with a reading's name and a path, it makes that one reading and prints what it took, as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gatelab.errors import DataError, EngineError

TEXT = 100 * 10**6
"""Bytes of the text that is made by repeating a given one."""


def _bytes(path: Path) -> int:
    from gatelab.data.text.corpus import load_text

    return len(load_text(path, level="bytes").ids)


def _characters(path: Path) -> int:
    from gatelab.data.text.corpus import load_text

    return len(load_text(path, level="characters").ids)


def _words(path: Path) -> int:
    from gatelab.data.text.corpus import load_text

    return len(load_text(path, level="words", max_size=10_000).ids)


def _midi(path: Path) -> int:
    from gatelab.data.midi.folder import read_pieces
    from gatelab.data.tree import Tree

    return len(read_pieces(Tree(path)).pieces)


def _mfcc(path: Path) -> int:
    from gatelab.data.speech.mfcc import mfcc
    from gatelab.data.speech.sets import load_speech

    speech = load_speech("festvox_ru", path)
    spoken = [*speech.train, *speech.valid, *speech.test]
    return sum(len(mfcc(u.samples, u.rate, u.id)) for u in spoken)


def _pens(path: Path) -> int:
    from gatelab.data.pens.strokes import load_strokes

    data = load_strokes(path)
    return sum(len(w.features) for w in (*data.train, *data.valid, *data.test))


def _table(path: Path) -> int:
    from gatelab.data.tables.table import read_table

    return int(read_table(path).values.size)


READINGS: Mapping[str, tuple[str, str, Callable[[Path], int]]] = MappingProxyType(
    {
        "bytes": ("warpeace/warpeace_input.txt", "symbols", _bytes),
        "characters": ("warpeace/warpeace_input.txt", "symbols", _characters),
        "words": ("warpeace/warpeace_input.txt", "symbols", _words),
        "MIDI": ("poly_music/nottingham_midi_jukedeck.zip", "files", _midi),
        "MFCC": ("festvox_ru/festvox_ru_160.zip", "frames", _mfcc),
        "pens": ("gw_online_handwriting/gw-online-dataset.zip", "points", _pens),
        "CSV": ("time_series/ETTh1.csv", "numbers", _table),
    }
)
"""The readings: the real file below the data folder, what is counted, and the reader."""


@dataclass(frozen=True)
class Reading:
    """What a reading took.

    Attributes
    ----------
    name, what, count
        Which one, and how much of what came of it.
    megabytes
        Size of the file.
    seconds, cpu
        Wall-clock time and processor time, medians.
    peak
        Most memory of the process, MiB, the interpreter's and the libraries' own included.
    """

    name: str
    what: str
    count: int
    megabytes: float
    seconds: float
    cpu: float
    peak: float


def measure(folder: Path, names: Sequence[str] = tuple(READINGS), rounds: int = 3) -> list[Reading]:
    """Return what the readings of the real data below ``folder`` take; texts are repeated to 100 MB.

    Raises
    ------
    DataError
        A file is not there.
    """
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            path = folder / READINGS[name][0]
            if not path.is_file():
                raise DataError(f"{path}: wanted this file to read, came none; try to set GATELAB_DATA")
            if name in ("bytes", "characters", "words"):
                path = _repeated(path, Path(scratch) / "text.txt")
            found.append(_timed(name, path, rounds))
    return found


def _repeated(path: Path, target: Path) -> Path:
    if not target.exists():
        data = path.read_bytes()
        with target.open("wb") as file:
            for _ in range(-(-TEXT // len(data))):
                file.write(data)
    return target


def _timed(name: str, path: Path, rounds: int) -> Reading:
    answers = [_asked(name, path) for _ in range(rounds)]
    middle = {key: statistics.median(a[key] for a in answers) for key in ("seconds", "cpu", "peak")}
    count, megabytes = int(answers[0]["count"]), path.stat().st_size / 1e6
    return Reading(name, READINGS[name][1], count, megabytes, **middle)


def _asked(name: str, path: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as cache:  # nothing is there yet from an earlier reading
        environment = {
            **os.environ,
            "GATELAB_CACHE": cache,
            "OMP_NUM_THREADS": "1",
            "POLARS_MAX_THREADS": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "gatelab.bench.readers", name, str(path)],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(f"reading {name} ended with code {done.returncode}: {said}")
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def table(readings: Sequence[Reading]) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of what readings took."""
    columns = ["reading", "file", "gives", "time", "busy", "memory"]
    rows = [
        [
            r.name,
            f"{r.megabytes:.1f}",
            f"{r.count:,} {r.what}",
            f"{r.seconds:.2f}",
            f"{r.cpu:.2f}",
            f"{r.peak:.0f}",
        ]
        for r in readings
    ]
    return columns, rows


def main(name: str, path: str) -> None:
    """Make one reading and print what it took."""
    began, busy = time.perf_counter(), time.process_time()
    count = READINGS[name][2](Path(path))
    answer = {"count": count, "seconds": time.perf_counter() - began, "cpu": time.process_time() - busy}
    answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
