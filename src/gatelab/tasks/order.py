"""Batches of whole sequences of similar length, in a seeded random order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the batches of an epoch, each a list of places in ``lengths``.

    1. Sort the sequences by length, those of equal length in random order.
    2. Cut the row into batches, beginning at a random place.
    3. Shuffle the batches.

    The order follows from ``seed`` and ``epoch`` alone, so that all units meet the same data and a
    resumed training needs no memory of it.

    Examples
    --------
    >>> from gatelab.tasks.order import batches
    >>> sorted(map(sorted, batches([9, 2, 9, 2], batch_size=2, seed=0, epoch=1)))
    [[0, 2], [1, 3]]
    """
    random = np.random.default_rng([seed, epoch])
    order = np.lexsort((random.random(len(lengths)), np.asarray(lengths))).tolist()
    first = int(random.integers(batch_size)) if len(order) % batch_size else 0
    cuts = [0, *range(first or batch_size, len(order), batch_size), len(order)]
    found = [order[a:b] for a, b in pairwise(cuts) if a < b]
    return [found[k] for k in random.permutation(len(found))]


def in_order(lengths: Sequence[int], batch_size: int, most_steps: int | None = None) -> list[list[int]]:
    """Return batches of similar length in a fixed order, for evaluation.

    A batch has at most ``batch_size`` sequences and, where it has more than one, ``most_steps`` steps in all.
    """
    found: list[list[int]] = []
    steps = 0
    for k in np.argsort(np.asarray(lengths), kind="stable").tolist():
        full = most_steps is not None and steps + lengths[k] > most_steps
        if not found or full or len(found[-1]) == batch_size:
            found.append([])
            steps = 0
        found[-1].append(k)
        steps += lengths[k]
    return found
