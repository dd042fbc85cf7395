"""The sum of two marked numbers among many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gatelab.data.synthetic.draws import whole
from gatelab.data.synthetic.example import Example, Synthetic, check_range


@dataclass(frozen=True)
class Adding(Synthetic):
    """Read pairs (value, mark), say at the end the sum of the two values whose mark is 1.

    Values are uniform on [0, 1]; one mark stands in the first half of the steps, one in the second, both
    anywhere in it. The target is the sum at every step, but only the last is scored.

    Hochreiter and Schmidhuber draw values from [−1, 1], mark the ends with −1, let the length vary by a tenth
    and ask for ½ + sum / 4; this is the form in which later papers ask it.

    Examples
    --------
    >>> from gatelab.data.synthetic import Adding
    >>> one = Adding(seed=1, steps=6).examples("train", first=0, count=1)[0]
    >>> values, marks = one.inputs.T
    >>> marks.sum(), one.mask.sum(), bool(abs(values @ marks - one.targets[-1, 0]) < 1e-6)
    (np.float32(2.0), np.int64(1), True)
    >>> round(Adding().baselines()["always 1"], 4)
    0.1667

    Notes
    -----
    S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997, experiment 4;
    the form of M. Arjovsky, A. Shah, Y. Bengio, arXiv:1511.06464.
    """

    steps: int = 100
    name: ClassVar[str] = "adding"

    def __post_init__(self) -> None:
        check_range("adding: steps", 2, self.steps)

    @property
    def answer(self) -> Literal["class", "set", "value"]:
        """A number."""
        return "value"

    @property
    def symbols(self) -> tuple[str, ...]:
        """None: inputs are values and marks."""
        return ()

    @property
    def width(self) -> int:
        """One for each value, and two places."""
        return self.steps + 2

    def make(self, draws: NDArray[np.float64]) -> tuple[Example, ...]:
        """Return a sequence for each row of draws."""
        half = self.steps // 2
        rows = np.arange(len(draws))
        inputs = np.zeros((len(draws), self.steps, 2), np.float32)
        inputs[:, :, 0] = draws[:, 2:]
        places = whole(draws[:, 0], half), half + whole(draws[:, 1], self.steps - half)
        for place in places:
            inputs[rows, place, 1] = 1
        sums = inputs[rows, places[0], 0] + inputs[rows, places[1], 0]
        targets = np.repeat(sums, self.steps).reshape(len(draws), self.steps, 1)
        mask = np.arange(self.steps) == self.steps - 1
        return tuple(Example(x, y, mask) for x, y in zip(inputs, targets, strict=True))

    def baselines(self) -> dict[str, float]:
        """Return the mean squared error of always saying 1: the variance of the sum, 2 · 1/12 = 0.1667.

        Papers print 0.1767, which is not this variance.
        """
        return {"always 1": 2 / 12}
