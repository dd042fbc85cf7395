"""Edits: a variant is its parent with something replaced, so an ablation is one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as with_fields

from gatelab.errors import CellError, near_misses
from gatelab.graph.cell import Cell
from gatelab.graph.check import check
from gatelab.graph.fold import substitute
from gatelab.graph.node import Node, Operand, as_node, make, spread
from gatelab.graph.op import Op
from gatelab.passes.simplify import simplify_cell


def edit(
    cell: Cell,
    replacements: Mapping[str | Node, Operand],
    *,
    name: str = "",
    source: str = "",
    summary: str = "",
    memory: Mapping[str, Node] | None = None,
) -> Cell:
    """Return ``cell`` with some of its values replaced, simplified and checked.

    Parameters
    ----------
    replacements
        From a value, or its name among ``cell.names``, to what stands in its place: a number, or a
        value written in terms of the cell's own. What is put in is taken as it is.
    name, source, summary
        Of the variant; the parent's by default.
    memory
        Further states: from the leaf's name to the value of the *edited* cell, given by the parent's
        value, that the state remembers.

    Raises
    ------
    CellError
        Where a name is unknown or the result is no legal cell.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.passes import edit
    >>> lstm = gatelab.cells.get("lstm")
    >>> no_input_gate = edit(lstm, {"i": 1}, name="nig")
    >>> list(no_input_gate.names)
    ['f', 'g', 'c', 'o']
    """
    found = {_find(cell, key): value for key, value in replacements.items()}
    memory = memory or {}
    kept = list(memory.values())
    try:
        chosen = {old: _as_wide(as_node(new), old) for old, new in found.items()}
        after = substitute([*cell.results, *cell.names.values(), *kept], chosen)
    except CellError as error:
        raise CellError(f"cell {cell.name!r}: {error}") from None
    leaves = tuple(make(Op.STATE, (), key, value.width) for key, value in memory.items())
    variant = with_fields(
        cell,
        name=name or cell.name,
        source=source or cell.source,
        summary=summary or cell.summary,
        states=(*cell.states, *leaves),
        results=tuple(after[r] for r in [*cell.results, *kept]),
        names={k: after[v] for k, v in cell.names.items()},
    )
    variant = simplify_cell(variant)
    check(variant)
    return variant


def named(cell: Cell, name: str, known: Mapping[str, Node] | None = None) -> Node:
    """Return the value of ``cell`` with this name, among those it names or others that are ``known``.

    Raises
    ------
    CellError
        Naming near misses, where there is none.
    """
    known = cell.names if known is None else known
    if name not in known:
        raise CellError(
            f"cell {cell.name!r} has no value named {name!r}{near_misses(name, known)} "
            f"(it names {', '.join(known) or 'none'})"
        )
    return known[name]


def _as_wide(new: Node, old: Node) -> Node:
    """Return ``new`` repeated to the width of ``old``, a number too, so that it can enter products."""
    if new.width is None and old.width is not None:
        return make(Op.SPREAD, (new,), None, old.width)
    return spread(new, old.width)


def _find(cell: Cell, key: str | Node) -> Node:
    if isinstance(key, str):
        return named(cell, key)
    if key not in cell.nodes:
        raise CellError(f"cell {cell.name!r} holds no value {key}")
    return key
