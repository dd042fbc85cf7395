"""Random numbers by place: those of sequence k need none of the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatelab.data.splits import SPLITS
from gatelab.errors import ConfigError, near_misses

WORD = 2**32


def uniforms(seed: int, split: str, first: int, count: int, width: int) -> NDArray[np.float64]:
    """Return the random numbers of the sequences ``first`` to ``first + count - 1``, a row each.

    Row k comes from a PCG64 generator of its own, seeded with (seed, split, k) by numpy's ``SeedSequence``;
    numpy's policy freezes both, and a number is the upper 53 bits of a raw draw.

    Returns
    -------
    ndarray
        ``[count, width]`` in float64, uniform on [0, 1).

    Raises
    ------
    ConfigError
        There is no such split, or ``seed``, ``first`` or ``count`` is negative or beyond 64 bits.

    Examples
    --------
    >>> from gatelab.data.synthetic.draws import uniforms
    >>> rows = uniforms(seed=7, split="valid", first=10, count=3, width=5)
    >>> rows.shape, bool((rows[2] == uniforms(7, "valid", 12, 1, 9)[0, :5]).all())
    ((3, 5), True)

    Notes
    -----
    M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random
    Number Generation", 2014; numpy NEP 19.
    """
    if split not in SPLITS:
        close = near_misses(split, SPLITS)
        raise ConfigError(
            f"synthetic data: no split is called {split!r}{close}; known are {', '.join(SPLITS)}"
        )
    if not (0 <= seed < WORD**2 and 0 <= first <= first + count < WORD**2):
        raise ConfigError(
            f"synthetic data: wanted seed, first and count from 0 to 2**64, came {seed}, {first} "
            f"and {count}; try smaller ones"
        )
    found = np.empty((count, width))
    for row, k in enumerate(range(first, first + count)):
        key = (SPLITS.index(split), k % WORD, k // WORD)
        bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
        found[row] = (bits.random_raw(width) >> np.uint64(11)) * 2.0**-53
    return found


def whole(uniform: NDArray[np.float64], below: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Return whole numbers from 0 up to ``below``, which is not among them."""
    return np.asarray(np.floor(uniform * below), dtype=np.int64)
