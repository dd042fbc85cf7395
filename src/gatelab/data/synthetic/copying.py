"""Symbols to be remembered: over a long stretch of blanks, or at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gatelab.data.synthetic.draws import whole
from gatelab.data.synthetic.example import Example, Synthetic, check_range

LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
BLANK, GO = "_", ":"


@dataclass(frozen=True)
class Copying(Synthetic):
    """``abc____:___`` → ``________abc``: repeat ``length`` symbols after ``blanks`` steps.

    Inputs are ``length`` symbols, ``blanks`` − 1 blanks, the mark ``:`` and ``length`` blanks, which makes
    ``blanks`` + 2 ``length`` steps; targets are blanks, and in the last ``length`` steps the symbols.
    All steps are scored.

    Examples
    --------
    >>> from gatelab.data.synthetic import Copying
    >>> task = Copying(seed=1, length=3, blanks=5)
    >>> one = task.examples("train", first=0, count=1)[0]
    >>> task.decode(one.inputs), task.decode(one.targets)
    ('dde____:___', '________dde')
    >>> round(Copying(blanks=500).baselines()["blanks, then chance"], 4)  # 10 log 8 / 520
    0.04

    Notes
    -----
    S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997, in the form of
    M. Arjovsky, A. Shah, Y. Bengio, "Unitary Evolution Recurrent Neural Networks", arXiv:1511.06464:
    8 symbols, length 10.
    """

    kinds: int = 8
    length: int = 10
    blanks: int = 100
    name: ClassVar[str] = "copy"

    def __post_init__(self) -> None:
        check_range("copy: kinds of symbols and 26", 1, self.kinds, len(LETTERS))
        check_range("copy: length", 1, self.length)
        check_range("copy: blanks", 1, self.blanks)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The letters in use, the blank and the mark."""
        return (*LETTERS[: self.kinds], BLANK, GO)

    @property
    def width(self) -> int:
        """One for each symbol."""
        return self.length

    def make(self, draws: NDArray[np.float64]) -> tuple[Example, ...]:
        """Return a sequence for each row of draws."""
        kept = whole(draws, self.kinds)
        steps = self.blanks + 2 * self.length
        inputs = np.full((len(kept), steps), self.kinds)
        targets = inputs.copy()
        inputs[:, : self.length] = targets[:, -self.length :] = kept
        inputs[:, self.length + self.blanks - 1] = self.kinds + 1
        mask = np.ones(steps, np.bool_)
        return tuple(Example(x, y, mask) for x, y in zip(inputs, targets, strict=True))

    def baselines(self) -> dict[str, float]:
        """Return the NLL in nats a step of who knows when, but not what: length · log kinds / steps."""
        cost = self.length * math.log(self.kinds)
        return {"blanks, then chance": cost / (self.blanks + 2 * self.length)}


@dataclass(frozen=True)
class Memorisation(Synthetic):
    """``abcde_____`` → ``.....abcde``: repeat 5 symbols of 26 at once; only these 5 steps are scored.

    The first of the filters through which Jozefowicz et al. passed their architectures: 95 % of the symbols
    had to be right.

    Examples
    --------
    >>> from gatelab.data.synthetic import Memorisation
    >>> task = Memorisation(seed=1)
    >>> one = task.examples("train", first=0, count=1)[0]
    >>> task.decode(one.inputs), task.decode(one.targets[one.mask])
    ('jmpfq_____', 'jmpfq')

    Notes
    -----
    R. Jozefowicz, W. Zaremba, I. Sutskever, "An Empirical Exploration of Recurrent Network Architectures",
    ICML 2015.
    """

    kinds: int = 26
    length: int = 5
    name: ClassVar[str] = "memorisation"

    def __post_init__(self) -> None:
        check_range("memorisation: kinds of symbols and 26", 1, self.kinds, len(LETTERS))
        check_range("memorisation: length", 1, self.length)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The letters in use, and the blank."""
        return (*LETTERS[: self.kinds], BLANK)

    @property
    def width(self) -> int:
        """One for each symbol."""
        return self.length

    def make(self, draws: NDArray[np.float64]) -> tuple[Example, ...]:
        """Return a sequence for each row of draws."""
        kept = whole(draws, self.kinds)
        blank = np.full_like(kept, self.kinds)
        inputs, targets = np.hstack([kept, blank]), np.hstack([blank, kept])
        mask = np.arange(2 * self.length) >= self.length
        return tuple(Example(x, y, mask) for x, y in zip(inputs, targets, strict=True))

    def baselines(self) -> dict[str, float]:
        """Return what guessing reaches: NLL log kinds in nats a symbol, accuracy 1 / kinds."""
        return {"chance NLL": math.log(self.kinds), "chance accuracy": 1 / self.kinds}
