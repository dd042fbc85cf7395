"""How much memory is left, so that trials are begun only where they have room."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

RESERVE = 512 << 20
"""Bytes that are left to others."""
A_WORKER = 256 << 20
"""Bytes that a worker may take beside the data that it shares."""

CGROUP = Path("/sys/fs/cgroup")


def available(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = CGROUP) -> int | None:
    """Return the bytes that processes may still take of the machine and of this group; None: not known."""
    found = [n for n in (_of_the_machine(meminfo), _of_the_group(cgroup)) if n is not None]
    return min(found, default=None)


def room_for(workers: int, left: int | None) -> int:
    """Return how many of these workers have room in the memory that is left; at least 1."""
    if left is None:
        return workers
    return max(1, min(workers, (left - RESERVE) // A_WORKER))


def _of_the_machine(meminfo: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return None


def _of_the_group(cgroup: Path) -> int | None:
    with suppress(OSError, ValueError):
        most = (cgroup / "memory.max").read_text().strip()
        if most != "max":
            statistics = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
            taken = int((cgroup / "memory.current").read_text()) - int(statistics.get("inactive_file", 0))
            return max(0, int(most) - taken)
    return None
