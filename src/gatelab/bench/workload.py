"""Workloads: the sizes at which speed is measured, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from gatelab.cells import hidden_size_for
from gatelab.errors import ConfigError, near_misses
from gatelab.graph.cell import Cell

Lengths = Literal["full", "uniform", "music"]
SEED = 0


@dataclass(frozen=True)
class Budget:
    """Hidden sizes at equal parameter counts: ``parameters`` of a layer with ``inputs`` inputs."""

    inputs: int
    parameters: int


@dataclass(frozen=True)
class Workload:
    """One training step: forward and back-propagation through time over a batch, or several.

    Attributes
    ----------
    steps, batch, inputs
        T, B and I; for music the batch size B alone counts, T is that of the longest sequence.
    hidden
        H, the same for all cells, or the budget from which it follows.
    lengths
        ``"full"``: all sequences are T steps long; ``"uniform"``: 1 to T steps, drawn from a seed;
        ``"music"``: the first batches of the built-in chorales, as a training meets them.
    batches
        How many batches one step goes through.
    about
        What it stands for, in one line.
    """

    name: str
    steps: int
    batch: int
    inputs: int
    hidden: int | Budget
    about: str
    lengths: Lengths = "full"
    batches: int = 1

    def hidden_size(self, cell: Cell) -> int:
        """Return H for ``cell``."""
        if isinstance(self.hidden, int):
            return -(-self.hidden // cell.block) * cell.block
        return hidden_size_for(cell, self.hidden.inputs, self.hidden.parameters)

    def all_lengths(self) -> list[list[int]]:
        """Return the lengths of the sequences of each batch."""
        if self.lengths == "full":
            return [[self.steps] * self.batch for _ in range(self.batches)]
        random = np.random.default_rng(SEED)
        drawn = [random.integers(1, self.steps + 1, self.batch).tolist() for _ in range(self.batches)]
        for lengths in drawn:
            lengths[0] = self.steps  # so that T is what the table says
        return drawn


def _by_name(*workloads: Workload) -> Mapping[str, Workload]:
    return MappingProxyType({w.name: w for w in workloads})


SMALL = Budget(inputs=100, parameters=20_050)
"""LSTM 36, GRU 46, tanh 100, with peepholes and second biases or without: Chung et al. 2014 on music."""
MIDDLE = Budget(inputs=20, parameters=168_800)
"""LSTM 195, GRU 227, tanh 400: Chung et al. 2014 on speech."""

WORKLOADS = _by_name(
    Workload("W1", 100, 16, 88, SMALL, "music, as in Chung et al. 2014"),
    Workload("W2", 200, 64, 88, 256, "a middle-sized layer"),
    Workload("W3", 50, 64, 20, MIDDLE, "speech frames, as in Chung et al. 2014"),
    Workload("W4", 100, 100, 128, 512, "a large layer"),
    Workload("W5", 500, 1, 88, 36, "one sequence at a time"),
    Workload("ragged", 200, 64, 88, 256, "W2 with lengths from 1 to T", lengths="uniform"),
    Workload("music", 0, 4, 88, SMALL, "16 batches of chorales", lengths="music", batches=16),
    Workload("tiny", 7, 3, 4, 6, "to try the benchmark itself", lengths="uniform"),
    Workload("long", 2000, 4, 88, 128, "few, very long sequences"),
)
"""Every workload, by name."""


def find(names: Sequence[str]) -> list[Workload]:
    """Return the workloads with these names; ``all`` stands for every one but ``tiny``.

    Raises
    ------
    ConfigError
        Where there is no such workload; near misses are listed.

    Examples
    --------
    >>> [w.name for w in find(["W1", "long"])]
    ['W1', 'long']
    """
    found: dict[str, Workload] = {}
    known = {name.lower(): name for name in WORKLOADS}
    for name in names:
        if name == "all":
            found |= {k: w for k, w in WORKLOADS.items() if k != "tiny"}
        elif name.lower() in known:
            found[known[name.lower()]] = WORKLOADS[known[name.lower()]]
        else:
            raise ConfigError(
                f"unknown workload {name!r}{near_misses(name, known)}; known are {', '.join(WORKLOADS)}, all"
            )
    return list(found.values())
