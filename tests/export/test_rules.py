"""Each operation in ONNX gives what it gives in torch, those of adjoint graphs too."""

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import helper

from gatelab.engine.reference import VALUES, Sizes
from gatelab.export.graph import Graph, value_info
from gatelab.export.rules import Scope
from gatelab.graph.node import Weight, constant, make
from gatelab.graph.op import BINARY, UNARY, Op

SIZES = Sizes(3, 6, 2, torch.empty(0, dtype=torch.float64))
NUMBERS = {"I": 3, "H": 6, "K": 3, "1": 1}


def leaf(width, name="x"):
    return make(Op.STATE, (), name, width)


def matrix(rows, columns):
    return make(Op.PARAM, (), Weight("P", "recurrent", rows, columns), rows)


A, B, C, N, Q = leaf("H", "a"), leaf("H", "b"), leaf("H", "c"), leaf("K", "n"), leaf("1", "q")
OPERATIONS = [
    *(make(op, (A,)) for op in sorted(UNARY, key=lambda o: o.name)),
    *(make(op, (A, B)) for op in sorted(BINARY, key=lambda o: o.name)),
    make(Op.MIX, (A, B, C)),
    make(Op.MATMUL, (matrix("K", "H"), A)),
    make(Op.MATMUL_T, (matrix("K", "H"), N)),
    make(Op.OUTER, (N, A)),
    make(Op.SPREAD, (N,), None, "H"),
    make(Op.SPREAD, (Q,), None, "H"),
    make(Op.SPREAD, (constant(0.3),), None, "H"),
    make(Op.SUM, (A,), None, "K"),
    make(Op.SUM, (A,), None, "1"),
    make(Op.SUM, (make(Op.SPREAD, (constant(0.3),), None, "H"),), None, "K"),
]


@pytest.mark.parametrize("node", OPERATIONS, ids=lambda n: f"{n.op.value} {n.width}")
def test_operation(node):
    draw = torch.Generator().manual_seed(0)
    graph = Graph()
    scope = Scope(graph, np.dtype(np.float64), NUMBERS)
    table = scope.rules()

    def value(source):
        """Return a source's name in ONNX, its value in torch, and what is fed."""
        if source.op is Op.CONST:
            return table[Op.CONST](source), torch.tensor(source.value, dtype=torch.float64), {}
        if source.sources:
            name, inner, feed = value(source.sources[0])
            return table[source.op](source, name), VALUES[source.op](SIZES, source, inner), feed
        rows = NUMBERS[source.weight.rows] if source.op is Op.PARAM else 4
        columns = NUMBERS[source.weight.columns if source.op is Op.PARAM else source.width]
        drawn = torch.rand(rows, columns, generator=draw, dtype=torch.float64) + 0.1
        drawn[0] -= 0.6 * (node.op not in (Op.LOG, Op.SQRT))
        if source.op is Op.PARAM:
            return graph.array(drawn.numpy(), source.name), drawn, {}
        return source.name, drawn, {source.name: drawn.numpy()}

    names, values, feeds = zip(*(value(s) for s in node.sources), strict=True)
    feed = {k: v for f in feeds for k, v in f.items()}
    result = table[node.op](node, *names)
    inputs = [value_info(k, scope.type, ["B", v.shape[1]]) for k, v in feed.items()]
    outputs = [helper.make_tensor_value_info(result, 11, None)]
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph.written("one", inputs, outputs), opset_imports=opsets, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = VALUES[node.op](SIZES, node, *values).numpy()
    np.testing.assert_allclose(session.run(None, feed)[0], wanted, rtol=1e-7, atol=1e-9)


def test_what_has_to_be_given_is_asked_for():
    with pytest.raises(AssertionError, match="no value was given"):
        Scope(Graph(), np.dtype(np.float32), NUMBERS).rules()[Op.STATE](A)
