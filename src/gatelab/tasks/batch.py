"""Batches: sequences side by side, longest first, cut out of one table of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """What the network reads, and what its answers are held against.

    Attributes
    ----------
    inputs
        Rows of sequences side by side, or a dense tensor [T, B, …].
    targets
        What the task's loss wants.
    owner
        For each term of the loss, the place in its split of the sequence that it belongs to, [terms].
    fresh
        Whether states begin at zero; else with those that the batch before ended with.
    """

    inputs: Any
    targets: Any
    owner: Tensor
    fresh: bool = True

    @property
    def terms(self) -> int:
        """Number of terms of the loss: steps, sequences or symbols."""
        return self.owner.shape[0]

    @property
    def sequences(self) -> int:
        """Number of sequences that have a term."""
        return len(set(self.owner.tolist()))


@dataclass(frozen=True)
class Layout:
    """How chosen sequences stand side by side: step after step, in each step those that are that long.

    Attributes
    ----------
    places
        The chosen sequences, longest first, [B].
    time, column
        Of each row its step and its place in ``places``, [N].
    """

    places: Places
    time: Places
    column: Places

    @classmethod
    def of(cls, lengths: Places, chosen: Sequence[int]) -> Layout:
        """Return the layout of these sequences of a split whose sequences have these lengths."""
        places = np.asarray(chosen)
        if len(places) == 1:  # nothing stands beside it
            time = np.arange(lengths[places[0]])
            return cls(places, time, np.zeros_like(time))
        places = places[np.argsort(-lengths[places], kind="stable")]
        longest = lengths[places]
        time, column = np.nonzero(np.arange(longest[0])[:, None] < longest)
        return cls(places, time, column)

    @cached_property
    def batch_sizes(self) -> Tensor:
        """How many sequences have each step, [T], as torch's packed sequences keep it."""
        return torch.from_numpy(np.bincount(self.time))

    @cached_property
    def owner(self) -> Tensor:
        """The sequence of each row, [N]."""
        return torch.from_numpy(self.places[self.column])


def averaged(values: Tensor) -> Tensor:
    """Return values, each with a 1 beside it, float64 [terms, 2]: what a mean of them sums.

    Examples
    --------
    >>> import torch
    >>> averaged(torch.tensor([True, False])).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    values = values.double()
    return torch.stack([values, torch.ones_like(values)], 1)


class Table:
    """All sequences of a split below each other, so that a batch is a look-up.

    Parameters
    ----------
    sequences
        Arrays ``[T, …]`` of any lengths.
    before
        A row that stands before each sequence, such as the input of its first step; None for none.

    Attributes
    ----------
    rows
        All steps, [rows, …].
    lengths
        Of each sequence, without the row before it.
    """

    def __init__(self, sequences: Sequence[NDArray[Any]], before: NDArray[Any] | None = None) -> None:
        self.lengths: Places = np.array([len(s) for s in sequences], np.int64)
        extra = int(before is not None)
        self._starts = np.cumsum(self.lengths + extra) - self.lengths - extra
        parts = sequences if before is None else [x for s in sequences for x in (before, s)]
        self.rows = torch.from_numpy(np.concatenate(parts))

    def places(self, layout: Layout) -> Tensor:
        """Return where each row of a batch stands, [N]; with a row ``before``, that of the step before."""
        return torch.from_numpy(self._starts[layout.places][layout.column] + layout.time)

    def cut(self, layout: Layout, after: int = 0) -> Tensor:
        """Return the rows of a batch, [N, …], or those that stand ``after`` them; not to be written to."""
        if len(layout.places) == 1:
            first = int(self._starts[layout.places[0]]) + after
            return self.rows[first : first + len(layout.time)]
        return self.rows.index_select(0, self.places(layout) + after)
