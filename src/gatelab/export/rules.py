"""What each operation of a cell is in ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gatelab.export.graph import Graph
from gatelab.graph.node import Node
from gatelab.graph.op import Op

Rule = Callable[..., str]


@dataclass(frozen=True)
class Scope:
    """Where operations are written: the graph, the type of its numbers, and the size of each width."""

    graph: Graph
    type: np.dtype[Any]
    sizes: Mapping[str | None, int]

    def number(self, value: float) -> str:
        """Return the name of a number."""
        return self.graph.array(np.array(value, self.type), "number")

    def rules(self) -> dict[Op, Rule]:
        """Return the table for this place."""
        return {op: partial(rule, self) for op, rule in ONNX.items()}


def _plain(kind: str) -> Rule:
    return lambda scope, node, *sources: scope.graph.add(kind, *sources)


def _given(scope: Scope, node: Node) -> str:
    raise AssertionError(f"no value was given for {node}")


def _matmul(scope: Scope, node: Node, matrix: str, value: str) -> str:
    transposed = scope.graph.array(scope.graph.arrays[matrix].T, f"{matrix}_transposed")
    return scope.graph.add("MatMul", value, transposed)


def _outer(scope: Scope, node: Node, left: str, right: str) -> str:
    add, shapes = scope.graph.add, [scope.graph.whole(-1, scope.sizes[s.width]) for s in node.sources]
    rows = [add("Reshape", value, shape) for value, shape in zip((left, right), shapes, strict=True)]
    return add("MatMul", add("Transpose", rows[0], perm=[1, 0]), rows[1])


def _maximum(scope: Scope, node: Node, a: str, b: str) -> str:
    return scope.graph.add("Where", scope.graph.add("Greater", a, b), a, b)


def _mix(scope: Scope, node: Node, z: str, a: str, b: str) -> str:
    add = scope.graph.add
    return add("Add", b, add("Mul", z, add("Sub", a, b)))


def _step(scope: Scope, node: Node, a: str) -> str:
    positive = scope.graph.add("Greater", a, scope.number(0.0))
    return scope.graph.add("Where", positive, scope.number(1.0), scope.number(0.0))


def _spread(scope: Scope, node: Node, value: str) -> str:
    narrow, wide = scope.sizes[node.sources[0].width or "1"], scope.sizes[node.width]
    if narrow == 1:
        return scope.graph.add("Expand", value, scope.graph.whole(wide))
    place = np.repeat(np.arange(narrow), wide // narrow)  # each block's value for all its units
    return scope.graph.add("Gather", value, scope.graph.array(place, "block_of_unit"), axis=-1)


def _sum(scope: Scope, node: Node, value: str) -> str:
    wide, narrow = scope.sizes[node.sources[0].width or "1"], scope.sizes[node.width]
    if narrow == 1:
        return scope.graph.add("ReduceSum", value, scope.graph.whole(-1), keepdims=1)
    ones = np.repeat(np.eye(narrow, dtype=scope.type), wide // narrow, axis=0)
    return scope.graph.add("MatMul", value, scope.graph.array(ones, "unit_in_block"))


ONNX: Mapping[Op, Rule] = {
    **dict.fromkeys([Op.INPUT, Op.STATE, Op.PARAM, Op.MASK, Op.COTANGENT], _given),
    Op.CONST: lambda scope, node: scope.number(node.value),
    Op.SIZE: lambda scope, node: scope.number(float(scope.sizes[node.attribute])),
    Op.MATMUL: _matmul,
    Op.MATMUL_T: lambda scope, node, matrix, value: scope.graph.add("MatMul", value, matrix),
    Op.OUTER: _outer,
    Op.ADD: _plain("Add"),
    Op.SUB: _plain("Sub"),
    Op.MUL: _plain("Mul"),
    Op.DIV: _plain("Div"),
    Op.NEG: _plain("Neg"),
    Op.MAXIMUM: _maximum,
    Op.MIX: _mix,
    Op.SIGMOID: _plain("Sigmoid"),
    Op.TANH: _plain("Tanh"),
    Op.RELU: _plain("Relu"),
    Op.EXP: _plain("Exp"),
    Op.LOG: _plain("Log"),
    Op.SQRT: _plain("Sqrt"),
    Op.STEP: _step,
    Op.SPREAD: _spread,
    Op.SUM: _sum,
}
"""Writes an operation: rule(scope, node, *names of its sources) → the name of its value."""
