"""Layers and directions of a stack on their way into an ONNX graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from gatelab.export.graph import Array, Graph
from gatelab.export.native import native_layer
from gatelab.export.recognise import Native
from gatelab.export.rules import Scope
from gatelab.export.scan import scan_layer
from gatelab.nn.stack import Stack


class Layers:
    """A stack that is written into a graph.

    Parameters
    ----------
    graph
        Where it is written.
    module
        The stack.
    native
        ONNX's own operator for its cell; None: a Scan.
    kind
        The type of its numbers.
    """

    def __init__(self, graph: Graph, module: Stack, native: Native | None, kind: np.dtype[Any]) -> None:
        self.graph, self.module, self.native, self.kind = graph, module, native, kind
        self.cell = module.still

    def write(self, x: str, initial: Sequence[str], lengths: str) -> tuple[str, list[list[str]]]:
        """Write all layers.

        Parameters
        ----------
        x
            The input [T, B, I].
        initial
            The states before the first step, [L · directions, B, width] each; empty for zeros.
        lengths
            int64 [B], or an empty name where all steps count.

        Returns
        -------
        str, list of list of str
            The output [T, B, directions · H], 0 beyond a sequence's end; and for each state the names of the
            last states, which joined along their first axis are [L · directions, B, width].
        """
        live = live_steps(self.graph, x, lengths) if lengths else ""
        finals: list[list[str]] = [[] for _ in self.cell.states]
        for layer in range(self.module.num_layers):
            if self.native:
                x = self._native(layer, x, initial, lengths, finals)
            else:
                x = self._scans(layer, x, initial, live, finals)
        if live:
            x = self.graph.add("Where", live, x, self.scope(0).number(0.0))
        return x, finals

    def joined(self, finals: Sequence[Sequence[str]]) -> list[str]:
        """Write the last states as outputs; return their names, such as ``final_h``."""
        pairs = zip(self.cell.states, finals, strict=True)
        return [
            self.graph.add("Concat", *parts, name=self.graph.fresh(f"final_{state.name}"), axis=0)
            for state, parts in pairs
        ]

    def _native(
        self, layer: int, x: str, initial: Sequence[str], lengths: str, finals: list[list[str]]
    ) -> str:
        assert self.native is not None
        directions = self.module.num_directions
        first = layer * directions
        starts = [self._rows_of(s, first, first + directions) for s in initial]
        output, last = native_layer(
            self.scope(layer), self.native, [self._weights(layer, d) for d in range(directions)], x, starts,
            lengths, f"layer{layer}",
        )  # fmt: skip
        for whole, part in zip(finals, last, strict=True):
            whole.append(part)
        return output

    def _scans(self, layer: int, x: str, initial: Sequence[str], live: str, finals: list[list[str]]) -> str:
        scope, outputs = self.scope(layer), []
        for direction in range(self.module.num_directions):
            name = f"layer{layer}" + ".reverse" * direction
            arrays = self._weights(layer, direction)
            weights = {k: self.graph.array(v, f"{name}.{k}") for k, v in arrays.items()}
            starts = self._starts(layer * self.module.num_directions + direction, x, initial)
            output, last = scan_layer(scope, self.cell, weights, x, starts, live, bool(direction), name)
            outputs.append(output)
            for whole, part in zip(finals, last, strict=True):
                whole.append(self.graph.add("Unsqueeze", part, self.graph.whole(0)))
        return outputs[0] if len(outputs) == 1 else self.graph.add("Concat", *outputs, axis=-1)

    def _weights(self, layer: int, direction: int) -> dict[str, Array]:
        found = self.module.weights(layer, direction)
        return {p.name: numbers_of(found[p.name]) for p in self.cell.parameters}

    def _starts(self, row: int, x: str, initial: Sequence[str]) -> list[str]:
        """Return the states before the first step of one layer and direction, [B, width] each."""
        add, whole = self.graph.add, self.graph.whole
        if initial:
            index = self.graph.array(np.array(row), f"row_{row}")
            return [add("Gather", s, index, axis=0) for s in initial]
        batch = add("Gather", add("Shape", x), whole(1), axis=0)
        widths = [self.width(s.width) for s in self.cell.states]
        shapes = [add("Concat", batch, whole(width), axis=0) for width in widths]
        return [add("Expand", self.scope(0).number(0.0), shape) for shape in shapes]

    def _rows_of(self, states: str, begin: int, end: int) -> str:
        whole = self.graph.whole
        return self.graph.add("Slice", states, whole(begin), whole(end), whole(0))

    def scope(self, layer: int) -> Scope:
        """Return where a layer's operations are written."""
        return Scope(self.graph, self.kind, self.module.sizes(layer))

    def width(self, width: str | None) -> int:
        """Return how many numbers a width of the cell stands for."""
        return self.module.sizes(0)[width]

    @property
    def rows(self) -> int:
        """The first axis of states: L · directions."""
        return self.module.num_layers * self.module.num_directions


def live_steps(graph: Graph, x: str, lengths: str) -> str:
    """Write whether a step of ``x`` [T, B, …] belongs to its sequence, [T, B, 1]."""
    add, whole = graph.add, graph.whole
    zero, one = (graph.array(np.array(n), f"row_{n}") for n in (0, 1))
    steps = add("Range", zero, add("Gather", add("Shape", x), zero, axis=0), one)
    column = add("Reshape", steps, whole(-1, 1, 1))
    return add("Less", column, add("Reshape", lengths, whole(1, -1, 1)), name=graph.fresh("live"))


def numbers_of(tensor: Tensor) -> Array:
    """Return a weight as an array."""
    found: Array = tensor.detach().cpu().numpy()
    return found
