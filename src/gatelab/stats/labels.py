"""Accuracy and F1 of labels, from counts that can be summed over sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatelab.errors import ShapeError


def label_counts(actual: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Return for each class how often it was right, wrongly said and missed, ``[K, 3]``.

    Of a sequence with a label per frame, or of a single label; stacked to ``[N, K, 3]``, the counts of
    sequences can be drawn again and summed.

    Parameters
    ----------
    actual, predicted
        Indices of classes, of one shape.
    classes
        K.

    Raises
    ------
    ShapeError
        The shapes differ, or an index is no class.

    Examples
    --------
    >>> label_counts([0, 1, 1, 2], [0, 1, 2, 2], 3).tolist()
    [[1, 0, 0], [1, 0, 1], [1, 1, 0]]
    """
    y, p = np.atleast_1d(np.asarray(actual)), np.atleast_1d(np.asarray(predicted))
    both = np.concatenate([y.ravel(), p.ravel()])
    if y.shape != p.shape or (
        both.size and (both.dtype.kind not in "iu" or both.min() < 0 or both.max() >= classes)
    ):
        raise ShapeError(f"labels: wanted indices below {classes} of one shape, got {y.shape} and {p.shape}")
    right = y == p
    columns = [p[right], p[~right], y[~right]]
    return np.stack([np.bincount(c.astype(np.int64), minlength=classes) for c in columns], axis=1)


def f1(counts: ArrayLike) -> NDArray[np.float64]:
    """Return F1 of each class, ``[K]``, of counts ``[K, 3]`` or ``[N, K, 3]``; NaN for one that never occurs.

    2 right / (2 right + wrongly said + missed), the harmonic mean of precision and recall. For two classes,
    the binary F1 is that of class 1.

    Examples
    --------
    >>> f1([[1, 0, 0], [1, 0, 1], [1, 1, 0]]).round(3)
    array([1.   , 0.667, 0.667])
    """
    array = np.asarray(counts)
    if array.ndim < 2 or array.shape[-1] != 3:
        raise ShapeError(f"F1: wanted counts [K, 3], right, wrongly said and missed, got shape {array.shape}")
    right, said, missed = array.reshape(-1, *array.shape[-2:]).sum(0).T.astype(np.float64)
    total = 2 * right + said + missed
    values: NDArray[np.float64] = np.divide(
        2 * right, total, out=np.full(len(total), np.nan), where=total > 0
    )
    return values


def macro_f1(counts: ArrayLike) -> float:
    """Return the mean of F1 over the classes that occur, actual or predicted.

    Raises
    ------
    ShapeError
        There is not a single label.

    Examples
    --------
    >>> round(macro_f1([[1, 0, 0], [1, 0, 1], [1, 1, 0], [0, 0, 0]]), 3)
    0.778
    """
    values = f1(counts)
    if np.isnan(values).all():
        raise ShapeError("F1: wanted at least one label, got none")
    return float(np.nanmean(values))
