"""Tasks on sequences of vectors or symbols, each with a target of its own: what they share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from gatelab.graph.cell import Cell
from gatelab.nn import Recurrent
from gatelab.runs.config import Body
from gatelab.tasks.batch import Batch, Layout, Table
from gatelab.tasks.network import Network, OneHot
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
    symbols
        Size of the vocabulary, where inputs are symbols; 0 where they are vectors.
    embedding
        Numbers that a symbol is embedded in; 0 for vectors that are 1 at one place.
    """

    def __init__(
        self, about: About, parts: Mapping[str, Part], symbols: int = 0, embedding: int = 0
    ) -> None:
        self.about, self.parts = about, parts
        self.symbols, self.embedding = symbols, embedding
        self.input_size = (embedding or symbols) if symbols else parts["train"].inputs[0].shape[1]
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

    def _encoder(self) -> nn.Module | None:
        if not self.symbols:
            return None
        return nn.Embedding(self.symbols, self.embedding) if self.embedding else OneHot(self.symbols)

    def _network(
        self, cell: Cell, hidden_size: int, body: Body, head: Head, reads: Literal["steps", "end"] = "steps"
    ) -> Network:
        """Return a network with this head, which answers ``output_size`` classes."""
        stack = Recurrent(
            cell, self.input_size, hidden_size, body.layers, bidirectional=body.bidirectional,
            dropout=body.dropout,
        )  # fmt: skip
        wide = hidden_size * stack.num_directions
        return Network(stack, head(wide, self.output_size), self._encoder(), reads, body.dropout)


class Head(Protocol):
    """What makes a head: its inputs and outputs."""

    def __call__(self, input_size: int, output_size: int, /) -> nn.Module:
        """Return the head."""


def _typed(inputs: Sequence[NDArray[Any]], symbols: int) -> list[NDArray[Any]]:
    return [np.asarray(x, np.int64 if symbols else np.float32) for x in inputs]
