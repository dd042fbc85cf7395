"""What every task says of itself: data as batches, the network, its loss, its measures."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gatelab.cells.budget import Count, nearest_size
from gatelab.data.splits import SPLITS
from gatelab.errors import ConfigError
from gatelab.graph.cell import Cell
from gatelab.nn.stack import Stack
from gatelab.runs import build
from gatelab.runs.config import NLL, ONE_LAYER, Body, Measure, Training
from gatelab.runs.config import Task as Record
from gatelab.tasks.batch import Batch, averaged
from gatelab.tasks.blueprint import Blueprint
from gatelab.tasks.network import Network
from gatelab.tasks.options import Options
from gatelab.tasks.order import batches, in_order

SEQUENCES, STEPS = 256, 1 << 15
"""The most of a batch in evaluation: all of a small split at once; of a large one, some hundred megabytes."""


@dataclass(frozen=True)
class About:
    """The data of a task.

    Attributes
    ----------
    name, title
        Its short name, and its name in tables.
    source, digest
        Where it came from, and the SHA-256 of all of it.
    notes
        How it was split, and what was left out or changed: a sentence each.
    """

    name: str
    title: str
    source: str
    digest: str
    notes: tuple[str, ...] = ()


class Task(ABC):
    """Data, head, loss and measures.

    A task of whole sequences says :meth:`lengths`, :meth:`batch`, :meth:`losses` and :meth:`baselines`; one
    with other batches, such as pieces of one long text, says :meth:`batches` and :meth:`evaluation` itself.

    Attributes
    ----------
    kind
        Its name in the registry.
    about
        The data: a short name, a title, where it came from and the SHA-256 of all of it.
    onward
        Whether networks answer what they read next, so that they must not read backwards.
    streams
        Whether batches are read from files, so that it pays to make them while the network trains.
    asked, options
        What the data was loaded by, and what was said beside it.
    blueprint
        What the task's networks are made of.
    measures, headline
        As in :class:`gatelab.runs.Task`.
    training, body, rates
        How its networks are trained, their layers and directions, and the bounds of the logarithm of the
        learning rate, unless the user says otherwise.
    worst
        Objective above which a training has diverged.
    overlap
        How many test sequences in a row share data.
    """

    kind: ClassVar[str]
    measures: tuple[Measure, ...] = (NLL,)
    headline: str = NLL.name
    training: Training = Training()
    body: Body = ONE_LAYER
    rates: tuple[float, float] = (-12.0, -6.0)
    worst: float = math.inf
    overlap: int = 1

    about: About
    onward: bool = False
    streams: bool = False
    asked: str = ""
    options: Mapping[str, Any] = MappingProxyType({})
    blueprint: Blueprint

    @classmethod
    @abstractmethod
    def load(cls, load: str, told: Options) -> Task:
        """Return the task on the data that ``load``, a name or a path, means."""

    def kept(self) -> dict[str, Any]:
        """Return, as JSON holds it, what is needed of the data to use a trained network."""
        return {}

    def record(self) -> Record:
        """Return what a run keeps of the task and its data."""
        return build(
            Record,
            kind=self.kind,
            dataset=self.about.name,
            load=self.asked or self.about.name,
            options=dict(self.options),
            title=self.about.title,
            source=self.about.source,
            digest=self.about.digest,
            notes=self.about.notes,
            sequences=tuple(len(self.lengths(split)) for split in SPLITS),
            steps=tuple(self.steps(split) for split in SPLITS),
            input_size=self.blueprint.width,
            output_size=self.blueprint.outputs,
            overlap=self.overlap,
            measures=self.measures,
            headline=self.headline,
        )

    def steps(self, split: str) -> int:
        """Return the number of steps of all sequences of a split."""
        return sum(self.lengths(split))

    def network(self, cell: Cell, hidden_size: int, body: Body = ONE_LAYER) -> Network:
        """Return an untrained network.

        Raises
        ------
        ConfigError
            It would read in both directions what it has to predict.
        """
        if body.bidirectional and self.onward:
            raise ConfigError(
                f"bidirectional: a network of task {self.kind} says what comes next, and would have read it; "
                "try one direction"
            )
        return self.blueprint.network(cell, hidden_size, body)

    def counted(self, cell: Cell, hidden_size: int, body: Body = ONE_LAYER) -> tuple[int, int]:
        """Return the number of trained parameters of the recurrent layers, and of the whole network."""
        with torch.device("meta"):  # shapes without memory
            network = self.network(cell, hidden_size, body)
        stacks = [m for m in network.modules() if isinstance(m, Stack)]
        recurrent = sum(p.numel() for stack in stacks for p in stack.parameters())
        return recurrent, sum(p.numel() for p in network.parameters())

    def size_for(
        self, cell: Cell, parameters: int, count: Count = "recurrent", body: Body = ONE_LAYER
    ) -> int:
        """Return the hidden size whose count is nearest to ``parameters``, as of gatelab.hidden_size_for."""
        which = 0 if count == "recurrent" else 1
        return nearest_size(lambda size: self.counted(cell, size, body)[which], cell, parameters)

    @abstractmethod
    def lengths(self, split: str) -> Sequence[int]:
        """Return the number of steps of each sequence of ``train``, ``valid`` or ``test``."""

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen sequences of a split side by side."""
        raise NotImplementedError(f"{self.kind}: batches are not chosen sequences")

    @abstractmethod
    def losses(self, head: nn.Module, answers: Any, batch: Batch) -> Tensor:
        """Return the terms of the objective, [terms]."""

    @abstractmethod
    def baselines(self) -> dict[str, dict[str, float]]:
        """Return, by their names, what models that learn little reach on test: values by measures' names."""

    def loss(self, head: nn.Module, answers: Any, batch: Batch) -> Tensor:
        """Return what is trained: the mean of the terms."""
        return self.losses(head, answers, batch).mean()

    def per_sequence(self, batch: Batch) -> float:
        """Return how many terms of the mean that :meth:`loss` is a sequence of the batch has on average."""
        return batch.terms / batch.sequences

    def objective(self, head: nn.Module, answers: Any, batch: Batch) -> Tensor:
        """Return the objective's numbers for each term, [terms, 2]: what its formula sums over sequences."""
        return averaged(self.losses(head, answers, batch))

    def counts(self, head: nn.Module, answers: Any, batch: Batch) -> Mapping[str, Tensor]:
        """Return the numbers of the other measures for each term, [terms, numbers] by the measures' names."""
        return {}

    def measured(self, network: Any, split: str) -> Mapping[str, NDArray[np.float64]]:
        """Return the numbers of measures that take more than answers, [sequences, numbers] by their names.

        Such as BLEU, for which sentences have to be written; asked for on validation and test.
        """
        return {}

    def batches(self, split: str, size: int, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch of training, in an order that follows from seed and epoch alone."""
        for chosen in batches(self.lengths(split), size, seed, epoch):
            yield self.batch(split, chosen)

    def evaluation(self, split: str) -> Iterator[Batch]:
        """Yield a split once, in a fixed order."""
        for chosen in in_order(self.lengths(split), SEQUENCES, STEPS):
            yield self.batch(split, chosen)
