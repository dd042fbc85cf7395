"""What a cell's values are called in its equations, and which sub-graphs have a name of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gatelab.draw.notation import Symbol
from gatelab.graph.cell import Cell
from gatelab.graph.language import layer_norm, mean, minimum
from gatelab.graph.node import Node
from gatelab.graph.op import Op

Pattern = tuple[str, tuple[Node, ...]]
"""A function's name and the values that it is of."""


def titles(cell: Cell) -> dict[Node, Symbol]:
    """Return the symbol of every value that gets a line of its own; a state's name comes first."""
    found: dict[Node, Symbol] = {}
    for state, result in zip(cell.states, cell.results, strict=True):
        if result.sources:
            found.setdefault(result, Symbol(state.name, "now"))
    taken = {cell.input.name, *(s.name for s in cell.states)}
    for name, node in cell.names.items():
        if node not in found and node.sources:
            found[node] = _local(name, cell.states[0].name, taken)
    return found


def _local(name: str, output: str, taken: set[str]) -> Symbol:
    if name == "candidate":
        return Symbol(output, "now", "tilde")
    return Symbol(name, "now", "prime" if name in taken else "")


def mask_symbols(cell: Cell) -> dict[Node, Symbol]:
    """Return a symbol for every mask: m, or m with as much of its name as tells it from the others."""
    letter = "m" if "m" not in {*cell.names, *(s.name for s in cell.states)} else "M"
    last = Counter(n.name.split("_")[-1] for n in cell.masks)
    found = {}
    for node in cell.masks:
        short = node.name.split("_")[-1]
        tail = "" if len(cell.masks) == 1 else short if last[short] == 1 else node.name
        name = f"{letter}_{tail}" if tail else letter
        found[node] = Symbol(name, "now" if node.mask.each == "step" else "always")
    return found


def find_patterns(cell: Cell) -> dict[Node, Pattern]:
    """Return the nodes that spell out a mean, a layer normalisation or a minimum.

    Nodes are interned, so a pattern is recognised by building it anew and finding the same node.
    """
    found = {}
    for node in cell.nodes:
        pattern = _normalisation(node) or _mean(node) or _minimum(node)
        if pattern:
            found[node] = pattern
    return found


def _mean(node: Node) -> Pattern | None:
    if node.op is not Op.DIV or node.sources[0].op is not Op.SUM or node.sources[0].width != "1":
        return None
    (value,) = node.sources[0].sources
    return ("mean", (value,)) if mean(value) is node else None


def _normalisation(node: Node) -> Pattern | None:
    if node.op is not Op.DIV or node.sources[0].op is not Op.SUB:
        return None
    value = node.sources[0].sources[0]
    root = node.sources[1].sources[0] if node.sources[1].op is Op.SPREAD else None
    if (
        value.width in (None, "1")
        or root is None
        or root.op is not Op.SQRT
        or root.sources[0].op is not Op.ADD
    ):
        return None
    epsilon = root.sources[0].sources[1]
    if epsilon.op is not Op.CONST:
        return None
    gain_times_it = layer_norm(value, name="v", epsilon=epsilon.value)
    return ("LN", (value,)) if gain_times_it.sources[1] is node else None


def _minimum(node: Node) -> Pattern | None:
    if node.op is not Op.NEG or node.sources[0].op is not Op.MAXIMUM:
        return None
    negated = node.sources[0].sources
    if any(n.op is not Op.NEG for n in negated):
        return None
    left, right = (n.sources[0] for n in negated)
    return ("min", (left, right)) if minimum(left, right) is node else None


def visible(cell: Cell, patterns: Mapping[Node, Pattern]) -> set[Node]:
    """Return the nodes that are printed: all but the insides of patterns."""
    found: set[Node] = set()
    stack = [*cell.results, *cell.names.values()]
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack.extend(patterns[node][1] if node in patterns else node.sources)
    return found
