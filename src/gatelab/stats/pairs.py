"""Two cells' trials side by side: those of the same number drew the same settings and the same seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import ShapeError
from gatelab.stats.trials import Floats, Sample, badness, how_many


@dataclass(frozen=True, eq=False)
class Pairs:
    """The trials that two cells have both made.

    Attributes
    ----------
    names
        Of the first and the second cell.
    badness
        ``[2, N]`` what trials are chosen by: the lower the better, infinite where there is no result.
    test
        ``[2, N]`` what is compared. A trial without a result has the worst of all of either cell, so that a
        cell whose trials mostly diverge does not gain by it; nan where no trial of both gave a result.
    lacking
        ``[2, N]`` whether a trial gave no result.
    lower
        Whether lower results are better.
    """

    names: tuple[str, str]
    badness: Floats
    test: Floats
    lacking: NDArray[np.bool_]
    lower: bool

    @classmethod
    def of(cls, first: Sample, second: Sample) -> Pairs:
        """Return the pairs of two samples: trials that only one of them made are left out.

        Raises
        ------
        ShapeError
            Of one lower results are better, of the other higher ones.

        Examples
        --------
        >>> from gatelab.stats.pairs import Pairs
        >>> from gatelab.stats.trials import Sample
        >>> lstm = Sample("lstm", [8.5, 8.6, 9.1], [8.6, 8.7, 9.0])
        >>> gru = Sample("gru", [8.7, float("nan")], [8.8, float("nan")])
        >>> pairs = Pairs.of(gru, lstm)
        >>> len(pairs), pairs.test.tolist()
        (2, [[8.8, 8.8], [8.6, 8.7]])
        """
        if first.lower != second.lower:
            raise ShapeError(
                f"{first.name} and {second.name}: wanted lower results to be better of both or of none"
            )
        _, *places = np.intersect1d(first.numbers, second.numbers, return_indices=True)
        both = [s.only(at) for s, at in zip((first, second), places, strict=True)]
        test = np.stack([s.test for s in both])
        lacking = np.isnan(test)
        if not lacking.all():
            test[lacking] = np.nanmax(test) if first.lower else np.nanmin(test)
        names = (first.name, second.name)
        return cls(names, np.stack([badness(s) for s in both]), test, lacking, first.lower)

    def __len__(self) -> int:
        return int(self.test.shape[1])

    @property
    def comparable(self) -> bool:
        """Whether there are two pairs at least, and a result."""
        return len(self) > 1 and not self.lacking.all()

    def count(self, share: float) -> int:
        """Return how many trials of each cell this share is."""
        return how_many(len(self), share)

    def order(self, cell: int) -> NDArray[np.intp]:
        """Return the places of the first (0) or second (1) cell's trials, best first; ties by number."""
        return np.argsort(self.badness[cell], kind="stable")

    def best(self, share: float) -> tuple[Floats, Floats]:
        """Return what is compared of either cell's best trials, best on validation first."""
        k = self.count(share)
        return self.test[0, self.order(0)[:k]], self.test[1, self.order(1)[:k]]

    def without_result(self, share: float) -> tuple[int, int]:
        """Return how many of either cell's best trials gave no result, as too few did."""
        k = self.count(share)
        first, second = (int(self.lacking[c, self.order(c)[:k]].sum()) for c in (0, 1))
        return first, second
