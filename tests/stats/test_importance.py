import warnings

import numpy as np
import pytest

from gatelab.errors import ShapeError
from gatelab.stats.forest import Tree, grow_forest
from gatelab.stats.importance import importance, marginal_mean, pair_mean, shares_of


def problem(n=80, dims=3, seed=0):
    x = np.random.default_rng(seed).uniform(size=(n, dims))
    return x, (x[:, 0] - 0.6) ** 2 + 0.2 * x[:, 1] * x[:, 2]


def test_two_leaves_by_hand():
    tree = Tree(np.array([[0.0, 0], [0.25, 0]]), np.array([[0.25, 1], [1, 1]]), np.array([4.0, 0.0]))
    np.testing.assert_allclose(shares_of(tree), [1, 0, 0], atol=1e-15)
    np.testing.assert_allclose(marginal_mean(tree, 0, np.array([0.1, 0.9])), [4, 0])
    np.testing.assert_allclose(marginal_mean(tree, 1, np.array([0.1, 0.9])), [1, 1])


def test_an_interaction_by_hand():
    """The exclusive or of two halves has neither dimension's share, and all of the pair's."""
    low = np.array([[0, 0], [0.5, 0], [0, 0.5], [0.5, 0.5]])
    tree = Tree(low, low + 0.5, np.array([1.0, 0, 0, 1]))
    np.testing.assert_allclose(shares_of(tree), [0, 0, 1], atol=1e-15)
    assert shares_of(tree._replace(value=np.ones(4))) is None


def test_shares_are_those_of_the_integrals():
    """Against a grid of all cuts, where every integral is a plain sum."""
    x, y = problem(25)
    tree = grow_forest(x, y, trees=1).trees[0]
    edges = [np.unique(np.concatenate([tree.low[:, d], [1.0]])) for d in range(3)]
    middles = np.stack(np.meshgrid(*[(e[1:] + e[:-1]) / 2 for e in edges], indexing="ij"), -1)
    shape = middles.shape[:3]
    grid = tree.predict(middles.reshape(-1, 3)).reshape(shape)
    widths = [np.diff(e) for e in edges]
    a, b, c = widths
    mean = np.einsum("ijk,i,j,k", grid, a, b, c)
    grid = grid - mean
    total = np.einsum("ijk,i,j,k", grid**2, a, b, c)
    single = [np.einsum(f"ijk,{p},{q}->{r}", grid, *(widths["ijk".index(v)] for v in (p, q)))
              for p, q, r in ("jki", "ikj", "ijk")]  # fmt: skip
    wanted = [m**2 @ w for m, w in zip(single, widths, strict=True)]
    for first, second, third in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        joint = np.moveaxis(grid, third, -1) @ widths[third]
        joint = joint - single[first][:, None] - single[second]
        wanted.append(np.einsum("ij,i,j", joint**2, widths[first], widths[second]))
    np.testing.assert_allclose(shares_of(tree), np.array(wanted) / total, rtol=1e-9)
    assert sum(wanted) < total


def test_what_was_put_in_is_found():
    random = np.random.default_rng(0)
    x = random.uniform(size=(400, 3))
    y = 8.4 + 10 * (x[:, 0] - 0.6) ** 2 + x[:, 1] + 0.05 * random.normal(size=400)
    found = importance(x, y, ["rate", "size", "momentum"], trees=16, seeds=3, clip=1)
    # variances: 100 · Var((u − 0.6)²) = 0.889, and 1/12
    assert found.shares["rate",].mean == pytest.approx(0.914, abs=0.03)
    assert found.shares["size",].mean == pytest.approx(0.086, abs=0.03)
    assert found.shares["momentum",].mean < 0.01
    assert found.shares["rate", "size"].n == 3
    assert found.shares["rate",].low < found.shares["rate",].mean < found.shares["rate",].high
    assert sum(s.mean for s in found.shares.values()) + found.rest.mean == pytest.approx(1)
    assert found.explained > 0.9
    marginal = found.marginals["rate"]
    assert marginal.positions[marginal.mean.argmin()] == pytest.approx(0.6, abs=0.06)
    wanted = 8.4 + 10 * (marginal.positions - 0.6) ** 2 + 0.5
    np.testing.assert_allclose(marginal.mean, wanted, atol=0.35)
    assert (marginal.std > 0).all()
    pair = found.pairs["rate", "size"]
    assert pair.mean() == pytest.approx(marginal.mean.mean(), abs=0.02)
    assert pair.min() < marginal.mean.min()


