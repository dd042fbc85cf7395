"""One problem: the inputs, weights and cotangents that every peer gets, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatelab.axes import Width
from gatelab.bench.workload import SEED, Workload
from gatelab.graph.cell import Cell
from gatelab.graph.op import Op

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """Sequences side by side.

    Attributes
    ----------
    x
        Inputs [T, B, I]; zeros after a sequence's end.
    cotangent
        ∂L/∂output [T, B, H]; zeros after a sequence's end.
    lengths
        The length of each sequence, B numbers; the longest is T.
    """

    x: Array
    cotangent: Array
    lengths: tuple[int, ...]

    @property
    def full(self) -> bool:
        """Whether all sequences are equally long."""
        return min(self.lengths) == max(self.lengths)


@dataclass(frozen=True)
class Problem:
    """A cell with its weights by name, and the batches of one step."""

    cell: Cell
    inputs: int
    hidden: int
    weights: dict[str, Array]
    batches: tuple[Batch, ...]

    @property
    def rows(self) -> int:
        """Steps of all sequences, padding left out."""
        return sum(sum(b.lengths) for b in self.batches)

    @property
    def flops(self) -> int:
        """Floating-point operations of the step; see :func:`product_flops`."""
        return self.rows * product_flops(self.cell, self.inputs, self.hidden)


def product_flops(cell: Cell, inputs: int, hidden: int) -> int:
    """Return what forward and backward of a step of one sequence cost, counted in products alone.

    Two operations for each entry of a matrix forward, four backward (the derivative by the vector and
    that by the matrix): 6 G H (I + H) for a cell of G pairs of products.

    Examples
    --------
    >>> from gatelab.cells import get
    >>> product_flops(get("lstm"), 88, 36) == 6 * 4 * 36 * (88 + 36)
    True
    """
    sizes = _sizes(cell, inputs, hidden)
    matrices = [n.sources[0].weight for n in cell.nodes if n.op is Op.MATMUL]
    return 6 * sum(sizes[m.rows] * sizes[m.columns] for m in matrices)


def draw(workload: Workload, cell: Cell, hidden: int | None = None) -> Problem:
    """Return the problem of a workload for a cell; the same numbers in every process.

    Weights are drawn as torch.nn's, from U(−1/√H, 1/√H); gains are 1. Music is the data's own; other
    inputs and all cotangents are N(0, 1).
    """
    hidden = hidden or workload.hidden_size(cell)
    random = np.random.default_rng(SEED)
    sequences = _sequences(workload, random)
    batches = tuple(_batch(s, hidden, random) for s in sequences)
    return Problem(cell, workload.inputs, hidden, _weights(cell, workload.inputs, hidden), batches)


def _sizes(cell: Cell, inputs: int, hidden: int) -> dict[Width | None, int]:
    return {"I": inputs, "H": hidden, "K": hidden // cell.block, "1": 1}


def _weights(cell: Cell, inputs: int, hidden: int) -> dict[str, Array]:
    sizes, found = _sizes(cell, inputs, hidden), {}
    for weight in (p.weight for p in cell.parameters):
        # A weight's numbers follow from its name, so that cells that share it share them.
        random = np.random.default_rng([SEED, *weight.name.encode()])
        shape = [sizes[w] for w in (weight.rows, weight.columns) if w is not None]
        bound = hidden**-0.5
        value = random.uniform(-bound, bound, shape)
        found[weight.name] = (value + (weight.role == "gain")).astype(np.float32)
    return found


def _sequences(workload: Workload, random: np.random.Generator) -> list[list[Array]]:
    if workload.lengths == "music":
        return _music(workload)
    return [
        [random.standard_normal((n, workload.inputs), dtype=np.float32) for n in lengths]
        for lengths in workload.all_lengths()
    ]


def _music(workload: Workload) -> list[list[Array]]:
    """Return the first batches of the first epoch of a training on the chorales."""
    from gatelab.data import load_music
    from gatelab.tasks.order import batches

    songs = load_music("chorales").train
    order = batches([len(s) for s in songs], workload.batch, seed=SEED, epoch=1)
    return [[songs[k].astype(np.float32) for k in chosen] for chosen in order[: workload.batches]]


def _batch(sequences: Sequence[Array], hidden: int, random: np.random.Generator) -> Batch:
    lengths = tuple(len(s) for s in sequences)
    x = np.zeros((max(lengths), len(lengths), sequences[0].shape[1]), np.float32)
    cotangent = np.zeros((*x.shape[:2], hidden), np.float32)
    for k, sequence in enumerate(sequences):
        x[: len(sequence), k] = sequence
        cotangent[: len(sequence), k] = random.standard_normal((len(sequence), hidden), dtype=np.float32)
    return Batch(x, cotangent, lengths)
