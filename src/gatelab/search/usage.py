"""How much processor time this process and all that it began have taken."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def cpu_seconds(processes: Path = Path("/proc")) -> float | None:
    """Return the processor time of this process and its living descendants; None: the system does not say.

    Examples
    --------
    >>> from gatelab.search.usage import cpu_seconds
    >>> found = cpu_seconds()
    >>> found is None or found > 0
    True
    """
    parents, ticks = {}, {}
    for place in processes.glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):  # it ended meanwhile
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            process = int(place.name)
            parents[process], ticks[process] = int(fields[1]), int(fields[11]) + int(fields[12])
    if os.getpid() not in ticks:
        return None
    ours = {os.getpid()}
    grown = True
    while grown:
        more = {p for p, parent in parents.items() if parent in ours} - ours
        ours |= more
        grown = bool(more)
    return sum(ticks[p] for p in ours) / os.sysconf("SC_CLK_TCK")
