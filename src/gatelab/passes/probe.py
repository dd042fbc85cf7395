"""Probes: inner values of a cell, by name, for whoever wants to watch them."""

from __future__ import annotations

from collections.abc import Sequence

from gatelab.graph.cell import Cell
from gatelab.graph.node import Node
from gatelab.passes.edit import named


def probe(cell: Cell, names: Sequence[str]) -> dict[str, Node]:
    """Return the values to watch, by name: gates and other named values, or new states.

    Raises
    ------
    CellError
        Where the cell names no such value; near misses are listed.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.passes import probe
    >>> sorted(probe(gatelab.cells.get("lstm"), ["i", "f", "c"]))
    ['c', 'f', 'i']
    """
    states = {s.name: r for s, r in zip(cell.states, cell.results, strict=True)}
    known = {**cell.names, **states}
    return {name: named(cell, name, known) for name in names}
