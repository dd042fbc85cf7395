"""Random cells of all operations: rewriting keeps values, and the adjoint is the derivative."""

import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gatelab.graph import Cell, Mask, Op, check, from_data, make, to_data
from gatelab.graph.language import (
    exp,
    layer_norm,
    linear,
    log,
    maximum,
    mean,
    minimum,
    mix,
    peephole,
    relu,
    sigmoid,
    sqrt,
    step,
    tanh,
)
from gatelab.graph.node import spread
from gatelab.passes import edit, simplify_cell

SHIFT = 0.1234567  # keeps random values away from where a rule jumps
UNARY = [
    sigmoid,
    tanh,
    mean,
    lambda v: -v,
    lambda v: relu(v + SHIFT),
    lambda v: step(v + SHIFT),
    lambda v: exp(tanh(v)),
    lambda v: log(1 + v * v),
    lambda v: sqrt(1 + v * v),
    lambda v: spread(mean(v), v.width),
    lambda v: dropped(v.width) * v,
]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (1 + b * b),
    lambda a, b: maximum(a, b + SHIFT),
    lambda a, b: minimum(a, b + SHIFT),
]
NUMBERS = [-1.0, 0.0, 0.5, 1.0, 2.0]


def dropped(width):
    return make(Op.MASK, (), Mask(f"mask_{width}", "dropout", 0.5, "step", width), width)


@st.composite
def random_cells(draw):
    """Return a cell of up to a dozen random operations, its intermediate values named."""
    x, h, c = make(Op.INPUT, (), "x", "I"), make(Op.STATE, (), "h", "H"), make(Op.STATE, (), "c", "H")
    units = [h, c, linear(x, h, name="first")]  # width H
    blocks = [linear(x, c, name="blocks", blocks=True)]  # width K
    inputs = [x]  # width I
    for k in range(draw(st.integers(0, 12))):
        pool = draw(st.sampled_from([units, units, units, blocks, inputs]))
        one = st.one_of(st.sampled_from(pool[-5:]), st.sampled_from(NUMBERS))
        value = pool[-1]
        match draw(st.sampled_from(["unary", "binary", "binary", "mix", "weight"])):
            case "unary":
                value = draw(st.sampled_from(UNARY))(draw(st.sampled_from(pool[-5:])))
            case "binary":
                value = draw(st.sampled_from(BINARY))(draw(one), draw(st.sampled_from(pool[-5:])))
                if pool is units and draw(st.booleans()):
                    value = value * draw(st.sampled_from(blocks))
            case "mix":
                value = mix(draw(one), draw(st.sampled_from(pool)), draw(one))
            case "weight" if pool is units:
                weighted = draw(st.sampled_from(["linear", "peephole", "norm"]))
                seen = draw(st.sampled_from([*units, *blocks, *inputs]))
                if weighted == "linear":
                    value = linear(seen, name=f"n{k}")
                elif weighted == "peephole":
                    value = peephole(pool[-1], name=f"n{k}")
                else:
                    value = layer_norm(pool[-1], name=f"n{k}", epsilon=0.1)
        if value.width in (pool[0].width, "1"):
            pool.append(spread(value, pool[0].width))
    wide = linear(inputs[-1], name="last") + blocks[-1]
    results = (units[-1] * wide, draw(st.sampled_from([units[-2], h, units[-1] * 0, mean(units[-1])])))
    results = tuple(spread(r, "H") for r in results)
    made = Cell("random", x, (h, c), results, block=2)
    names = {
        f"v{k}": v for k, v in enumerate(dict.fromkeys([*units, *blocks])) if v in made.nodes and v.sources
    }
    made = Cell("random", x, (h, c), results, names, block=2)
    check(made)
    return made


many = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)


def near(ours, theirs, limit=1e-9):
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).abs().max() <= limit * max(1.0, b.abs().max())


def results_with(problem, cell, like):
    """Return the results of ``cell`` on the numbers of the problem ``like``."""
    p = problem(cell, 3, 4, (3, 2, 1))
    p.x, p.states = like.x, like.states
    p.weights = {k: like.weights[k] for k in p.weights}
    p.masks = {k: like.masks[k] for k in p.masks}
    return p.reference()


