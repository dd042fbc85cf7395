"""Tasks on sequences of vectors or symbols, each with a target of its own: what they share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch.nn.utils.rnn import PackedSequence

from gatelab.tasks.batch import Batch, Layout, Table
from gatelab.tasks.blueprint import Blueprint, HeadName
from gatelab.tasks.task import SPLITS, About, Task


@dataclass(frozen=True)
class Part:
    """One split: inputs ``[T, I]`` float32 or symbols ``[T]`` of each sequence, and what belongs to each."""

    inputs: Sequence[NDArray[Any]]
    targets: Sequence[Any]


class RaggedTask(Task):
    """Whole sequences of any lengths side by side; a subclass says what is answered.

    Parameters
    ----------
    about
        The data.
    parts
        Train, valid and test.
    head, outputs, reads
        As in :class:`gatelab.tasks.blueprint.Blueprint`.
    symbols
        Size of the vocabulary, where inputs are symbols; 0 where they are vectors.
    embedding
        Numbers that a symbol is embedded in; 0 for vectors that are 1 at one place.
    """

    def __init__(
        self, about: About, parts: Mapping[str, Part], head: HeadName, outputs: int,
        reads: Literal["steps", "end"] = "steps", symbols: int = 0, embedding: int = 0,
    ) -> None:  # fmt: skip
        self.about, self.parts = about, parts
        inputs = 0 if symbols else parts["train"].inputs[0].shape[1]
        self.blueprint = Blueprint(
            inputs=inputs, symbols=symbols, embedding=embedding, head=head, outputs=outputs, reads=reads
        )
        self._tables = {split: Table(_typed(parts[split].inputs, symbols)) for split in SPLITS}

    def lengths(self, split: str) -> list[int]:
        """Return the number of steps of each sequence of a split."""
        lengths: list[int] = self._tables[split].lengths.tolist()
        return lengths

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen sequences of a split side by side, longest first."""
        table = self._tables[split]
        layout = Layout.of(table.lengths, chosen)
        inputs = PackedSequence(table.rows.index_select(0, table.places(layout)), layout.batch_sizes)
        return self._answered(split, layout, inputs)

    @abstractmethod
    def _answered(self, split: str, layout: Layout, inputs: PackedSequence) -> Batch:
        """Return the batch with its targets."""


def _typed(inputs: Sequence[NDArray[Any]], symbols: int) -> list[NDArray[Any]]:
    return [np.asarray(x, np.int64 if symbols else np.float32) for x in inputs]
