"""Mean and deviation of the training set, by which all of a set is normalised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import DataError, ShapeError


@dataclass(frozen=True, eq=False)
class Scale:
    """What makes a column's mean 0 and its standard deviation 1: (x − mean) / deviation.

    Attributes
    ----------
    mean, deviation
        ``[columns]``, or ``[]`` of a single one, float64. The deviation is that of the whole (divided by
        n, not n − 1). A column that never changes has deviation 1, and so becomes 0.

    Examples
    --------
    >>> import numpy as np
    >>> scale = Scale.of([np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[5.0, 5.0]])])
    >>> scale.mean, scale.apply(np.array([[3.0, 5.0], [4.0, 6.0]])).round(3)
    (array([3., 5.]), array([[0.   , 0.   ],
           [0.612, 1.   ]], dtype=float32))
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, parts: Iterable[NDArray[Any]]) -> Scale:
        """Return the scale of the rows of all parts ``[rows, columns]`` (or ``[rows]``), which are read once.

        Raises
        ------
        DataError
            There is no row, or a column's sum is not finite.
        ShapeError
            The parts differ in their columns.

        Notes
        -----
        T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
        Sample Variances", 1979: parts are joined without loss, and none is kept.
        """
        count, mean, squares = 0, np.zeros(()), np.zeros(())
        for part in parts:
            if not len(part):
                continue
            if count and part.shape[1:] != mean.shape:
                raise ShapeError(f"scale: wanted rows of shape {mean.shape}, came {part.shape[1:]}")
            rows = part.astype(np.float64, copy=False)
            centre = rows.mean(axis=0)
            step = centre - mean
            total = count + len(rows)
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told below
                far = np.square(rows - centre).sum(axis=0)
                squares = squares + far + step**2 * count * len(rows) / total
            mean = mean + step * len(rows) / total
            count = total
        if not count:
            raise DataError("scale: wanted rows to measure, came none; try a larger training set")
        if not np.isfinite(squares).all():
            raise DataError(
                f"scale: wanted finite numbers whose squares are finite, too, came others among {count:,} "
                f"rows; try a larger unit, or to mend them"
            )
        deviation = np.sqrt(squares / count)
        return cls(np.asarray(mean), np.where(deviation > 0, deviation, 1.0))

    def apply(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the values normalised, float32 of the same shape."""
        return ((values - self.mean) / self.deviation).astype(np.float32)

    def to_data(self) -> dict[str, Any]:
        """Return mean and deviation as JSON holds them."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}


def by_column(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column of a table, 1 for one that never changes.

    >>> by_column(np.array([[0.1, 1.0], [0.1, 3.0]]))
    (array([0.1, 2. ]), array([1., 1.]))
    """
    return rows.mean(0), np.where(np.ptp(rows, axis=0) > 0, rows.std(0), 1.0)
