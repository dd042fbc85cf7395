"""The derivative, as numbers: against finite differences, with nothing but the standard library."""

import math
import random

import pytest

from gatelab import cell, cells, exp, layer_norm, linear, log, maximum, mean, minimum, mix, sqrt, step, tanh
from gatelab.graph import Op, fold, topological
from gatelab.passes import adjoint
from gatelab.passes.adjoint import differentiate

INPUTS, HIDDEN = 3, 4
STEP = 1e-6


def size(cell, width):
    return {"I": INPUTS, "H": HIDDEN, "K": HIDDEN // cell.block, "1": 1, None: 1}[width]


def each(rule):
    """Make a rule on numbers one on lists, of which those of one number fit all."""

    def on_lists(node, *sources):
        longest = max(len(s) for s in sources)
        return [rule(*(s[k % len(s)] for s in sources)) for k in range(longest)]

    return on_lists


def sigmoid(v):
    return 1 / (1 + math.exp(-v))


def rules(cell, leaves):
    """Return a table of values as plain lists, of matrices as lists of rows."""

    def wide(node, value):
        return value * size(cell, node.width) if len(value) == 1 else [
            v for v in value for _ in range(size(cell, node.width) // len(value))
        ]  # fmt: skip

    def narrow(node, value):
        source, count = size(cell, node.sources[0].width), size(cell, node.width)
        value = value * source if len(value) == 1 else value
        return [sum(value[k * source // count : (k + 1) * source // count]) for k in range(count)]

    return {
        **dict.fromkeys([Op.INPUT, Op.STATE, Op.PARAM, Op.MASK, Op.COTANGENT], lambda n: leaves[n]),
        Op.CONST: lambda n: [n.value],
        Op.SIZE: lambda n: [float(size(cell, n.attribute))],
        Op.MATMUL: lambda n, m, v: [sum(a * b for a, b in zip(row, v, strict=True)) for row in m],
        Op.MATMUL_T: lambda n, m, v: [
            sum(a * b for a, b in zip(col, v, strict=True)) for col in zip(*m, strict=True)
        ],
        Op.OUTER: lambda n, u, v: [[a * b for b in v] for a in u],
        Op.ADD: each(lambda a, b: a + b),
        Op.SUB: each(lambda a, b: a - b),
        Op.MUL: each(lambda a, b: a * b),
        Op.DIV: each(lambda a, b: a / b),
        Op.NEG: each(lambda a: -a),
        Op.MAXIMUM: each(max),
        Op.MIX: each(lambda z, a, b: z * a + (1 - z) * b),
        Op.SIGMOID: each(sigmoid),
        Op.TANH: each(math.tanh),
        Op.RELU: each(lambda a: max(a, 0.0)),
        Op.EXP: each(math.exp),
        Op.LOG: each(math.log),
        Op.SQRT: each(math.sqrt),
        Op.STEP: each(lambda a: float(a > 0)),
        Op.SPREAD: wide,
        Op.SUM: narrow,
    }


def values(cell, roots, leaves):
    found = fold(roots, rules(cell, leaves))
    return [found[r] for r in roots]


def random_leaves(cell, draw):
    def numbers(count):
        return [draw.uniform(-1, 1) for _ in range(count)]

    leaves = {leaf: numbers(size(cell, leaf.width)) for leaf in (cell.input, *cell.states, *cell.masks)}
    for leaf in cell.parameters:
        rows, columns = leaf.weight.rows, leaf.weight.columns
        one = size(cell, rows)
        leaves[leaf] = numbers(one) if columns is None else [numbers(size(cell, columns)) for _ in range(one)]
    return leaves


def loss(cell, leaves, seeds):
    results = values(cell, cell.results, leaves)
    wide = [r * len(s) if len(r) == 1 else r for r, s in zip(results, seeds, strict=True)]
    return sum(a * b for r, s in zip(wide, seeds, strict=True) for a, b in zip(r, s, strict=True))


def entries(value):
    """Yield (list, place) of every number of a vector or a matrix."""
    for row in value if isinstance(value[0], list) else [value]:
        yield from ((row, k) for k in range(len(row)))


def difference(cell, leaves, seeds, row, k):
    here = row[k]
    row[k] = here + STEP
    above = loss(cell, leaves, seeds)
    row[k] = here - STEP
    below = loss(cell, leaves, seeds)
    row[k] = here
    return (above - below) / (2 * STEP)


@cell
def odd(x, h, c):
    a = layer_norm(linear(x, h, name="a"), name="a", epsilon=0.1)
    b = exp(tanh(linear(x, c, name="b"))) / sqrt(1 + c * c)
    d = maximum(a, b) + minimum(a, 0.3) * log(2 + a * a)
    return mix(tanh(d), b - h, step(a) * c), mean(a) + 0 * c


@cell(widths={"level": "1", "shared": "K"}, block=2)
def widths(x, h, level, shared):
    gate = tanh(linear(x, shared, name="s", blocks=True))
    return tanh(linear(x, h, name="h")) * gate * level, mean(h * h) + level, shared * gate


WRAPPED = ["lstm+layer-norm", "lstm-blocks+zoneout", "gru+recurrent-dropout=0.5"]
CELLS = [*cells.CATALOGUE.values(), *map(cells.get, WRAPPED), odd, widths]


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.name)
def test_against_finite_differences(cell):
    draw = random.Random(5)
    leaves = random_leaves(cell, draw)
    back = adjoint(cell)
    seeds = [[draw.uniform(-1, 1) for _ in range(size(cell, s.width))] for s in cell.states]
    known = {**leaves, **dict(zip(back.cotangents, seeds, strict=True))}
    found = {cell.input: back.input, **{s: back.states.get(s.name) for s in cell.states}}
    found |= {p: back.parameters.get(p.name) for p in cell.parameters}
    for leaf, derivative in found.items():
        ours = values(cell, [derivative], known)[0] if derivative is not None else None
        flat = [row[k] for row, k in entries(ours)] if ours else None
        for place, (row, k) in enumerate(entries(leaves[leaf])):
            wanted = difference(cell, leaves, seeds, row, k)
            assert (flat[place] if flat else 0.0) == pytest.approx(wanted, rel=1e-5, abs=1e-7), leaf


def test_cotangents_are_as_wide_as_the_states():
    assert [(s.op, s.name, s.width) for s in adjoint(widths).cotangents] == [
        (Op.COTANGENT, "h", "H"), (Op.COTANGENT, "level", "1"), (Op.COTANGENT, "shared", "K"),
    ]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.name)
def test_a_matrix_has_an_outer_product_and_a_vector_its_width(cell):
    for name, node in adjoint(cell).parameters.items():
        (weight,) = [p.weight for p in cell.parameters if p.name == name]
        if weight.columns is None:
            assert node.width == weight.rows
        else:
            assert node.op is Op.OUTER
            assert tuple(s.width for s in node.sources) == (weight.rows, weight.columns)


def test_the_derivative_shares_the_values_of_the_cell():
    lstm = cells.get("lstm")
    shared = set(topological(adjoint(lstm).roots)) & set(lstm.nodes)
    assert {lstm.names[k] for k in "ifog"} <= shared


def test_what_does_not_matter_is_absent():
    @cell
    def half(x, h, c):
        return tanh(linear(h, name="h")) + 0 * linear(x, c, name="z"), 1.0

    back = adjoint(half)
    assert back.input is None
    assert set(back.states) == {"h"}
    assert set(back.parameters) == {"U_h", "b_h"}
    assert len(back.roots) == 3


def test_a_result_that_is_a_leaf_or_given_twice():
    @cell
    def same(x, h, c):
        return c, c

    h, c = adjoint(same).cotangents
    assert dict(adjoint(same).states) == {"c": h + c}


def test_the_derivative_of_a_derivative():
    tanh_cell = cells.get("tanh")
    back = adjoint(tanh_cell)
    (seed,) = back.cotangents
    twice = differentiate([back.states["h"]], [seed], [seed, *tanh_cell.states])
    assert set(twice) == {seed, *tanh_cell.states}
