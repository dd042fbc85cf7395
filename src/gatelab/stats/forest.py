"""A random forest of regression trees over the unit cube, each tree as the boxes of its leaves.

All trees grow at once, level by level, each level in a few array operations for each dimension; so a forest
takes milliseconds. The boxes are what an exact analysis of variance needs
(:mod:`gatelab.stats.importance`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatelab.errors import ShapeError

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class Tree(NamedTuple):
    """A regression tree as its leaves, boxes that fill the unit cube.

    Attributes
    ----------
    low, high
        Corners of each leaf, ``[L, D]``.
    value
        What the tree predicts in it, ``[L]``.
    """

    low: Floats
    high: Floats
    value: Floats

    @property
    def volume(self) -> Floats:
        """Of each leaf, ``[L]``; they add up to 1."""
        volume: Floats = (self.high - self.low).prod(1)
        return volume

    def predict(self, positions: Floats) -> Floats:
        """Return the prediction at each of ``positions``, ``[N, D]``."""
        inside = np.ones((len(positions), len(self.value)), bool)  # [N, L]
        for d in range(self.low.shape[1]):
            x = positions[:, d, None]
            inside &= (self.low[:, d] < x) | (self.low[:, d] == 0)
            inside &= (x <= self.high[:, d]) | (self.high[:, d] == 1)
        found: Floats = self.value[inside.argmax(1)]
        return found


@dataclass(frozen=True)
class Forest:
    """Trees, and how often each of them met each value.

    Attributes
    ----------
    counts
        ``[trees, N]``; 0 where a tree never met the value.
    """

    trees: list[Tree]
    counts: Whole

    def explained(self, positions: Floats, values: Floats) -> float:
        """Return R² of each value's prediction by the trees that never met it; nan where that cannot be."""
        predicted = np.array([t.predict(positions) for t in self.trees])  # [trees, N]
        unmet = self.counts == 0
        held = unmet.any(0)
        spread = float(((values[held] - values[held].mean()) ** 2).sum()) if held.any() else 0.0
        if spread == 0:
            return float("nan")
        mean = (predicted * unmet).sum(0)[held] / unmet.sum(0)[held]
        return 1 - float(((values[held] - mean) ** 2).sum()) / spread


def grow_forest(
    positions: ArrayLike, values: ArrayLike, trees: int = 64, smallest_leaf: int = 1, seed: int = 0
) -> Forest:
    """Return a random forest that predicts ``values`` at ``positions``.

    1. Each tree draws N of the N values with replacement.
    2. Each box is cut where the sum of squared differences to the means of both sides becomes least, over
       all dimensions, halfway between two neighbours; the values of a box are not cut further where they
       are all the same, or where no cut leaves ``smallest_leaf`` different draws on both sides.
    3. A leaf predicts the mean of its values.

    Parameters
    ----------
    positions
        ``[N, D]``, from 0 to 1.
    values
        ``[N]``, finite.

    Raises
    ------
    ShapeError
        The two do not belong together, or lie outside.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.stats.forest import grow_forest
    >>> x = np.linspace(0, 1, 50)[:, None]
    >>> forest = grow_forest(x, (x[:, 0] > 0.5) * 1.0, trees=8)
    >>> forest.trees[0].predict(np.array([[0.1], [0.9]]))
    array([0., 1.])

    Notes
    -----
    L. Breiman, "Random Forests", Machine Learning 45, 2001; with all dimensions tried at each cut, as
    scikit-learn's regressor does.
    """
    x, y = np.asarray(positions, np.float64), np.asarray(values, np.float64)
    if x.ndim != 2 or y.shape != x.shape[:1] or not x.size:
        raise ShapeError(
            f"forest: wanted positions [N, D] and as many values [N], got {x.shape} and {y.shape}"
        )
    if not (np.isfinite(y).all() and (x >= 0).all() and (x <= 1).all()):
        raise ShapeError("forest: wanted finite values at positions from 0 to 1; leave others out")
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(y), np.full(len(y), 1 / len(y)), trees).astype(np.int64)
    return Forest(_grow(x, y, counts, smallest_leaf), counts)


class _Level(NamedTuple):
    """The boxes of all trees at one depth, and the draws in them.

    ``orders`` holds for each dimension the draws sorted by box and position, ``starts`` where each box's
    draws begin, and at last their number.
    """

    orders: list[Whole]
    starts: Whole
    tree: Whole
    low: Floats
    high: Floats


