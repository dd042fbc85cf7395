import numpy as np
import pytest

from gatelab.errors import ShapeError
from gatelab.stats import forest as forests
from gatelab.stats.forest import grow_forest


def problem(n=60, dims=3, seed=0):
    random = np.random.default_rng(seed)
    x = random.uniform(size=(n, dims))
    return x, np.sin(5 * x[:, 0]) + x[:, 1] * x[:, -1] + 0.1 * random.normal(size=n)


@pytest.mark.parametrize("leaf", [1, 4])
def test_leaves_fill_the_cube_and_hold_their_values_mean(leaf):
    x, y = problem()
    forest = grow_forest(x, y, trees=5, smallest_leaf=leaf)
    for tree, counts in zip(forest.trees, forest.counts, strict=True):
        assert tree.volume.sum() == pytest.approx(1, abs=1e-12)
        inside = ((tree.low[:, None] < x) & (x <= tree.high[:, None])).all(-1)  # [L, N]
        assert (inside.sum(0) == 1).all()
        assert (inside[:, counts > 0].sum(1) >= leaf).all()
        mean = (inside * counts) @ y / (inside @ counts)
        np.testing.assert_allclose(tree.value, mean, atol=1e-12)
        np.testing.assert_array_equal(tree.predict(x), tree.value[inside.argmax(0)])


def test_one_seed_gives_one_forest():
    x, y = problem()
    first, again, other = (grow_forest(x, y, trees=3, seed=s) for s in (1, 1, 2))
    assert (first.counts.sum(1) == len(y)).all()
    np.testing.assert_array_equal(first.trees[2].value, again.trees[2].value)
    assert not np.array_equal(first.counts, other.counts)


def test_constant_values_are_one_leaf():
    x, _ = problem()
    assert [len(t.value) for t in grow_forest(x, np.full(len(x), 2.5), trees=2).trees] == [1, 1]
    assert grow_forest(x[:1], [3.0], trees=2).trees[0].predict(x[:2]).tolist() == [3.0, 3.0]


def test_values_at_one_place_are_not_cut():
    x = np.repeat([[0.2], [0.8]], 10, 0)
    y = np.random.default_rng(0).normal(size=20)
    tree = grow_forest(x, y, trees=1).trees[0]
    assert len(tree.value) == 2
    assert tree.high[0, 0] == 0.5


def test_what_is_explained():
    x, y = problem(200)
    assert 0.7 < grow_forest(x, y, 32).explained(x, y) < 1
    noise = np.random.default_rng(1).normal(size=200)
    assert grow_forest(x, noise, 32, smallest_leaf=5).explained(x, noise) < 0.1
    assert np.isnan(grow_forest(x[:1], y[:1], 2).explained(x[:1], y[:1]))


def test_trees_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.tree")
    x, y = problem(150, 4)
    for leaf in (5, 12):  # of two values alone, any dimension tells them apart as well as another
        ours = forests._grow(x, y, np.ones((1, len(y)), np.int64), leaf)[0]
        theirs = sklearn.DecisionTreeRegressor(min_samples_leaf=leaf).fit(x.astype(np.float32), y)
        points = np.random.default_rng(2).uniform(size=(500, 4))
        np.testing.assert_allclose(ours.predict(points), theirs.predict(points), atol=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ([0.1, 0.2], [1.0, 2.0], r"\[N, D\]"),
        ([[0.1], [0.2]], [1.0], "as many"),
        ([[0.1], [1.2]], [1.0, 2.0], "from 0 to 1"),
        ([[0.1], [0.2]], [1.0, float("nan")], "leave others out"),
    ],
)
def test_what_cannot_be_grown_is_refused(x, y, said):
    with pytest.raises(ShapeError, match=said):
        grow_forest(x, y)