@given(random_cells())
@many
def test_simplify_keeps_values_and_is_done_after_once(problem, cell):
    simple = simplify_cell(cell)
    check(simple)
    assert len(simple.nodes) <= len(cell.nodes)
    assert simplify_cell(simple) == simple
    p = problem(cell, 3, 4, (3, 2, 1))
    near(results_with(problem, simple, p), p.reference())


@given(random_cells(), st.data())
@many
def test_edit_is_what_replacing_the_value_is(problem, cell, data):
    name = data.draw(st.sampled_from(sorted(cell.names)))
    node, number = cell.names[name], data.draw(st.sampled_from(NUMBERS))
    edited = edit(cell, {name: number})
    leaf = make(Op.STATE, (), "put", node.width)  # the same, without a rewriting that could go wrong
    opened = edit(cell, {name: leaf}, memory={"put": leaf})
    p = problem(opened, 3, 4, (3, 2, 1))
    p.states = (*p.states[:2], torch.full_like(p.states[2], number))
    like = problem(opened, 3, 4, (3, 2, 1))
    like.states, like.weights, like.masks = p.states[:2], p.weights, p.masks
    near(results_with(problem, edited, like), p.reference()[:3])


@given(random_cells())
@many
def test_adjoint_agrees_with_autograd(problem, cell):
    p = problem(cell, 3, 4, (3, 2, 1))
    leaves = p.require_grad()
    found = []
    for results in (p.run("reference"), p.reference()):
        grads = torch.autograd.grad(sum((r * r).sum() for r in results), leaves, allow_unused=True)
        found.append([torch.zeros_like(x) if g is None else g for g, x in zip(grads, leaves, strict=True)])
    near(*found)


@given(random_cells(), st.sampled_from([(3, 2, 1), (1,), (2, 2)]), st.sampled_from([1, 2]))
@many
def test_the_tile_machine_agrees_with_autograd(problem, unwritten, cell, lengths, threads):
    p = problem(cell, 3, 4, lengths, threads=threads)
    leaves = p.require_grad()
    watch = sorted(cell.names)[::3]
    found = []
    for results in (p.reference(watch), p.run("tile", watch)):
        assume(all(r.abs().max() < 1e4 for r in results))  # what explodes has no digits to compare
        grads = torch.autograd.grad(sum((r * r).sum() for r in results), leaves, allow_unused=True)
        zeros = [torch.zeros_like(x) if g is None else g for g, x in zip(grads, leaves, strict=True)]
        found.append([*results, *zeros])
    near(*found)


bits = st.lists(st.booleans(), min_size=40, max_size=40)


@given(random_cells(), bits, bits, st.sampled_from([(3, 2, 1), (1,), (9, 9)]))
@settings(many, max_examples=150)
def test_some_derivatives_of_some_results_agree_with_autograd(
    problem, unwritten, cell, wanted, used, lengths
):
    """As with frozen weights, or a loss of the last states only: each choice has a plan of its own."""
    p = problem(simplify_cell(cell), 3, 4, lengths)
    leaves = list(p.tensors[: len(p.tensors) - len(p.masks)])
    chosen = [leaf.requires_grad_() for leaf, yes in zip(leaves, wanted, strict=False) if yes]
    found = []
    for results in (p.reference(), p.run("tile")):
        assume(all(r.abs().max() < 1e4 for r in results))
        loss = sum((r**2).sum() for r, yes in zip(results, used, strict=False) if yes)
        assume(torch.is_tensor(loss) and loss.requires_grad)
        grads = torch.autograd.grad(loss, chosen, allow_unused=True)
        found.append([torch.zeros(1) if g is None else g for g in grads])
    near(*found)


@given(random_cells())
@many
def test_data_gives_the_same_cell(cell):
    again = from_data(to_data(cell))
    assert (again, again.names, again.parameters) == (cell, cell.names, cell.parameters)
