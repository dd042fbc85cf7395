"""What a benchmark found: rows, the machine, versions; written as JSON."""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gatelab.errors import DataError

FORMAT = 1
Status = Literal["timed", "differs", "missing", "failed", "left out"]


@dataclass
class Row:
    """One peer on one workload.

    Attributes
    ----------
    workload, cell, peer, threads
        What was asked for.
    computes
        The cell that the peer computes in its place.
    hidden, rows, flops
        H; steps of all sequences, padding left out; floating-point operations of the asked-for cell.
    status, said
        Whether it was timed, and else why not.
    engine
        Which engine, and why, or which version.
    far
        Largest relative distance of outputs and gradients from float64.
    first
        Seconds of building and the first step, in a process that has not met the cell before.
    seconds
        Of every timed step, in the order in which they were run.
    faults
        Minor page faults of a step (the median).
    memory
        Bytes that training steps needed at their peak, where it was measured.
    """

    workload: str
    cell: str
    peer: str
    threads: int
    computes: str
    hidden: int
    rows: int
    flops: int
    status: Status = "timed"
    said: str = ""
    engine: str = ""
    far: float | None = None
    first: float | None = None
    seconds: list[float] = field(default_factory=list)
    faults: float | None = None
    memory: int | None = None

    def summary(self) -> dict[str, float]:
        """Return minimum, quartiles and median [s]."""
        if not self.seconds:
            return {}
        low, middle, high = np.quantile(self.seconds, [0.25, 0.5, 0.75]).tolist()
        return {"min": min(self.seconds), "quartile1": low, "median": middle, "quartile3": high}


@dataclass(frozen=True)
class Result:
    """All rows of one call, and what is needed to read them.

    Attributes
    ----------
    machine
        What :func:`machine` returned when the measurement began.
    peak
        Flops per second that the machine can do at most, by the number of threads.
    fastest
        Whether each row is read by its fastest step instead of its median.
    """

    rows: list[Row]
    machine: Mapping[str, Any]
    peak: Mapping[str, float] = field(default_factory=dict)
    fastest: bool = False

    def row(self, workload: str, cell: str, peer: str, threads: int) -> Row | None:
        """Return a row, or None."""
        wanted = (workload, cell, peer, threads)
        return next((r for r in self.rows if (r.workload, r.cell, r.peer, r.threads) == wanted), None)

    def time(self, row: Row | None) -> float | None:
        """Return the seconds of a row's step, or None where it was not timed."""
        if row is None or row.status != "timed" or not row.seconds:
            return None
        return min(row.seconds) if self.fastest else statistics.median(row.seconds)

    def speed(self, row: Row | None) -> float | None:
        """Return a row's flops per second, or None."""
        time = self.time(row)
        return row.flops / time if row and time else None

    def share(self, row: Row) -> float | None:
        """Return flops ÷ (time × the machine's peak), or None where one of them is not known."""
        speed, peak = self.speed(row), self.peak.get(str(row.threads))
        return speed / peak if speed and peak else None


def machine() -> dict[str, Any]:
    """Return processor, caches, versions, date, and the commit where the source is a checkout of git."""
    return {
        "processor": _first(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo")) or platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "caches": _caches(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: v for name in LIBRARIES if (v := _version(name))},
        "commit": _commit(),
        "load": round(os.getloadavg()[0], 2),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


LIBRARIES = ("gatelab", "torch", "numpy", "jax", "jaxlib", "torchrecurrent")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _first(pattern: str, path: Path) -> str:
    try:
        found = re.search(pattern, path.read_text())
    except OSError:
        return ""
    return found[1].strip() if found else ""


def _caches() -> dict[str, str]:
    """Return the sizes of the first core's caches, ``{"L2": "1024K"}``."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (_first(r"(.*)", folder / name) for name in ("level", "type", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def _commit() -> str:
    """Return the commit of the source, with a + where files differ from it; empty outside of git."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        return commit + "+" * bool(commit and git("status", "--porcelain", "--", str(here.parent)))
    except OSError:
        return ""


def write(path: Path, result: Result) -> None:
    """Write a result as JSON; every row has its summary beside its times."""
    rows = [asdict(row) | row.summary() for row in result.rows]
    content = {"format": FORMAT, "machine": result.machine, "peak": result.peak, "rows": rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> Result:
    """Return what :func:`write` wrote.

    Raises
    ------
    DataError
        Where the file is missing or not such a result.
    """
    names = {f.name for f in fields(Row)}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise DataError(f"{path}: wanted a benchmark of format {FORMAT}, got {content['format']}")
        rows = [Row(**{k: v for k, v in row.items() if k in names}) for row in content["rows"]]
        return Result(rows, content["machine"], content["peak"])
    except OSError as error:
        raise DataError(f"{path}: wanted a benchmark's result; {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is no benchmark's result ({type(error).__name__}: {error})") from None
