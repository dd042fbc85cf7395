"""Sequences of vectors with labels: what readers of several formats return, and how a part is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64] | NDArray[np.float64] | tuple[NDArray[np.int64], ...]


@dataclass(frozen=True)
class Labelled:
    """Sequences with their labels.

    Attributes
    ----------
    x
        N sequences ``[T, I]`` of finite numbers in float64 (or float32, as a file has them); T ≥ 1 differs.
    y
        Per sequence, ``[N]`` int64 indices of classes or float64 targets; per frame, N arrays ``[T]`` int64.
    """

    x: tuple[NDArray[np.floating[Any]], ...]
    y: Labels

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> Labelled:
        """Return some of the sequences."""
        y = tuple(self.y[row] for row in rows) if isinstance(self.y, tuple) else self.y[np.asarray(rows, int)]
        return Labelled(tuple(self.x[row] for row in rows), y)


@dataclass(frozen=True)
class LabelledData:
    """A set of labelled sequences, split for training, validation and test.

    Attributes
    ----------
    name, title
        Its short name, and its name in tables.
    classes
        What the indices of classes mean; empty for targets that are numbers.
    train, valid, test
        The sequences of each split.
    source, digest
        Where the bytes came from, and their SHA-256.
    notes
        What was split or filled: sentences for a record.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    train: Labelled
    valid: Labelled
    test: Labelled
    source: str
    digest: str
    notes: tuple[str, ...] = field(default=())

    @property
    def inputs(self) -> int:
        """I, how many numbers a frame has."""
        return int(self.train.x[0].shape[1])


def hold_out(
    strata: NDArray[np.int64], share: float, seed: int = 0
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows that stay and those held out, ``share`` of each stratum, both ascending.

    Rows are drawn by numpy's PCG64 from ``seed``, so the same strata are split alike on every machine. A
    stratum of at least two rows gives at least one and keeps at least one; a single row stays.

    Examples
    --------
    >>> import numpy as np
    >>> stay, out = hold_out(np.array([0, 1, 0, 1, 0, 1, 0, 1, 0, 2]), 0.25)
    >>> len(stay), len(out), 9 in stay
    (8, 2, True)
    """
    draw = np.random.default_rng(seed)
    out: list[int] = []
    for stratum in np.unique(strata):
        rows = draw.permutation(np.flatnonzero(strata == stratum))
        count = 0 if len(rows) < 2 else min(max(1, round(share * len(rows))), len(rows) - 1)
        out += rows[:count].tolist()
    held = np.zeros(len(strata), bool)
    held[out] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