def _grow(x: Floats, y: Floats, counts: Whole, smallest_leaf: int) -> list[Tree]:
    of_tree, of_value = np.nonzero(counts)
    weight = counts[of_tree, of_value].astype(np.float64)
    x, shift = x[of_value], y.mean()
    y = y[of_value] - shift
    dims = range(x.shape[1])
    sizes = np.bincount(of_tree, minlength=len(counts))
    level = _Level(
        [np.lexsort((x[:, d], of_tree)) for d in dims],
        np.concatenate([[0], np.cumsum(sizes)]),
        np.arange(len(counts)),
        np.zeros((len(counts), x.shape[1])),
        np.ones((len(counts), x.shape[1])),
    )
    leaves: list[tuple[Whole, Floats, Floats, Floats]] = []
    while len(level.tree):
        dimension, threshold, mean = _best_cuts(level, x, y, weight, smallest_leaf)
        done = dimension < 0
        leaves.append((level.tree[done], level.low[done], level.high[done], mean[done] + shift))
        level = _cut(level, x, dimension, threshold)
    tree, low, high, value = (np.concatenate(part) for part in zip(*leaves, strict=True))
    order = np.argsort(tree, kind="stable")
    ends = np.cumsum(np.bincount(tree, minlength=len(counts)))[:-1]
    parts = (np.split(part[order], ends) for part in (low, high, value))
    return [Tree(*found) for found in zip(*parts, strict=True)]


def _best_cuts(
    level: _Level, x: Floats, y: Floats, weight: Floats, smallest_leaf: int
) -> tuple[Whole, Floats, Floats]:
    """Return for each box the dimension of its best cut, −1 without, where it is, and the box's mean."""
    starts, sizes = level.starts[:-1], np.diff(level.starts)
    box = np.repeat(np.arange(len(sizes)), sizes)
    rank = np.arange(len(box)) - starts[box]
    roomy = (rank + 1 >= smallest_leaf) & (sizes[box] - rank - 1 >= smallest_leaf)
    first = level.orders[0]
    total, mass = np.add.reduceat((weight * y)[first], starts), np.add.reduceat(weight[first], starts)
    same = np.maximum.reduceat(y[first], starts) == np.minimum.reduceat(y[first], starts)
    best = np.full(len(sizes), -np.inf)
    dimension, threshold = np.full(len(sizes), -1), np.zeros(len(sizes))
    for d, order in enumerate(level.orders):
        at, w, wy = x[order, d], weight[order], (weight * y)[order]
        after = np.append(at[1:], np.inf)
        left, mass_left = _running(wy, starts, box), _running(w, starts, box)
        right, mass_right = total[box] - left, mass[box] - mass_left
        allowed = roomy & (after > at) & ~same[box]
        safe = np.where(allowed, mass_right, 1.0)
        gain = np.where(allowed, left**2 / mass_left + right**2 / safe, -np.inf)
        highest = np.maximum.reduceat(gain, starts)
        better = highest > best
        places = np.flatnonzero(allowed & (gain == highest[box]) & better[box])
        boxes, first_place = np.unique(box[places], return_index=True)
        places = places[first_place]
        best[boxes], dimension[boxes] = highest[boxes], d
        threshold[boxes] = (at[places] + after[places]) / 2
    return dimension, threshold, total / mass


def _running(values: Floats, starts: Whole, box: Whole) -> Floats:
    """Return the sum of a box's values up to and including each place."""
    sums = np.cumsum(values)
    return sums - (sums[starts] - values[starts])[box]


def _cut(level: _Level, x: Floats, dimension: Whole, threshold: Floats) -> _Level:
    """Return the next level: both sides of every box that is cut, their draws still sorted."""
    starts, sizes = level.starts[:-1], np.diff(level.starts)
    cut = dimension >= 0
    box = np.repeat(np.arange(len(sizes)), sizes)
    staying = cut[box]
    orders, left_sizes = [], np.zeros(len(sizes), np.int64)
    new_starts = np.cumsum(np.where(cut, sizes, 0)) - np.where(cut, sizes, 0)
    for order in level.orders:
        left = x[order, dimension[box]] <= threshold[box]
        before = _running(left.astype(np.float64), starts, box).astype(np.int64) - left
        left_sizes = np.add.reduceat(left.astype(np.int64), starts)
        rank = np.arange(len(box)) - starts[box]
        place = new_starts[box] + np.where(left, before, left_sizes[box] + rank - before)
        sorted_again = np.empty(int(staying.sum()), np.int64)
        sorted_again[place[staying]] = order[staying]
        orders.append(sorted_again)
    low, high = np.repeat(level.low[cut], 2, 0), np.repeat(level.high[cut], 2, 0)
    rows, dims = np.arange(int(cut.sum())), dimension[cut]
    high[2 * rows, dims] = low[2 * rows + 1, dims] = threshold[cut]
    both = np.stack([left_sizes[cut], sizes[cut] - left_sizes[cut]], 1).reshape(-1)
    return _Level(orders, np.concatenate([[0], np.cumsum(both)]), np.repeat(level.tree[cut], 2), low, high)
