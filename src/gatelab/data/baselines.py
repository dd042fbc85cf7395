"""Two baselines for binary sequences, to print beside every result on polyphonic music.

Both treat the keys as independent Bernoulli variables. Their probabilities are counted on the training
split with half a count added to each outcome (Krichevsky and Trofimov's estimate), so that a key that never
sounded in training costs a finite and small amount. The negative log-likelihood (NLL) is in nats a time step,
summed over the keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import DataError, ShapeError

Bits = NDArray[np.bool_]
Counts = NDArray[np.float64]

PRIOR = 0.5
"""What is added to the count of "on" and to the count of "off"."""


def marginal_nll(train: Sequence[np.ndarray], test: Sequence[np.ndarray]) -> float:
    """Return the NLL of a model that knows only how often each key sounds (a 1-gram).

    With n steps in ``train``, key k on in c_k of them: p_k = (c_k + 1/2) / (n + 1). The mean is over *all*
    steps of ``test``, the first of each sequence included.

    Parameters
    ----------
    train, test
        Sequences ``[T, K]`` of 0 and 1, T time steps and K keys; T may differ from sequence to sequence.

    Returns
    -------
    float
        Nats a time step.

    Raises
    ------
    ShapeError
        The sequences are not matrices with the same number of keys.
    DataError
        A split has no steps.

    Examples
    --------
    >>> import numpy as np
    >>> train = [np.array([[1], [0], [1], [0]])]
    >>> round(marginal_nll(train, [np.array([[1]])]), 4)  # log 2
    0.6931

    Notes
    -----
    This is the 1-gram row of Boulanger-Lewandowski, Bengio and Vincent 2012, "Modeling Temporal Dependencies
    in High-Dimensional Sequences", arXiv:1206.6392.
    """
    keys = _keys(train, test)
    seen, asked = _steps(train, keys, "train"), _steps(test, keys, "test")
    p = _probability(_count(seen), len(seen))  # [K]
    return _cost(p, _count(asked), len(asked)) / len(asked)


def markov_nll(train: Sequence[np.ndarray], test: Sequence[np.ndarray]) -> float:
    """Return the NLL of a first-order Markov chain for each key, which knows only the step before.

    1. Over all pairs of neighbouring steps in ``train`` (never across two sequences) count for each key and
       each value v ∈ {0, 1} the pairs whose first step is v, n_v, and those of them whose second is 1, c_v.
    2. P(on | v) = (c_v + 1/2) / (n_v + 1).
    3. Average −log P over all pairs of ``test``.

    The first step of a sequence has no predecessor, and the chain says nothing of it; it is left out of sum
    and count. Only this convention gives 10.491 (JSB Chorales), 5.153 (Nottingham), 8.559 (MuseData) and
    8.265 (Piano-midi.de), the figures this package prints. A network's NLL counts the first step too; were
    the chain's first steps predicted by the marginals, its figures would move by at most 0.022 nats.

    Parameters and what is returned are those of :func:`marginal_nll`.

    Raises
    ------
    ShapeError
        The sequences are not matrices with the same number of keys.
    DataError
        A split has no two neighbouring steps.

    Examples
    --------
    >>> import numpy as np
    >>> blink = [np.array([[0], [1]] * 50)]
    >>> markov_nll(blink, blink) < 0.02 < marginal_nll(blink, blink)
    True
    """
    keys = _keys(train, test)
    before, after = _pairs(train, keys, "train")
    earlier, later = _pairs(test, keys, "test")
    total = 0.0
    for value in (False, True):
        n, c = _count(before == value), _count((before == value) & after)
        asked, on = _count(earlier == value), _count((earlier == value) & later)
        total += _cost(_probability(c, n), on, asked)
    return total / len(earlier)


def _keys(*splits: Sequence[np.ndarray]) -> int:
    """Return K; every sequence must be ``[T, K]``."""
    shapes = [np.shape(sequence) for split in splits for sequence in split]
    widths = {shape[1] for shape in shapes if len(shape) == 2}
    odd = next((shape for shape in shapes if len(shape) != 2), None)
    if odd is not None or len(widths) > 1:
        came = f"the shape {odd}" if odd is not None else f"sequences with {sorted(widths)} keys"
        raise ShapeError(f"baseline: wanted sequences [T, K] with the same K in train and test, came {came}")
    return widths.pop() if widths else 0


def _steps(split: Sequence[np.ndarray], keys: int, name: str) -> Bits:
    """Return all steps of a split, one after the other ``[N, K]``."""
    if not sum(len(sequence) for sequence in split):
        raise DataError(f"baseline: the {name} split has no time steps; try another split")
    return np.concatenate([np.asarray(sequence, dtype=np.bool_).reshape(-1, keys) for sequence in split])


def _pairs(split: Sequence[np.ndarray], keys: int, name: str) -> tuple[Bits, Bits]:
    """Return the first and the second steps of all neighbouring pairs, both ``[N, K]``."""
    longer = [sequence for sequence in split if len(sequence) > 1]
    if not longer:
        raise DataError(f"baseline: no sequence of the {name} split has two time steps; try longer ones")
    first, second = [s[:-1] for s in longer], [s[1:] for s in longer]
    return _steps(first, keys, name), _steps(second, keys, name)


def _count(bits: Bits) -> Counts:
    """Return how often each key is on ``[K]``."""
    return np.asarray(np.count_nonzero(bits, axis=0), dtype=np.float64)


def _probability(on: Counts, total: Counts | int) -> Counts:
    """Return Krichevsky and Trofimov's estimate of P(on) ``[K]``, strictly between 0 and 1."""
    return (on + PRIOR) / (total + 2 * PRIOR)


def _cost(p: Counts, on: Counts, total: Counts | int) -> float:
    """Return −log P of ``on`` ones among ``total`` draws, summed over the keys, in nats."""
    return float(-np.sum(on * np.log(p) + (total - on) * np.log1p(-p)))