def test_pairs_have_the_marginals_as_their_means():
    x, y = problem()
    trees = grow_forest(x, y, trees=3).trees
    pair = pair_mean(trees, 0, 2)
    points = (np.arange(20) + 0.5) / 20
    fine = np.mean([marginal_mean(t, 0, points) for t in trees], 0)
    np.testing.assert_allclose(pair.mean(1), fine, atol=0.02)


def test_values_gone_astray_are_brought_down():
    x, y = problem(100)
    y[:3] = 1e6
    found = importance(x, y, "abc", trees=8, seeds=2, clip=0.95)
    assert (found.n, found.clipped) == (100, 5)
    assert found.shares["a",].mean > 0.4
    assert importance(x, y, "abc", trees=8, seeds=2, clip=1).clipped == 0


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.zeros((3, 2)), np.arange(3.0), "4 or more"),
        (np.zeros((9, 3)), np.arange(9.0), r"\[N, 2\]"),
        (np.zeros((9, 2)), np.ones(9), "all 9 values are the same"),
        (np.zeros((9, 2)), np.arange(9.0), "too few"),
    ],
)
def test_what_has_no_shares_is_refused(x, y, said):
    with pytest.raises(ShapeError, match=said):
        importance(x, y, "ab")


def as_boxes(tree, dims):
    """Return a tree of scikit-learn as its leaves' boxes."""
    boxes, open_nodes = [], [(0, np.zeros(dims), np.ones(dims))]
    while open_nodes:
        node, low, high = open_nodes.pop()
        if (d := tree.feature[node]) < 0:
            boxes.append((low, high, tree.value[node].item()))
            continue
        middle_high, middle_low = high.copy(), low.copy()
        middle_high[d] = middle_low[d] = tree.threshold[node]
        open_nodes += [(tree.children_left[node], low, middle_high)]
        open_nodes += [(tree.children_right[node], middle_low, high)]
    return Tree(*(np.array(part) for part in zip(*boxes, strict=True)))


@pytest.fixture(scope="module")
def evaluated():
    """Optuna's evaluator, and what it says of a study of three dimensions."""
    pytest.importorskip("sklearn")
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    x, y = problem(120)
    y = y + 0.02 * np.random.default_rng(1).normal(size=len(y))
    spaces = {n: optuna.distributions.FloatDistribution(0, 1) for n in "abc"}
    study = optuna.create_study()
    study.add_trials(
        [optuna.create_trial(params=dict(zip("abc", p, strict=True)), distributions=spaces, value=v)
         for p, v in zip(x.tolist(), y.tolist(), strict=True)]
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=24, seed=0)
        return evaluator._evaluator, evaluator.evaluate(study), x, y


def test_of_the_same_trees_shares_are_optunas(evaluated):
    fanova, said, _, _ = evaluated
    trees = [as_boxes(e.tree_, 3) for e in fanova._forest.estimators_]
    shares = np.mean([shares_of(t) for t in trees], 0)
    np.testing.assert_allclose(shares[:3], [said[n] for n in "abc"], atol=1e-9)
    single = [fanova._trees[0].get_marginal_variance(np.array([d])) for d in (1, 2)]
    joint = fanova._trees[0].get_marginal_variance(np.array([1, 2]))
    wanted = (joint - sum(single)) / fanova._trees[0].variance
    assert shares_of(trees[0])[5] == pytest.approx(wanted, abs=1e-9)


def test_of_our_own_forest_shares_are_near_optunas(evaluated):
    _, said, x, y = evaluated
    found = importance(x, y, "abc", smallest_leaf=1, clip=1, seeds=2)
    for name in "abc":
        assert found.shares[name,].mean == pytest.approx(said[name], abs=0.03)
