"""Whether the number of ones is odd: the smallest problem that needs a state for ever."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gatelab.data.synthetic.draws import whole
from gatelab.data.synthetic.example import Example, Synthetic, check_range


@dataclass(frozen=True)
class Parity(Synthetic):
    """``0110`` → ``0100``: after each bit, whether the ones so far are odd.

    Bits are fair; the length is uniform from ``shortest`` to ``longest``. With ``every`` each step is scored,
    else the last alone, as in Schmidhuber and Hochreiter.

    Examples
    --------
    >>> from gatelab.data.synthetic import Parity
    >>> task = Parity(seed=1, shortest=8, longest=8)
    >>> one = task.examples("train", first=0, count=1)[0]
    >>> task.decode(one.inputs), task.decode(one.targets), int(one.mask.sum())
    ('01010110', '01100100', 1)

    Notes
    -----
    J. Schmidhuber and S. Hochreiter, "Guessing Can Outperform Many Long Time Lag Algorithms", IDSIA-19-96,
    1996, who show that guessing weights at random solves it.
    """

    shortest: int = 2
    longest: int = 50
    every: bool = False
    name: ClassVar[str] = "parity"

    def __post_init__(self) -> None:
        check_range("parity: shortest and longest", 1, self.shortest, self.longest)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The two bits."""
        return ("0", "1")

    @property
    def width(self) -> int:
        """The length, and the bits."""
        return 1 + self.longest

    def make(self, draws: NDArray[np.float64]) -> tuple[Example, ...]:
        """Return a sequence for each row of draws."""
        lengths = self.shortest + whole(draws[:, 0], self.longest - self.shortest + 1)
        bits = whole(draws[:, 1:], 2)
        odd = np.cumsum(bits, axis=1) % 2
        return tuple(
            Example(x[:n], y[:n], np.ones(n, np.bool_) if self.every else np.arange(n) == n - 1)
            for x, y, n in zip(bits, odd, lengths.tolist(), strict=True)
        )

    def baselines(self) -> dict[str, float]:
        """Return what guessing reaches: NLL log 2 in nats, accuracy ½."""
        return {"chance NLL": math.log(2), "chance accuracy": 0.5}
