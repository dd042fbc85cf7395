"""Probes: inner values of a cell, by name, for whoever wants to watch them."""

from __future__ import annotations

from collections.abc import Sequence

from gatelab.errors import CellError, near_misses
from gatelab.graph.cell import Cell
from gatelab.graph.node import Node


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
    for name in names:
        if name not in known:
            raise CellError(
                f"cell {cell.name!r} has no value named {name!r}{near_misses(name, known)} "
                f"(it names {', '.join(known)})"
            )
    return {name: known[name] for name in names}
