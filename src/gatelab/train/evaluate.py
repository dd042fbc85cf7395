"""The measures of a network on a split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gatelab.runs.config import Measure
from gatelab.stats.measures import value
from gatelab.tasks import Network, Task


@dataclass(frozen=True)
class Scores:
    """What the measures are made of: their numbers for each sequence of a split, [sequences, numbers]."""

    measures: tuple[Measure, ...]
    numbers: Mapping[str, NDArray[np.float64]]

    def value(self, name: str) -> float:
        """Return a measure over all sequences; nan where it has none."""
        formula = next(m.formula for m in self.measures if m.name == name)
        return value(formula, self.numbers[name].sum(0))

    def values(self) -> dict[str, float | None]:
        """Return all measures by name; None for one that is not finite."""
        found = {m.name: self.value(m.name) for m in self.measures if m.name in self.numbers}
        return {name: v if math.isfinite(v) else None for name, v in found.items()}

    @property
    def objective(self) -> float | None:
        """The objective over all sequences; None where it is not finite."""
        return self.values()[self.measures[0].name]

    def others(self) -> dict[str, float | None]:
        """Return the measures beside the objective by name."""
        return {name: v for name, v in self.values().items() if name != self.measures[0].name}

    def listed(self) -> dict[str, list[list[float]]]:
        """Return the numbers as lists, for a file."""
        return {name: found.tolist() for name, found in self.numbers.items()}


@torch.no_grad()
def score(network: Network, task: Task, split: str, all_measures: bool = True) -> Scores:
    """Return the numbers of all measures on a split, or of the objective alone, without noise or dropout."""
    network.eval()
    count, state = len(task.lengths(split)), None
    sums: dict[str, torch.Tensor] = {}
    for batch in task.evaluation(split):
        answers, state = network.carried(batch.inputs, None if batch.fresh else state)
        numbers = {task.measures[0].name: task.objective(network.head, answers, batch)}
        if all_measures:
            numbers |= task.counts(network.head, answers, batch)
        for name, terms in numbers.items():
            if name not in sums:
                sums[name] = torch.zeros(count, terms.shape[1], dtype=torch.float64)
            sums[name].index_add_(0, batch.owner, terms.double())
    found = {name: numbers.numpy() for name, numbers in sums.items()}
    if all_measures and split != "train":
        found |= task.measured(network, split)
    return Scores(task.measures, found)


def evaluate(network: Network, task: Task, split: str) -> float:
    """Return the objective on a split, such as the NLL per step [nats], without noise or dropout."""
    return score(network, task, split, all_measures=False).value(task.measures[0].name)
