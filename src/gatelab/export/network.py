"""A network on its way into an ONNX graph: layers, directions, states, lengths, and a head."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from gatelab.export.graph import Array, Graph, value_info
from gatelab.export.native import native_layer
from gatelab.export.recognise import Native
from gatelab.export.rules import Scope
from gatelab.export.scan import scan_layer
from gatelab.graph.data import to_data
from gatelab.nn.stack import Stack

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

OPSET = 17  # of 2022: every runtime in use reads it
IR_VERSION = 8  # belongs to it


class Network:
    """A network on its way into an ONNX graph."""

    def __init__(
        self, module: Stack, native: Native | None, kind: np.dtype[Any], states: bool, lengths: bool
    ) -> None:
        self.module, self.native, self.kind = module, native, kind
        self.cell = module.still
        self.graph = Graph()
        self.initial = [self.graph.fresh(f"initial_{s.name}") for s in self.cell.states] if states else []
        self.lengths = self.graph.fresh("lengths") if lengths else ""
        self.input = self.graph.fresh("input")
        self.finals: list[list[str]] = [[] for _ in self.cell.states]

    def model(self, affine: nn.Linear | None) -> ModelProto:
        """Write everything; return the model, checked."""
        from onnx import checker, helper

        x = self._turned(self.input)
        self.live = self._live(x) if self.lengths else ""
        for layer in range(self.module.num_layers):
            x = self._native(layer, x) if self.native else self._scans(layer, x)
        if self.live:
            x = self.graph.add("Where", self.live, x, self._scope(0).number(0.0))
        outputs = self._outputs(x, affine)
        graph = self.graph.written(self.cell.name, self._inputs(), outputs)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="gatelab",
            producer_version=version("gatelab"),
        )  # fmt: skip
        helper.set_model_props(model, self._said())
        checker.check_model(model, full_check=True)
        return model

    def _native(self, layer: int, x: str) -> str:
        assert self.native is not None
        directions = self.module.num_directions
        first = layer * directions
        starts = [self._rows_of(s, first, first + directions) for s in self.initial]
        output, finals = native_layer(
            self._scope(layer), self.native, [self._weights(layer, d) for d in range(directions)], x, starts,
            self.lengths, f"layer{layer}",
        )  # fmt: skip
        for whole, part in zip(self.finals, finals, strict=True):
            whole.append(part)
        return output

    def _scans(self, layer: int, x: str) -> str:
        scope, outputs = self._scope(layer), []
        for direction in range(self.module.num_directions):
            name = f"layer{layer}" + ".reverse" * direction
            arrays = self._weights(layer, direction)
            weights = {k: self.graph.array(v, f"{name}.{k}") for k, v in arrays.items()}
            starts = self._starts(layer * self.module.num_directions + direction, x)
            output, finals = scan_layer(
                scope, self.cell, weights, x, starts, self.live, bool(direction), name
            )
            outputs.append(output)
            for whole, part in zip(self.finals, finals, strict=True):
                whole.append(self.graph.add("Unsqueeze", part, self.graph.whole(0)))
        return outputs[0] if len(outputs) == 1 else self.graph.add("Concat", *outputs, axis=-1)

    def _weights(self, layer: int, direction: int) -> dict[str, Array]:
        found = self.module.weights(layer, direction)
        return {p.name: _array(found[p.name]) for p in self.cell.parameters}

    def _starts(self, row: int, x: str) -> list[str]:
        """Return the states before the first step of one layer and direction, [B, width] each."""
        add, whole = self.graph.add, self.graph.whole
        if self.initial:
            index = self.graph.array(np.array(row), f"row_{row}")
            return [add("Gather", s, index, axis=0) for s in self.initial]
        batch = add("Gather", add("Shape", x), whole(1), axis=0)
        widths = [self._width(s.width) for s in self.cell.states]
        shapes = [add("Concat", batch, whole(width), axis=0) for width in widths]
        return [add("Expand", self._scope(0).number(0.0), shape) for shape in shapes]

    def _rows_of(self, states: str, begin: int, end: int) -> str:
        whole = self.graph.whole
        return self.graph.add("Slice", states, whole(begin), whole(end), whole(0))

    def _live(self, x: str) -> str:
        """Write whether a step belongs to its sequence, [T, B, 1]."""
        add, whole = self.graph.add, self.graph.whole
        zero, one = (self.graph.array(np.array(n), f"row_{n}") for n in (0, 1))
        steps = add("Range", zero, add("Gather", add("Shape", x), zero, axis=0), one)
        column = add("Reshape", steps, whole(-1, 1, 1))
        return add(
            "Less", column, add("Reshape", self.lengths, whole(1, -1, 1)), name=self.graph.fresh("live")
        )

    def _turned(self, x: str, name: str = "") -> str:
        """Write [T, B, …] from the module's layout, or back."""
        if self.module.batch_first:
            return self.graph.add("Transpose", x, name=name, perm=[1, 0, 2])
        return self.graph.add("Identity", x, name=name) if name else x

    def _inputs(self) -> list[ValueInfoProto]:
        found = [self._value(self.input, [*self._axes(), self.module.input_size])]
        found += [self._state(n, s.width) for n, s in zip(self.initial, self.cell.states, strict=False)]
        return [*found, *([value_info(self.lengths, np.dtype(np.int64), ["B"])] if self.lengths else [])]

    def _outputs(self, x: str, affine: nn.Linear | None) -> list[ValueInfoProto]:
        width = self.module.num_directions * self.module.hidden_size
        found = [self._value(self._turned(x, self.graph.fresh("output")), [*self._axes(), width])]
        for state, parts in zip(self.cell.states, self.finals, strict=True):
            name = self.graph.add("Concat", *parts, name=self.graph.fresh(f"final_{state.name}"), axis=0)
            found.append(self._state(name, state.width))
        if affine is not None:
            matrix = self.graph.array(_array(affine.weight).T, "head.weight")
            y = self.graph.add("MatMul", x, matrix)
            if affine.bias is not None:
                y = self.graph.add("Add", y, self.graph.array(_array(affine.bias), "head.bias"))
            name = self._turned(y, self.graph.fresh("head"))
            found.append(self._value(name, [*self._axes(), affine.out_features]))
        return found

    def _axes(self) -> list[str]:
        return ["B", "T"] if self.module.batch_first else ["T", "B"]

    def _state(self, name: str, width: str | None) -> ValueInfoProto:
        rows = self.module.num_layers * self.module.num_directions
        return self._value(name, [rows, "B", self._width(width)])

    def _value(self, name: str, shape: Sequence[str | int]) -> ValueInfoProto:
        return value_info(name, self.kind, shape)

    def _scope(self, layer: int) -> Scope:
        return Scope(self.graph, self.kind, self.module.sizes(layer))

    def _width(self, width: str | None) -> int:
        return self.module.sizes(0)[width]

    def _said(self) -> dict[str, str]:
        data = json.dumps(to_data(self.cell), ensure_ascii=False, allow_nan=False)
        said = {"version": version("gatelab"), "name": self.cell.name, "source": self.cell.source}
        said |= {"cell": data, "operator": self.native.operator if self.native else "Scan"}
        return {f"gatelab.{key}": value for key, value in said.items()}


def _array(tensor: Tensor) -> Array:
    found: Array = tensor.detach().cpu().numpy()
    return found
