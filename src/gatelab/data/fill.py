"""Gaps in a column of numbers, filled from what stands around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fill_gaps(values: NDArray[np.float64], gaps: NDArray[np.bool_]) -> None:
    """Fill the gaps of a column ``[T]`` in place by interpolation; those at its ends by the nearest value.

    Values as large as float64 has them do not overflow: a quarter of each is interpolated.

    Examples
    --------
    >>> column = np.array([1.0, np.nan, 3.0, np.nan])
    >>> fill_gaps(column, np.isnan(column))
    >>> column
    array([1., 2., 3., 3.])
    """
    rows, scale = np.arange(len(values)), 0.25 if np.abs(values[~gaps]).max() > 1e300 else 1.0
    values[gaps] = np.interp(rows[gaps], rows[~gaps], scale * values[~gaps]) / scale
