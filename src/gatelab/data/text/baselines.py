"""Baselines for texts: 1-gram and bigram, by counts with a little added, and the most frequent class.

The costs are negative log-likelihoods a symbol: nats, from which come bits and the perplexity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import DataError

BLOCK = 2**22
"""Symbols counted at a time, so that a memory map of any length will do."""
DENSE = 2**24
"""The most pairs of symbols that are counted in a table; more of them are sorted."""

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Cost:
    """What a symbol costs: ``nats`` is the mean negative log-likelihood."""

    nats: float

    @property
    def bits(self) -> float:
        """The same in bits."""
        return self.nats / math.log(2)

    @property
    def perplexity(self) -> float:
        """Among how many equally probable symbols one would have to choose."""
        return math.exp(self.nats)


def unigram_cost(train: np.ndarray, test: np.ndarray, symbols: int, smoothing: float = 0.5) -> Cost:
    """Return the cost of a model that knows only how often each symbol occurs.

    With V symbols, n in ``train``, c_k of them k, and a added to each count: p_k = (c_k + a) / (n + a V).

    Parameters
    ----------
    train, test
        Ids ``[N]``; a memory map is read in blocks.
    symbols
        The size V of the vocabulary.
    smoothing
        What is added to each count, a > 0.

    Raises
    ------
    DataError
        A part is empty, an id is not below V, or nothing is added.

    Examples
    --------
    >>> import numpy as np
    >>> text = np.array([0, 1, 2, 3] * 10)
    >>> cost = unigram_cost(text, text, 4)
    >>> round(cost.bits, 6), round(cost.perplexity, 6)
    (2.0, 4.0)
    """
    _check(train, test, symbols, smoothing, 1)
    counts, asked = (_counted(part, symbols) for part in (train, test))
    log_p = np.log(counts + smoothing) - math.log(len(train) + smoothing * symbols)
    return Cost(float(-(asked * log_p).sum() / len(test)))


def bigram_cost(train: np.ndarray, test: np.ndarray, symbols: int, smoothing: float = 0.5) -> Cost:
    """Return the cost of a first-order Markov chain, which knows only the symbol before.

    With c_jk pairs of j and k in ``train``, c_j of them with any k: P(k | j) = (c_jk + a) / (c_j + a V). The
    first symbol of ``test`` has no predecessor and is left out of sum and count.

    Parameters
    ----------
    train, test
        Ids ``[N]``, N ≥ 2; a memory map is read in blocks.
    symbols
        The size V of the vocabulary.
    smoothing
        What is added to each count, a > 0. The more symbols, the less it should be: of Penn Treebank's 10,000
        words 0.5 is far too much.

    Raises
    ------
    DataError
        A part has less than two symbols, an id is not below V, or nothing is added.

    Examples
    --------
    >>> import numpy as np
    >>> text = np.array([0, 1, 2, 3] * 1000)
    >>> bigram_cost(text, text, 4).bits < 0.01
    True
    """
    _check(train, test, symbols, smoothing, 2)
    pairs, counts = _pairs(train, symbols)
    asked, times = _pairs(test, symbols)
    before = _counted(train[:-1], symbols)
    place = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
    seen = np.where(pairs[place] == asked, counts[place], 0)
    log_p = np.log(seen + smoothing) - np.log(before[asked // symbols] + smoothing * symbols)
    return Cost(float(-(times * log_p).sum() / times.sum()))


def _check(train: np.ndarray, test: np.ndarray, symbols: int, smoothing: float, least: int) -> None:
    if not (math.isfinite(smoothing) and smoothing > 0):
        raise DataError(f"baseline: smoothing: wanted a number above 0, came {smoothing}; try 0.5")
    for name, part in (("train", train), ("test", test)):
        if np.ndim(part) != 1 or len(part) < least:
            raise DataError(
                f"baseline: {name}: wanted ids [N] of {least} or more symbols, came {np.shape(part)}"
            )
        if any(block.min() < 0 or block.max() >= symbols for block in _blocks(part, 0)):
            raise DataError(
                f"baseline: {name}: wanted ids from 0 to {symbols - 1}; try the vocabulary's size"
            )


def _blocks(ids: np.ndarray, overlap: int) -> list[np.ndarray]:
    return [ids[start : start + BLOCK + overlap] for start in range(0, len(ids) - overlap, BLOCK)]


def _counted(ids: np.ndarray, symbols: int) -> Counts:
    """Return how often each symbol occurs ``[V]``."""
    total = np.zeros(symbols, np.int64)
    for block in _blocks(ids, 0):
        total += np.bincount(block, minlength=symbols)
    return total


def _pairs(ids: np.ndarray, symbols: int) -> tuple[Counts, Counts]:
    """Return the different pairs of neighbours, coded j V + k, in order, and their counts."""
    coded = (block[:-1].astype(np.int64) * symbols + block[1:] for block in _blocks(ids, 1))
    if symbols**2 <= DENSE:
        total = np.zeros(symbols**2, np.int64)
        for block in coded:
            total += np.bincount(block, minlength=symbols**2)
        pairs = np.flatnonzero(total)
        return pairs, total[pairs]
    pairs = counts = np.zeros(0, np.int64)
    for block in coded:
        new, times = np.unique(block, return_counts=True)
        pairs, where = np.unique(np.concatenate([pairs, new]), return_inverse=True)
        counts = np.bincount(where, np.concatenate([counts, times])).astype(np.int64)
    return pairs, counts
