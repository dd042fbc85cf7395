"""Which hyper-parameters matter: functional analysis of variance of a random forest, exactly.

A tree's prediction is constant on boxes, so its mean over all other dimensions, and the variance of that
mean, are sums over boxes and pairs of boxes: nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gatelab.errors import ShapeError
from gatelab.stats.forest import Floats, Tree, grow_forest
from gatelab.stats.intervals import Interval, mean_interval

TREES = 64
SEEDS = 5
CLIP = 0.95
GRID = 48
"""Points of a marginal."""
PAIR_GRID = 20
"""Points of a pairwise marginal along each of its dimensions."""
FEWEST = 4
"""Values that an analysis takes."""

Names = tuple[str, ...]


class Marginal(NamedTuple):
    """Mean prediction along one dimension, over all positions in the others.

    Attributes
    ----------
    positions
        Middles of equal parts of the dimension, ``[G]``.
    mean, std
        Over the trees of all seeds, ``[G]``.
    """

    positions: Floats
    mean: Floats
    std: Floats


class Importance(NamedTuple):
    """What a functional analysis of variance found.

    Attributes
    ----------
    names
        Of the dimensions.
    n, clipped
        Number of values, and how many of them were brought down to the quantile.
    explained
        R² of the forest on values that its trees have not met, mean over seeds; where it is low, the shares
        are those of a forest that knows little.
    shares
        Share of the forest's variance by one dimension, ``("learning_rate",)``, or by the interaction of
        two; mean over seeds with the 95 % interval (Student's t), which says how much the forest's own
        chance moves it, not what other trials would.
    spreads
        Standard deviation of each share over the trees of all seeds; each tree met another sample of the
        values, so this says more of what other trials would have given.
    interactions
        Share of all interactions of two together.
    rest
        Share of the interactions of three and more.
    marginals
        By name.
    pairs
        Mean prediction over two dimensions, ``[first, second]``, at the middles of equal parts.
    """

    names: Names
    n: int
    clipped: int
    explained: float
    shares: Mapping[Names, Interval]
    spreads: Mapping[Names, float]
    interactions: Interval
    rest: Interval
    marginals: Mapping[str, Marginal]
    pairs: Mapping[tuple[str, str], Floats]


def importance(
    positions: ArrayLike,
    values: ArrayLike,
    names: Sequence[str],
    *,
    trees: int = TREES,
    seeds: int = SEEDS,
    smallest_leaf: int = 3,
    clip: float = CLIP,
) -> Importance:
    """Return the functional analysis of variance of values over a space.

    1. Values above the ``clip`` quantile, the higher the worse, are brought down to it: a few networks
       that have gone astray would else be most of the variance. 1 clips none.
    2. For each seed, a random forest is grown on the rest.
    3. Each tree's variance over the unit cube is split into the shares of single dimensions, of pairs, and
       the rest; a seed's share is the mean over its trees, without those that are constant.

    Trainings that left no value have no place here; the caller leaves them out and says how many.

    Parameters
    ----------
    positions
        ``[N, D]``, from 0 to 1, so that what was drawn is uniform; a categorical dimension as the middles of
        the parts of its list.
    values
        ``[N]``, finite.
    smallest_leaf
        Values in a leaf at least. Leaves of one value take their noise for interactions; large ones take
        weak effects for none.

    Raises
    ------
    ShapeError
        They do not belong together, or are fewer than four, or all the same.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.stats.importance import importance
    >>> x = np.random.default_rng(0).uniform(size=(300, 2))
    >>> found = importance(x, 3 * x[:, 0], ["a", "b"], clip=1)
    >>> f"{found.shares['a',].mean:.2f} {found.shares['b',].mean:.2f} {found.shares['a', 'b'].mean:.2f}"
    '1.00 0.00 0.00'

    Notes
    -----
    F. Hutter, H. Hoos and K. Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance",
    ICML 2014.
    """
    x, y = np.asarray(positions, np.float64), np.asarray(values, np.float64)
    if x.ndim != 2 or x.shape[1] != len(names) or len(y) < FEWEST:
        raise ShapeError(
            f"importance: wanted positions [N, {len(names)}] of {FEWEST} or more values, got {x.shape}"
        )
    top = np.quantile(y, clip)
    kept = np.minimum(y, top)
    if kept.min() == kept.max():
        raise ShapeError(f"importance: all {len(y)} values are the same, so there is no variance to share")
    split, grown, explained = [], list[Tree](), []
    for seed in range(seeds):
        forest = grow_forest(x, kept, trees, smallest_leaf, seed)
        split.append([s for t in forest.trees if (s := shares_of(t)) is not None])
        grown += forest.trees
        explained.append(forest.explained(x, kept))
    parts = _subsets(len(names))
    means = [np.mean(s, 0) for s in split if s]
    if not means:
        raise ShapeError(f"importance: {len(y)} values are too few for leaves of {smallest_leaf} or more")
    spreads = np.std([row for s in split for row in s], 0)
    named = [tuple(names[d] for d in part) for part in parts]
    return Importance(
        names=tuple(names),
        n=len(y),
        clipped=int((y > top).sum()),
        explained=float(np.mean(explained)),
        shares={n: mean_interval([float(m[k]) for m in means]) for k, n in enumerate(named)},
        spreads={n: float(spreads[k]) for k, n in enumerate(named)},
        interactions=mean_interval([float(m[len(names) :].sum()) for m in means]),
        rest=mean_interval([max(0.0, 1 - float(m.sum())) for m in means]),
        marginals={n: _marginal(grown, d) for d, n in enumerate(names)},
        pairs={(names[a], names[b]): pair_mean(grown, a, b) for a, b in combinations(range(len(names)), 2)},
    )


def shares_of(tree: Tree) -> Floats | None:
    """Return the shares of a tree's variance: of each dimension, then of each pair; None if it is constant.

    With c the value of a leaf, less the mean, times its widths in the dimensions outside a set S, the mean
    over these has the variance Σ_ij c_i c_j Π_{d ∈ S} |overlap of leaves i and j in d|; what pairs have
    beyond their single dimensions is their interaction.
    """
    width, volume = tree.high - tree.low, tree.volume
    value = tree.value - volume @ tree.value
    total = float(volume @ value**2)
    if total <= 1e-300 or len(value) == 1:
        return None
    dims = range(width.shape[1])
    overlap = [
        np.maximum(
            0.0,
            np.minimum.outer(tree.high[:, d], tree.high[:, d])
            - np.maximum.outer(tree.low[:, d], tree.low[:, d]),
        )
        for d in dims
    ]
    found: dict[tuple[int, ...], float] = {}
    for part in _subsets(len(dims)):
        c = value * np.delete(width, part, 1).prod(1)
        joint = overlap[part[0]] if len(part) == 1 else overlap[part[0]] * overlap[part[1]]
        inside = sum(found[d,] for d in part) if len(part) > 1 else 0.0
        found[part] = max(0.0, float(c @ joint @ c) - inside)
    return np.array(list(found.values())) / total


def marginal_mean(tree: Tree, dimension: int, points: Floats) -> Floats:
    """Return a tree's mean over all other dimensions at points of one, ``[G]``."""
    c = tree.value * np.delete(tree.high - tree.low, dimension, 1).prod(1)
    mean: Floats = c @ _inside(tree, dimension, points)
    return mean


def pair_mean(trees: Sequence[Tree], first: int, second: int) -> Floats:
    """Return the trees' mean over all but two dimensions, at the middles of equal parts of both."""
    points, total = _middles(PAIR_GRID), np.zeros((PAIR_GRID, PAIR_GRID))
    for tree in trees:
        c = tree.value * np.delete(tree.high - tree.low, (first, second), 1).prod(1)
        total += (c[:, None] * _inside(tree, first, points)).T @ _inside(tree, second, points)
    return total / len(trees)


def _marginal(trees: Sequence[Tree], dimension: int) -> Marginal:
    points = _middles(GRID)
    curves = np.array([marginal_mean(t, dimension, points) for t in trees])
    return Marginal(points, curves.mean(0), curves.std(0))


def _inside(tree: Tree, dimension: int, points: Floats) -> Floats:
    low, high = tree.low[:, dimension, None], tree.high[:, dimension, None]
    return ((low < points) & (points <= high)).astype(np.float64)  # [L, G]


def _middles(count: int) -> Floats:
    return (np.arange(count) + 0.5) / count


def _subsets(dimensions: int) -> list[tuple[int, ...]]:
    singles: list[tuple[int, ...]] = [(d,) for d in range(dimensions)]
    return singles + list(combinations(range(dimensions), 2))
