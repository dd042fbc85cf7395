"""Which engine runs a cell, always told with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from gatelab.engine.library import variant
from gatelab.errors import EngineError, near_misses

ENGINES = ("auto", "tile", "reference")
TYPES = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Choice:
    """An engine's name and why it was taken."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def choose(wanted: str, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Choice:
    """Return the engine for ``wanted``: ``"auto"`` or an engine's name.

    Raises
    ------
    EngineError
        Where there is no such engine, or where the one that is asked for cannot do it.
    BuildError
        Where the tile machine's library is missing or does not fit.

    Examples
    --------
    >>> from gatelab.engine import choose
    >>> choose("reference").reason
    'asked for'
    """
    if wanted not in ENGINES:
        misses, known = near_misses(str(wanted), ENGINES), ", ".join(ENGINES)
        raise EngineError(f"unknown engine {wanted!r}{misses}; known are {known}")
    if wanted == "reference":
        return Choice("reference", "asked for")
    obstacle = _obstacle(torch.device(device), dtype)
    if obstacle and wanted == "tile":
        raise EngineError(f"engine 'tile' {obstacle}; try engine='auto' or 'reference'")
    if obstacle:
        return Choice("reference", f"the tile machine {obstacle}")
    return _tile(wanted == "tile", dtype)


@lru_cache(maxsize=8)
def _tile(asked_for: bool, dtype: torch.dtype) -> Choice:
    why = "asked for" if asked_for else "the fastest on this machine"
    return Choice("tile", f"{why} ({variant()}, {str(dtype).removeprefix('torch.')})")


def _obstacle(device: torch.device, dtype: torch.dtype) -> str:
    """Return why the tile machine cannot do it, or nothing."""
    if device.type != "cpu":
        return f"runs on the CPU, and the weights are on {device}"
    if dtype not in TYPES:
        return f"computes in float32 and float64, and the weights are {dtype}"
    return ""
