"""A stack with an affine head as a whole ONNX graph, and what every model of ours says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from gatelab.export.graph import Graph, value_info
from gatelab.export.layers import Layers, numbers_of
from gatelab.export.recognise import Native
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
        self.module, self.kind, self.graph = module, kind, Graph()
        self.layers = Layers(self.graph, module, native, kind)
        self.initial = [self.graph.fresh(f"initial_{s.name}") for s in module.still.states] if states else []
        self.lengths = self.graph.fresh("lengths") if lengths else ""
        self.input = self.graph.fresh("input")

    def model(self, affine: nn.Linear | None) -> ModelProto:
        """Write everything; return the model, checked."""
        x, finals = self.layers.write(self._turned(self.input), self.initial, self.lengths)
        outputs = self._outputs(x, finals, affine)
        return finished(self.graph, self._inputs(), outputs, said_of(self.layers))

    def _turned(self, x: str, name: str = "") -> str:
        """Write [T, B, …] from the module's layout, or back."""
        if self.module.batch_first:
            return self.graph.add("Transpose", x, name=name, perm=[1, 0, 2])
        return self.graph.add("Identity", x, name=name) if name else x

    def _inputs(self) -> list[ValueInfoProto]:
        found = [self._value(self.input, [*self._axes(), self.module.input_size])]
        found += states_of(self.layers, self.initial)
        return [*found, *([value_info(self.lengths, np.dtype(np.int64), ["B"])] if self.lengths else [])]

    def _outputs(
        self, x: str, finals: Sequence[Sequence[str]], affine: nn.Linear | None
    ) -> list[ValueInfoProto]:
        width = self.module.num_directions * self.module.hidden_size
        found = [self._value(self._turned(x, self.graph.fresh("output")), [*self._axes(), width])]
        found += states_of(self.layers, self.layers.joined(finals))
        if affine is not None:
            name = self._turned(affine_map(self.graph, affine, x), self.graph.fresh("head"))
            found.append(self._value(name, [*self._axes(), affine.out_features]))
        return found

    def _axes(self) -> list[str]:
        return ["B", "T"] if self.module.batch_first else ["T", "B"]

    def _value(self, name: str, shape: Sequence[str | int]) -> ValueInfoProto:
        return value_info(name, self.kind, shape)


def affine_map(graph: Graph, affine: nn.Linear, x: str) -> str:
    """Write an affine map of rows [..., inputs]; return the name of [..., outputs]."""
    y = graph.add("MatMul", x, graph.array(numbers_of(affine.weight).T, "head.weight"))
    return (
        y if affine.bias is None else graph.add("Add", y, graph.array(numbers_of(affine.bias), "head.bias"))
    )


def states_of(layers: Layers, names: Sequence[str]) -> list[ValueInfoProto]:
    """Return states as ONNX declares them, [L · directions, B, width] each; none for no names."""
    pairs = zip(names, layers.cell.states, strict=False)
    return [value_info(n, layers.kind, [layers.rows, "B", layers.width(s.width)]) for n, s in pairs]


def said_of(layers: Layers) -> dict[str, str]:
    """Return what a model says of its cell."""
    cell = layers.cell
    data = json.dumps(to_data(cell), ensure_ascii=False, allow_nan=False)
    said = {"version": version("gatelab"), "name": cell.name, "source": cell.source}
    return said | {"cell": data, "operator": layers.native.operator if layers.native else "Scan"}


def finished(
    graph: Graph, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto], said: Mapping[str, str]
) -> ModelProto:
    """Return the graph as a model that says this of itself (each key after ``gatelab.``), checked."""
    from onnx import checker, helper

    model = helper.make_model(
        graph.written(said["name"], inputs, outputs), opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION, producer_name="gatelab", producer_version=version("gatelab"),
    )  # fmt: skip
    helper.set_model_props(model, {f"gatelab.{key}": value for key, value in said.items()})
    checker.check_model(model, full_check=True)
    return model
