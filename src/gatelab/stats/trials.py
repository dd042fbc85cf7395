"""What the trials of one cell on one task found, and which of them are the best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatelab.errors import ShapeError

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Sample:
    """A cell's trials on a task: two numbers of each.

    Parameters
    ----------
    name
        The cell's.
    valid
        ``[N]`` the trials' results on validation, by which they are chosen. What is not finite is taken as no
        result: the trial diverged, failed or was stopped. It then counts as worse than every other.
    test
        ``[N]`` the results that are compared; a trial that lacks one of the two lacks both.
    numbers
        ``[N]`` the trials' numbers; trials of two cells with the same number are a pair, which drew the same
        settings and the same seed. 0 … N − 1 where nothing is given.
    lower
        Whether lower results are better, as of a loss; not so of an accuracy.

    Raises
    ------
    ShapeError
        The arrays do not belong together, or a number is there twice.

    Examples
    --------
    >>> from gatelab.stats.trials import Sample
    >>> sample = Sample("lstm", valid=[8.6, float("inf"), 8.5, 9.1], test=[8.7, 8.0, 8.6, 9.0])
    >>> sample.ended, len(sample)
    (3, 4)
    >>> sample.best(0.5).tolist()
    [2, 0]
    """

    name: str
    valid: Floats
    test: Floats
    numbers: Indices
    lower: bool

    def __init__(
        self,
        name: str,
        valid: ArrayLike,
        test: ArrayLike,
        numbers: ArrayLike | None = None,
        lower: bool = True,
    ) -> None:
        chosen_by, compared = np.array(valid, np.float64), np.array(test, np.float64)
        given = np.arange(len(chosen_by.reshape(-1))) if numbers is None else np.array(numbers)
        if chosen_by.ndim != 1 or not chosen_by.shape == compared.shape == given.shape:
            raise ShapeError(
                f"trials of {name}: wanted as many results on validation, on test and numbers, "
                f"got {chosen_by.shape}, {compared.shape} and {given.shape}"
            )
        if given.size and (given.dtype.kind not in "iu" or len(np.unique(given)) < len(given)):
            raise ShapeError(f"trials of {name}: wanted whole numbers, each once; got {given.tolist()[:9]}")
        order = np.argsort(given, kind="stable")
        lacking = ~(np.isfinite(chosen_by) & np.isfinite(compared))
        chosen_by[lacking] = compared[lacking] = np.nan
        for field, value in (("valid", chosen_by), ("test", compared), ("numbers", given.astype(np.intp))):
            value = value[order]
            value.setflags(write=False)
            object.__setattr__(self, field, value)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "lower", bool(lower))

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def ended(self) -> int:
        """How many trials gave a result."""
        return int(np.isfinite(self.valid).sum())

    @property
    def order(self) -> Indices:
        """Places ``[N]`` of all trials from best to worst on validation; equal ones by their number."""
        return np.argsort(badness(self), kind="stable")

    def best(self, share: float = 0.1) -> Indices:
        """Return the places of the best trials on validation, best first; fewer where too few ended."""
        return self.order[: min(how_many(len(self), share), self.ended)]

    def only(self, places: ArrayLike) -> Sample:
        """Return the sample of the trials at these places."""
        at = np.asarray(places)
        return Sample(self.name, self.valid[at], self.test[at], self.numbers[at], self.lower)


def badness(sample: Sample) -> Floats:
    """Return what trials are chosen by, ``[N]``: the lower the better, infinite where there is no result."""
    signed = sample.valid if sample.lower else -sample.valid
    return np.where(np.isnan(signed), np.inf, signed)


def how_many(trials: int, share: float) -> int:
    """Return how many trials are this share of them: rounded, but two at least, if there are two.

    Raises
    ------
    ShapeError
        The share is none.

    Examples
    --------
    >>> how_many(200, 0.1), how_many(8, 0.1), how_many(1, 0.1)
    (20, 2, 1)
    """
    if not 0 < share <= 1:
        raise ShapeError(f"best trials: wanted a share of them above 0 and at most 1, got {share}")
    return min(trials, max(2, math.floor(share * trials + 0.5)))
