"""A layer as ONNX's own LSTM, GRU or RNN, both directions in one operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gatelab.export.graph import Array
from gatelab.export.recognise import Gate, Native
from gatelab.export.rules import Scope

PEEPHOLES = 3  # of ONNX's four gates i, o, f, c the first three have one
PEEPHOLES_AT = 7  # their place among the operator's inputs


def native_layer(
    scope: Scope,
    native: Native,
    weights: Sequence[Mapping[str, Array]],
    x: str,
    starts: Sequence[str],
    lengths: str,
    name: str,
) -> tuple[str, Sequence[str]]:
    """Write a layer; return its output [T, B, directions · H] and its last states [directions, B, H].

    Parameters
    ----------
    weights
        By name, one mapping a direction.
    starts
        The states before the first step, [directions, B, H] each; empty for zeros.
    lengths
        int64 [B], or an empty name.
    """
    from onnx import TensorProto

    graph, hidden_size = scope.graph, scope.sizes["H"]
    if lengths:
        lengths = graph.add("Cast", lengths, to=TensorProto.INT32)
    inputs = [x, *_packed(scope, native, weights, name), lengths, *starts]
    if any(gate.peephole for gate in native.gates):
        peepholes = np.concatenate(
            [_stacked(scope, weights, g, g.peephole) for g in native.gates[:PEEPHOLES]], 1
        )
        inputs += [""] * (PEEPHOLES_AT - len(inputs)) + [graph.array(peepholes, f"{name}.P")]
    states = ["h", "c"] if native.operator == "LSTM" else ["h"]
    outputs = [graph.fresh(f"{name}.Y"), *(graph.fresh(f"{name}.Y_{s}") for s in states)]
    attributes = {"linear_before_reset": native.linear_before_reset} if native.operator == "GRU" else {}
    graph.add_several(
        native.operator, inputs, outputs, hidden_size=hidden_size,
        direction="forward" if len(weights) == 1 else "bidirectional",
        activations=[*native.activations] * len(weights), **attributes,
    )  # fmt: skip
    beside = graph.add("Transpose", outputs[0], perm=[0, 2, 1, 3])  # [T, B, directions, H]
    return graph.add("Reshape", beside, graph.whole(0, 0, -1)), outputs[1:]


def _packed(scope: Scope, native: Native, weights: Sequence[Mapping[str, Array]], name: str) -> list[str]:
    """Return W [D, gates · H, I], R [D, gates · H, H] and B [D, 2 · gates · H]."""
    gates, hidden, inputs = native.gates, scope.sizes["H"], scope.sizes["I"]
    whole = {
        "W": [_stacked(scope, weights, g, g.matrix, inputs) for g in gates],
        "R": [_stacked(scope, weights, g, g.recurrent, hidden) for g in gates],
        "B": [_stacked(scope, weights, g, g.biases[k]) for k in (0, 1) for g in gates],
    }
    return [scope.graph.array(np.concatenate(parts, 1), f"{name}.{key}") for key, parts in whole.items()]


def _stacked(
    scope: Scope, weights: Sequence[Mapping[str, Array]], gate: Gate, name: str | None, *columns: int
) -> Array:
    """Return a weight of a gate in all directions, [D, H, …]; zeros where it has none."""
    if name is None:
        return np.zeros((len(weights), scope.sizes["H"], *columns), scope.type)
    found: Array = np.stack([w[name] for w in weights])
    return -found if gate.negated else found
