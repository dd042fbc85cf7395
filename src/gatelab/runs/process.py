"""Names of processes that no two share, and whether the one of a name still runs."""

from __future__ import annotations

import hashlib
import os
import socket
from functools import cache
from pathlib import Path


def owner() -> str:
    """Return this process's name: machine:process:moment, where the moment tells apart who else had both.

    Examples
    --------
    >>> len(owner().split(":"))
    3
    """
    return f"{socket.gethostname()}:{os.getpid()}:{_world()}.{_began(os.getpid())}"


def is_gone(name: str) -> bool:
    """Return whether a process ran where this one runs, and runs no more; False where that cannot be told.

    Machines of one name, and containers, are told apart by when their system was started and by whose
    processes they see.

    Examples
    --------
    >>> is_gone(owner())
    False
    """
    try:
        machine, process, moment = name.rsplit(":", 2)
        world, began = moment.split(".")
        number = int(process)
    except ValueError:
        return False
    return (machine, world) == (socket.gethostname(), _world()) and _began(number) != began


@cache
def _world() -> str:
    """Return a word for this start of this system and this set of processes."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        return hashlib.sha256(f"{boot}{os.readlink('/proc/self/ns/pid')}".encode()).hexdigest()[:8]
    except OSError:
        return ""


def _began(process: int) -> str:
    """Return when a process of this machine began, in clock ticks; '' where it runs no more."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
