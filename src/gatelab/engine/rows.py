"""Which rows of a ragged batch are live at each step.

A batch is kept as rows: step after step, and in each step only the sequences that are that long, the
longest first. N rows stand for N steps of sequences, so nothing is computed for padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from operator import ge

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Rows:
    """The layout of a batch as rows [N, …].

    Attributes
    ----------
    sizes
        How many sequences are live at each step; never growing, T numbers, N in sum.
    order
        The sequences, longest first, int64 [B]; None where the order is the batch's own.
    """

    sizes: tuple[int, ...]
    order: Tensor | None = None

    def __post_init__(self) -> None:
        assert self.sizes, "at least one step"
        assert all(map(ge, self.sizes, self.sizes[1:])), "sizes may not grow"
        assert self.sizes[-1] > 0, "every step has a live sequence"

    @staticmethod
    @lru_cache(maxsize=256)
    def full(steps: int, batch: int) -> Rows:
        """Return the layout of ``batch`` sequences of the same length."""
        return Rows((batch,) * steps)

    @classmethod
    def of(cls, sizes: Sequence[int], order: Tensor | None) -> Rows:
        """Return the layout of a batch of which so many sequences are live at each step."""
        if order is None and sizes[0] == sizes[-1]:
            return Rows.full(len(sizes), sizes[0])
        return cls(tuple(sizes), order)

    @classmethod
    def ragged(cls, lengths: Tensor) -> Rows:
        """Return the layout of sequences of these lengths, int64 [B], each at least 1."""
        if bool((lengths == lengths[0]).all()):
            return Rows.full(int(lengths[0]), len(lengths))
        order = torch.argsort(lengths, descending=True, stable=True)
        steps = torch.arange(int(lengths.max()), device=lengths.device)
        sizes = (lengths[None, :] > steps[:, None]).sum(1)
        return cls(tuple(sizes.tolist()), order)

    @property
    def steps(self) -> int:
        """Number of steps, T."""
        return len(self.sizes)

    @property
    def batch(self) -> int:
        """Number of sequences, B."""
        return self.sizes[0]

    @cached_property
    def is_full(self) -> bool:
        """Whether all sequences are equally long."""
        return self.sizes[-1] == self.sizes[0]

    @cached_property
    def count(self) -> int:
        """Number of rows, N."""
        return sum(self.sizes)

    @cached_property
    def starts(self) -> np.ndarray:
        """The first row of each step, and N, int64 [T + 1]."""
        return np.array([0, *accumulate(self.sizes)], dtype=np.int64)

    @cached_property
    def starts_address(self) -> int:
        """Where :attr:`starts` lies in memory."""
        return self.starts.ctypes.data

    @cached_property
    def _live(self) -> Tensor:
        """Step and place in the sorted batch of each row, int64 [N, 2]."""
        return (
            torch.tensor(self.sizes, device="cpu")[:, None] > torch.arange(self.batch, device="cpu")[None, :]
        ).nonzero()

    @property
    def time(self) -> Tensor:
        """The step of each row, int64 [N]."""
        return self._live[:, 0]

    @property
    def place(self) -> Tensor:
        """The place of each row's sequence in the sorted batch, int64 [N]."""
        return self._live[:, 1]

    @cached_property
    def lengths(self) -> Tensor:
        """The length of each sequence of the sorted batch, int64 [B]."""
        return (
            torch.tensor(self.sizes, device="cpu")[:, None] > torch.arange(self.batch, device="cpu")[None, :]
        ).sum(0)

    @cached_property
    def _padded(self) -> Tensor:
        """Where each row stands in a padded batch [T · B], int64 [N]."""
        column = self.place if self.order is None else self.order[self.place]
        return self.time * self.batch + column

    @cached_property
    def _mirror(self) -> Tensor:
        """For each row, the row at which its sequence read backwards is as far, int64 [N]."""
        starts = torch.cumsum(torch.tensor((0, *self.sizes), device="cpu"), 0)
        return starts[self.lengths[self.place] - 1 - self.time] + self.place

    def pack(self, padded: Tensor) -> Tensor:
        """Return the live rows [N, …] of a padded batch [T, B, …]."""
        flat = padded[: self.steps].flatten(0, 1)
        if self.is_full and self.order is None:
            return flat
        return flat.index_select(0, self._padded.to(flat.device))

    def unpack(self, rows: Tensor, steps: int) -> Tensor:
        """Return rows [N, …] as a padded batch [steps, B, …], zeros where a sequence has ended."""
        if self.is_full and self.order is None and steps == self.steps:
            return rows.reshape(steps, self.batch, *rows.shape[1:])
        flat = rows.new_zeros((steps * self.batch, *rows.shape[1:]))
        flat = flat.index_copy(0, self._padded.to(rows.device), rows)
        return flat.reshape(steps, self.batch, *rows.shape[1:])

    def reverse(self, rows: Tensor) -> Tensor:
        """Return rows [N, …] with every sequence read from its own end; its own inverse."""
        if self.is_full:
            return rows.reshape(self.steps, self.batch, *rows.shape[1:]).flip(0).flatten(0, 1)
        return rows.index_select(0, self._mirror.to(rows.device))

    def sort(self, states: Tensor) -> Tensor:
        """Return states [L, B, width] of the batch in the rows' order."""
        return states if self.order is None else states.index_select(1, self.order.to(states.device))

    def unsort(self, states: Tensor) -> Tensor:
        """Return states [L, B, width] in the rows' order as the batch has them."""
        if self.order is None:
            return states
        return states.index_select(1, torch.argsort(self.order).to(states.device))
