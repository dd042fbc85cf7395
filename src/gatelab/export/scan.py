"""A layer of any cell as ONNX's Scan, whose body is one step.

What does not wait for the state is computed for all steps at once before it, as the reference engine does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatelab.export.graph import Graph, value_info
from gatelab.export.rules import Scope
from gatelab.graph.cell import Cell
from gatelab.graph.fold import fold, reached, row_wise
from gatelab.graph.node import Node
from gatelab.graph.op import Op

if TYPE_CHECKING:
    from onnx import GraphProto, ValueInfoProto


def scan_layer(
    scope: Scope,
    cell: Cell,
    weights: Mapping[str, str],
    x: str,
    starts: Sequence[str],
    live: str,
    backwards: bool,
    name: str,
) -> tuple[str, Sequence[str]]:
    """Write one direction of a layer; return its output [T, B, H] and its last states [B, width].

    Parameters
    ----------
    weights
        The names of the arrays, by the weights' names.
    starts
        The states before the first step, [B, width] each.
    live
        Whether a step belongs to its sequence, [T, B, 1], or an empty name where all do. The others leave
        the states as they are; so the reverse direction begins at each sequence's own end.
    """
    early = _early(scope, cell, weights, x)
    scanned = _scanned(cell, early) or {cell.input: x}
    body = _Body(
        scope, cell, scanned, {n: v for n, v in early.items() if n not in row_wise(early)}, bool(live)
    )
    inputs = [*starts, *scanned.values(), *([live] if live else [])]
    finals = [scope.graph.fresh(f"{name}.{s.name}") for s in cell.states]
    outputs = [*finals, scope.graph.fresh(f"{name}.output")]
    count, way = len(inputs) - len(starts), int(backwards)
    scope.graph.add_several(
        "Scan", inputs, outputs, body=body.written(name), num_scan_inputs=count,
        scan_input_directions=[way] * count, scan_output_directions=[way],
    )  # fmt: skip
    return outputs[-1], finals


def _early(scope: Scope, cell: Cell, weights: Mapping[str, str], x: str) -> dict[Node, str]:
    """Write what does not depend on a state; return the names of these values."""
    late = reached(cell.nodes, {Op.STATE})
    known = {cell.input: x} | {p: weights[p.name] for p in cell.parameters}
    return fold([n for n in cell.nodes if n not in late], scope.rules(), known)


def _scanned(cell: Cell, early: Mapping[Node, str]) -> dict[Node, str]:
    """Return the values of all steps, [T, B, width], that the steps read."""
    moving = row_wise(early)
    read = [s for n in cell.nodes if n not in early for s in n.sources]
    return {n: early[n] for n in [*read, *cell.results] if n in moving}


class _Body:
    """One step: states and scanned values in, states and output out."""

    def __init__(
        self, scope: Scope, cell: Cell, scanned: Mapping[Node, str], fixed: Mapping[Node, str], ragged: bool
    ) -> None:
        self.scope, self.cell = scope, cell
        self.graph = graph = Graph(scope.graph)
        self.states = {s: graph.fresh(f"{s.name}_before") for s in cell.states}
        self.rows = {n: graph.fresh(f"{value}_now") for n, value in scanned.items()}
        self.live = graph.fresh("live_now") if ragged else ""
        rules = Scope(graph, scope.type, scope.sizes).rules()
        values = fold(cell.results, rules, {**fixed, **self.states, **self.rows})
        moving = row_wise(cell.nodes)
        after = [
            values[r] if r in moving else graph.add("Expand", values[r], graph.add("Shape", before))
            for r, before in zip(cell.results, self.states.values(), strict=True)
        ]
        if ragged:
            pairs = zip(after, self.states.values(), strict=True)
            after = [graph.add("Where", self.live, new, old) for new, old in pairs]
        self.after = [graph.add("Identity", a, name=graph.fresh("after")) for a in (*after, after[0])]

    def written(self, name: str) -> GraphProto:
        """Return the body as ONNX keeps it."""
        widths = [s.width for s in self.cell.states]
        inputs = [self._value(v, n.width) for n, v in (*self.states.items(), *self.rows.items())]
        if self.live:
            inputs.append(value_info(self.live, np.dtype(bool), ["B", 1]))
        outputs = [self._value(v, w) for v, w in zip(self.after, (*widths, widths[0]), strict=True)]
        return self.graph.written(f"{name}.step", inputs, outputs)

    def _value(self, name: str, width: str | None) -> ValueInfoProto:
        return value_info(name, self.scope.type, ["B", self.scope.sizes[width]])
