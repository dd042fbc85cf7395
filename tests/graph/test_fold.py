"""The walker: every node once, each after its sources, however deep."""

import pickle

import pytest

from gatelab.graph import Cell, Op, check, fold, from_data, make, to_data, topological
from gatelab.graph.fold import depends_on, rebuild, substitute
from gatelab.graph.language import linear, tanh
from gatelab.passes import adjoint, measure, simplify_cell

X, H, C = make(Op.INPUT, (), "x", "I"), make(Op.STATE, (), "h", "H"), make(Op.STATE, (), "c", "H")
DEPTH = 5000


@pytest.fixture(scope="module")
def deep():
    value = linear(X, H, name="h")
    for _ in range(DEPTH):
        value = value * H + 1
    return Cell("deep", X, (H,), (value,), {"top": value})


def test_each_node_once_after_its_sources():
    shared = H * C
    order = topological([shared + shared, -shared, H])
    assert len(order) == len(set(order)) == 5
    place = {n: k for k, n in enumerate(order)}
    assert all(place[s] < place[n] for n in order for s in n.sources)
    assert order == topological([shared + shared, -shared, H])


def test_fold_calls_each_rule_once():
    called = []
    rules = dict.fromkeys(Op, lambda node, *sources: called.append(node) or 1 + sum(sources))
    root = (H * C) + (H * C)
    assert fold([root], rules)[root] == 1 + 2 * 3
    assert len(called) == 4


def test_fold_does_not_look_below_what_is_known():
    shared = H * C
    root = shared + 1
    values = fold([root], {Op.ADD: lambda n, a, b: a + b, Op.CONST: lambda n: n.value}, {shared: 5.0})
    assert values[root] == 6.0
    assert H not in values


def test_substitute_takes_what_is_put_in_as_it_is():
    root = tanh(H) + C
    assert substitute([root], {H: H * C})[root] is tanh(H * C) + C
    assert substitute([root], {})[root] is root
    assert rebuild(root, *root.sources) is root


def test_depends_on():
    assert depends_on(tanh(H + 1), Op.STATE)
    assert depends_on(H, Op.STATE)
    assert not depends_on(X * 1, Op.STATE)


def test_no_graph_is_too_deep(deep):
    check(deep)
    assert len(topological(deep.results)) > DEPTH
    assert len(simplify_cell(deep).nodes) > DEPTH
    assert set(adjoint(deep).states) == {"h"}
    assert measure(deep).flops(3, 4) > DEPTH
    assert from_data(to_data(deep)) == deep
    assert pickle.loads(pickle.dumps(deep)) == deep
    assert len(repr(deep) + repr(deep.results)) < 1000
