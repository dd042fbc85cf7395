"""Every table says something about every operation: a new one lights up each reading that forgot it."""

import pytest

from gatelab.draw.equation import RULES as NOTATION
from gatelab.engine.code import PLAIN
from gatelab.engine.reference import VALUES
from gatelab.export.rules import ONNX
from gatelab.graph.data import _READ
from gatelab.graph.op import ADJOINT_ONLY, ARITY, BINARY, ELEMENTWISE, LEAVES, PRODUCTS, UNARY, Op
from gatelab.passes.adjoint import DERIVATIVE
from gatelab.passes.measure import FLOPS
from gatelab.passes.simplify import RULES, SCALAR

EVERY = set(Op)
TABLES = {  # append here: name of the reading → its table and the operations it must know, no more, no less
    "number of sources": (ARITY, EVERY),
    "derivative": (DERIVATIVE, EVERY),
    "simplification": (RULES, EVERY),
    "numbers": (SCALAR, ELEMENTWISE),
    "operations counted": (FLOPS, EVERY),
    "values": (VALUES, EVERY),
    "notation": (NOTATION, EVERY),
    "data": (_READ, LEAVES),
    "instructions": (PLAIN, ELEMENTWISE),
    "export": (ONNX, EVERY),
}


@pytest.mark.parametrize("reading", TABLES)
def test_every_operation_has_its_rule(reading):
    table, wanted = TABLES[reading]
    assert {op.name for op in table} == {op.name for op in wanted}


def test_every_operation_is_of_one_kind():
    kinds = [LEAVES, PRODUCTS, UNARY, BINARY, {Op.MIX}, {Op.OUTER}, {Op.SPREAD, Op.SUM}]
    assert sorted(op.name for kind in kinds for op in kind) == sorted(op.name for op in Op)
    assert ADJOINT_ONLY < EVERY
