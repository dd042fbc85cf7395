"""Sums and differences with letters in between, of which only the answer is scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gatelab.data.synthetic.draws import whole
from gatelab.data.synthetic.example import Example, Synthetic, check_range, shifted
from gatelab.errors import ConfigError

LETTERS = "abcdefghijk"
SYMBOLS = tuple("0123456789+-=\n" + LETTERS)
_PLACE = np.zeros(128, np.int64)
_PLACE[[ord(symbol) for symbol in SYMBOLS]] = np.arange(len(SYMBOLS))


@dataclass(frozen=True)
class Arithmetic(Synthetic):
    """``3e36d9-h1h39f94eeh43keg3c=-13991064``: read two numbers, predict the digits after ``=``.

    1. Each number has 1 to ``digits`` digits, all counts alike, and is uniform among those with that many.
    2. It is a sum or a difference, alike; the answer may be negative.
    3. After each character before ``=`` stand 0 to ``distractors`` letters of a to k, all counts alike.
    4. A line ends in a line feed, so that lines can be read one after the other.

    Inputs are the line up to its last digit, targets the line from its second character on. The mask is True
    at the characters of the answer, its sign included; letters, ``=`` and the line feed do not count. Digits
    of the answer that came before are among the inputs.

    The paper gives 8 digits and the example above; the distributions of 1 to 3 are ours. There the numbers
    may be negative, too; here only the answer is.

    Examples
    --------
    >>> from gatelab.data.synthetic import Arithmetic
    >>> task = Arithmetic(seed=1)
    >>> one = task.examples("valid", first=0, count=1)[0]
    >>> task.decode(one.inputs), task.decode(one.targets[one.mask])
    ('2hhh5f53khd9k9hbc7b9dk+ch1ie=25539980', '25539980')

    Notes
    -----
    R. Jozefowicz, W. Zaremba, I. Sutskever, "An Empirical Exploration of Recurrent Network Architectures",
    ICML 2015; accuracies there 0.295 (tanh) to 0.921 (MUT1).
    """

    digits: int = 8
    distractors: int = 3
    name: ClassVar[str] = "arithmetic"

    def __post_init__(self) -> None:
        check_range("arithmetic: distractors", 0, self.distractors)
        if not 1 <= self.digits <= 15:
            raise ConfigError(f"arithmetic: wanted 1 to 15 digits, came {self.digits}; try 8")

    @property
    def symbols(self) -> tuple[str, ...]:
        """Digits, signs, ``=``, the line feed and the letters."""
        return SYMBOLS

    @property
    def _gaps(self) -> int:
        return 2 * self.digits + 1

    @property
    def width(self) -> int:
        """Five for the numbers and the sign; a count and letters for each gap."""
        return 5 + self._gaps * (1 + self.distractors)

    def make(self, draws: NDArray[np.float64]) -> tuple[Example, ...]:
        """Return a line for each row of draws."""
        lengths = 1 + whole(draws[:, :2], self.digits)
        least = np.where(lengths == 1, 0, 10 ** (lengths - 1))
        numbers = least + whole(draws[:, 2:4], 10**lengths - least)  # [count, 2]
        minus = draws[:, 4] < 0.5
        gaps = whole(draws[:, 5 : 5 + self._gaps], self.distractors + 1)
        letters = whole(draws[:, 5 + self._gaps :], len(LETTERS)).astype(np.uint8) + ord(LETTERS[0])
        rows = zip(numbers.tolist(), minus.tolist(), gaps.tolist(), letters, strict=True)
        return tuple(
            self._example(a, b, less, gap, row.tobytes().decode()) for (a, b), less, gap, row in rows
        )

    def _example(self, a: int, b: int, minus: bool, gaps: list[int], letters: str) -> Example:
        asked, answer = (f"{a}-{b}", a - b) if minus else (f"{a}+{b}", a + b)
        step = self.distractors
        between = (letters[k * step : k * step + gaps[k]] for k in range(len(asked)))
        question = "".join(c + gap for c, gap in zip(asked, between, strict=True)) + "="
        line = f"{question}{answer}\n"
        mask = np.zeros(len(line), np.bool_)
        mask[len(question) : -1] = True
        return shifted(_PLACE[np.frombuffer(line.encode("ascii"), np.uint8)], mask)
