"""What can be put around any cell: layer normalisation, recurrent dropout, zoneout, block size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from gatelab.errors import ConfigError
from gatelab.graph.cell import Cell
from gatelab.graph.check import check
from gatelab.graph.fold import depends_on, fold, rebuild, topological
from gatelab.graph.language import layer_norm as normalised
from gatelab.graph.language import mix, vector
from gatelab.graph.node import Mask, Node, make
from gatelab.graph.op import UNARY, Op
from gatelab.passes.simplify import keep_names


def layer_norm(cell: Cell) -> Cell:
    """Return ``cell`` with each product with a weight matrix normalised over its units.

    As Ba et al. 2016 (arXiv:1607.06450, equations 20–22) do it for the LSTM: W x and U h each get mean
    0, variance 1 and a gain; so does a memory cell where the output reads it through an activation.
    """
    memory = {r: s.name for s, r in zip(cell.states[1:], cell.results[1:], strict=True)}
    read_by_output = set(topological([cell.output]))

    def rule(before: Node, after: Node) -> Node:
        if before.op is Op.MATMUL:
            return normalised(after, name=before.sources[0].name)
        if before.op in UNARY and before.sources[0] in memory and before in read_by_output:
            name, (value,) = memory[before.sources[0]], after.sources
            assert value.width is not None
            bias = vector(f"B_{name}", "bias", value.width, 0.0)
            return make(after.op, (normalised(value, name=name) + bias,))
        return after

    return _rewritten(cell, rule, f"{cell.name}+layer-norm")


def recurrent_dropout(cell: Cell, rate: float) -> Cell:
    """Return ``cell`` with units dropped where the past enters a product, one mask a sequence.

    Source: Gal and Ghahramani 2016, arXiv:1512.05287. What the cell carries on besides is untouched.
    """
    _check_rate("recurrent-dropout", rate)

    def rule(before: Node, after: Node) -> Node:
        if before.op is not Op.MATMUL or not depends_on(before, Op.STATE):
            return after
        matrix, value = after.sources
        assert value.width is not None
        name = "recurrent_dropout" if value.width == "H" else f"recurrent_dropout_{value.width}"
        mask = make(Op.MASK, (), Mask(name, "dropout", rate, "sequence", value.width), value.width)
        return make(Op.MATMUL, (matrix, mask * value))

    return _rewritten(cell, rule, f"{cell.name}+recurrent-dropout={rate:g}")


def zoneout(cell: Cell, rate: float) -> Cell:
    """Return ``cell`` whose units keep, each step and by chance, the state that they had.

    One mask a state and step. Source: Krueger et al. 2017, arXiv:1606.01305.
    """
    _check_rate("zoneout", rate)
    results = []
    for state, new in zip(cell.states, cell.results, strict=True):
        assert state.width is not None
        mask = Mask(f"zoneout_{state.name}", "zoneout", rate, "step", state.width)
        results.append(mix(make(Op.MASK, (), mask, state.width), state, new))
    wrapped = replace(cell, name=f"{cell.name}+zoneout={rate:g}", results=tuple(results))
    check(wrapped)
    return wrapped


def blocks(cell: Cell, size: float) -> Cell:
    """Return ``cell`` with ``size`` units in each memory block."""
    if not (math.isfinite(size) and size == int(size) >= 1):
        raise ConfigError(f"blocks wants a whole number of units a block, such as blocks=4; got {size:g}")
    if all(n.width != "K" for n in cell.nodes):
        raise ConfigError(
            f"cell {cell.name!r} has no gates shared by a block; try lstm-blocks+blocks={size:g}"
        )
    return replace(cell, name=f"{cell.name}+blocks={size:g}", block=int(size))


def _rewritten(cell: Cell, rule: Callable[[Node, Node], Node], name: str) -> Cell:
    """Rewrite from the leaves up: ``rule`` gets each node as it was and with its sources rewritten."""
    rules = dict.fromkeys(Op, lambda node, *sources: rule(node, rebuild(node, *sources)))
    after = fold([*cell.results, *cell.names.values()], rules)
    results = tuple(after[r] for r in cell.results)
    wrapped = replace(cell, name=name, results=results, names={k: after[v] for k, v in cell.names.items()})
    check(wrapped)
    return keep_names(wrapped)


def _check_rate(wrapper: str, rate: float) -> None:
    if not 0 <= rate < 1:
        raise ConfigError(f"{wrapper} wants a rate from 0 to below 1, such as {wrapper}=0.1; got {rate:g}")
