"""Tasks on sequences of vectors or symbols, each with a target of its own: what they share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch.nn.utils.rnn import PackedSequence

from gatelab.data.splits import SPLITS
from gatelab.tasks.batch import Batch, Layout, Table
from gatelab.tasks.blueprint import Blueprint, HeadName
from gatelab.tasks.task import About, Task

SPREAD = 0.1
"""Standard deviation of the embeddings of words at the start."""


@dataclass(frozen=True)
class Part:
    """One split: inputs ``[T, I]`` float32 or symbols ``[T]`` of each sequence, and what belongs to each."""

    inputs: Sequence[NDArray[Any]]
    targets: Sequence[Any]


@dataclass(frozen=True)
class Posed:
    """Data that a task on ragged sequences is posed on.

    Attributes
    ----------
    about, parts
        The data; its three splits.
    names
        What the classes or labels are called.
    kept
        How inputs are read of files, as JSON: ``inputs`` says of what kind they are, the rest is theirs.
    symbols, embedding
        Size of the vocabulary where inputs are symbols, and the numbers each is embedded in.
    """

    about: About
    parts: Mapping[str, Part]
    names: tuple[str, ...]
    kept: Mapping[str, Any]
    symbols: int = 0
    embedding: int = 0


class RaggedTask(Task):
    """Whole sequences of any lengths side by side; a subclass says what is answered.

    Parameters
    ----------
    posed
        The data.
    head, reads
        As in :class:`gatelab.tasks.blueprint.Blueprint`.

    Attributes
    ----------
    tables
        The inputs of each split.
    """

    def __init__(self, posed: Posed, head: HeadName, reads: Literal["steps", "end"] = "steps") -> None:
        self.about, self.parts, self.names = posed.about, posed.parts, posed.names
        self._kept = posed.kept
        self.blueprint = Blueprint(
            inputs=0 if posed.symbols else posed.parts["train"].inputs[0].shape[1],
            symbols=posed.symbols,
            embedding=posed.embedding,
            spread=SPREAD if posed.symbols else 1.0,
            head=head,
            outputs=len(posed.names),
            reads=reads,
        )
        self.tables = {s: Table(_typed(posed.parts[s].inputs, posed.symbols)) for s in SPLITS}

    def kept(self) -> dict[str, Any]:
        """Return how inputs are read of files, and what the classes or labels are called."""
        return {**self._kept, "names": list(self.names)}

    def lengths(self, split: str) -> list[int]:
        """Return the number of steps of each sequence of a split."""
        lengths: list[int] = self.tables[split].lengths.tolist()
        return lengths

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen sequences of a split side by side, longest first."""
        table = self.tables[split]
        layout = Layout.of(table.lengths, chosen)
        inputs = PackedSequence(table.cut(layout), layout.batch_sizes)
        return self._answered(split, layout, inputs)

    @abstractmethod
    def _answered(self, split: str, layout: Layout, inputs: PackedSequence) -> Batch:
        """Return the batch with its targets."""


def majority(
    train: NDArray[np.int64], test: NDArray[np.int64], classes: int
) -> tuple[float, NDArray[np.bool_]]:
    """Return the NLL of test's classes by their frequency in training, and where the most frequent stands.

    Half an example of each class is added, so that one that training never met costs a finite amount.
    """
    seen = np.bincount(train, minlength=classes) + 0.5
    nats = -np.log(seen / seen.sum())
    return float(nats[test].mean()), test == seen.argmax()


def _typed(inputs: Sequence[NDArray[Any]], symbols: int) -> list[NDArray[Any]]:
    return [np.asarray(x, np.int64 if symbols else np.float32) for x in inputs]
