"""Many tests at once: p values adjusted so that a family of them errs with the level of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gatelab.errors import ShapeError


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p values, in the order given.

    1. Sort the m values; the k-th smallest, k = 1 … m, is multiplied by m − k + 1.
    2. Each becomes at least as large as those before it, and at most 1.

    Whoever calls significant what is at most α so calls a true null hypothesis of the family significant with
    probability α at most, however the tests depend on each other.

    Parameters
    ----------
    p
        Values of all tests of the family; nan where none could be made: it stays so and does not count.

    Raises
    ------
    ShapeError
        A value is no probability.

    Examples
    --------
    >>> from gatelab.stats.holm import holm
    >>> [round(p, 6) for p in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]

    Notes
    -----
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6,
    1979.
    """
    values = np.asarray(p, np.float64).reshape(-1)
    made = np.flatnonzero(~np.isnan(values))
    if ((values[made] < 0) | (values[made] > 1)).any():
        raise ShapeError(f"Holm: wanted p values between 0 and 1, got {values[made].tolist()[:9]}")
    order = made[np.argsort(values[made], kind="stable")]
    raised = values[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(len(values), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return [float(v) for v in adjusted]
