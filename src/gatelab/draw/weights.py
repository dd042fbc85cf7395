"""The table of a cell's weights."""

from __future__ import annotations

from dataclasses import dataclass

from gatelab.graph.cell import Cell


@dataclass(frozen=True)
class WeightRow:
    """One trained weight: ``shape`` is such as ``H × I``; ``start`` is empty where its role decides."""

    name: str
    shape: str
    role: str
    start: str


def weights(cell: Cell) -> list[WeightRow]:
    """Return the trained weights of a cell, in the order of its equations.

    Examples
    --------
    >>> from gatelab.cells import get
    >>> from gatelab.draw.weights import weights
    >>> [(w.name, w.shape, w.role) for w in weights(get("tanh"))]
    [('W_h', 'H × I', 'input'), ('b_h', 'H', 'bias'), ('U_h', 'H × H', 'recurrent')]
    """
    rows = []
    for weight in (p.weight for p in cell.parameters):
        shape = f"{weight.rows} × {weight.columns}" if weight.columns else weight.rows
        start = f"{weight.start:g}" if isinstance(weight.start, float | int) else weight.start or ""
        rows.append(WeightRow(weight.name, shape, weight.role, start))
    return rows
