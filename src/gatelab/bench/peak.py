"""How many floating-point operations a second the machine can do at most."""

from __future__ import annotations

import ctypes
from functools import lru_cache

from gatelab.engine.library import load


@lru_cache(maxsize=64)
def peak(threads: int) -> float | None:
    """Return flops per second of fused multiply-adds in float32 on ``threads`` cores, measured for a moment.

    What is measured are multiplications with addition in registers, of the variant of the tile machine that
    runs here: no memory, no dependence. No program can be faster with the same instructions.
    """
    measure = load().gatelab_tile_peak
    measure.argtypes, measure.restype = [ctypes.c_int, ctypes.c_int], ctypes.c_double
    return float(measure(threads, 0))
