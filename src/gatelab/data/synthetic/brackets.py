"""Dyck languages: brackets of k kinds that close in the order in which they were opened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gatelab.data.synthetic.draws import whole
from gatelab.data.synthetic.example import Example, Synthetic, check_range

OPEN, CLOSE = "([{<", ")]}>"
END = "$"


@dataclass(frozen=True)
class Brackets(Synthetic):
    """``$([])()`` → what may come next, or what does; or whether a word is one of the language.

    The number of pairs is uniform from ``shortest`` to ``longest``; among words of that many pairs all are
    alike, their kinds as well: with r symbols to go and d brackets open, the next opens with probability
    (r − d)(d + 2) / (2 r (d + 1)), the share of words that go on so.

    - ``asks="set"``: at each step the set of symbols that may come next: any opening one, the closing one of
      the last open bracket, the end ``$`` where none is open. Inputs begin with ``$``.
    - ``asks="next"``: at each step the symbol that comes, the end included.
    - ``asks="membership"``: at the last step, whether the word belongs. Half do; the others are a word in
      which one symbol was replaced by another, or (half of them) a pair that stands in no other had its two
      brackets exchanged, which keeps the number of each. Neither is ever a word of the language.

    Symbols are k opening brackets, k closing ones, the end.

    Examples
    --------
    >>> from gatelab.data.synthetic import Brackets
    >>> task = Brackets(seed=1, kinds=2, shortest=4, longest=4)
    >>> one = task.examples("train", first=0, count=1)[0]
    >>> task.decode(one.inputs), one.targets.shape
    ('$[][[]][]', (9, 5))
    >>> "".join(c for c, legal in zip(task.classes, one.targets[1], strict=True) if legal)
    '([]'

    Notes
    -----
    F. A. Gers and J. Schmidhuber, "LSTM Recurrent Networks Learn Simple Context-Free and Context-Sensitive
    Languages", IEEE Transactions on Neural Networks 12(6), 2001, ask for the set of legal symbols; M. Suzgun
    et al., "LSTM Networks Can Perform Dynamic Counting", 2019, arXiv:1906.03648, so for Dyck words. Drawing
    them evenly: D. B. Arnold and M. R. Sleep, "Uniform Random Generation of Balanced Parenthesis Strings",
    ACM TOPLAS 2(1), 1980.
    """

    kinds: int = 2
    shortest: int = 1
    longest: int = 25
    asks: Literal["set", "next", "membership"] = "set"
    name: ClassVar[str] = "dyck"

    def __post_init__(self) -> None:
        check_range("dyck: kinds and 4", 1, self.kinds, len(OPEN))
        check_range("dyck: shortest and longest number of pairs", 1, self.shortest, self.longest)

    @property
    def answer(self) -> Literal["class", "set", "value"]:
        """A set of symbols, or a class."""
        return "set" if self.asks == "set" else "class"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Opening, closing, end."""
        return (*OPEN[: self.kinds], *CLOSE[: self.kinds], END)

    @property
    def classes(self) -> tuple[str, ...]:
        """The symbols, or no and yes."""
        return ("no", "yes") if self.asks == "membership" else self.symbols

    @property
    def width(self) -> int:
        """The number of pairs, four for what is broken; for each symbol whether it opens, and its kind."""
        return 5 + 4 * self.longest

    def make(self, draws: NDArray[np.float64]) -> tuple[Example, ...]:
        """Return a sequence for each row of draws."""
        pairs = self.shortest + whole(draws[:, 0], self.longest - self.shortest + 1)
        chances, kinds = np.split(draws[:, 5:], 2, axis=1)
        words, tops = _words(pairs, chances, whole(kinds, self.kinds), self.kinds)
        rows = zip(words, tops, (2 * pairs).tolist(), draws[:, 1:5], strict=True)
        if self.asks == "membership":
            return tuple(self._judged(word[:n], draw) for word, _, n, draw in rows)
        return tuple(self._continued(word[:n], top[: n + 1]) for word, top, n, _ in rows)

    def _continued(self, word: NDArray[np.int64], top: NDArray[np.int64]) -> Example:
        """Return a word with what may come, or comes, after each prefix; ``top`` is the last open kind."""
        end = 2 * self.kinds
        inputs, mask = np.concatenate(([end], word)), np.ones(len(word) + 1, np.bool_)
        if self.asks == "next":
            return Example(inputs, np.append(word, end), mask)
        legal = np.zeros((len(inputs), end + 1), np.bool_)
        legal[:, : self.kinds] = True
        legal[np.arange(len(inputs)), np.where(top < 0, end, self.kinds + top)] = True
        return Example(inputs, legal, mask)

    def _judged(self, word: NDArray[np.int64], draw: NDArray[np.float64]) -> Example:
        belongs = draw[0] < 0.5
        if not belongs:
            word = self._exchanged(word, draw[2]) if draw[1] < 0.5 else self._replaced(word, draw[2], draw[3])
        targets = np.full(len(word), int(belongs))
        return Example(word, targets, np.arange(len(word)) == len(word) - 1)

    def _replaced(self, word: NDArray[np.int64], where: float, what: float) -> NDArray[np.int64]:
        """Replace one symbol by another: then a count or a kind no longer agrees."""
        place = int(where * len(word))
        found = word.copy()
        found[place] = (word[place] + 1 + int(what * (2 * self.kinds - 1))) % (2 * self.kinds)
        return found

    def _exchanged(self, word: NDArray[np.int64], which: float) -> NDArray[np.int64]:
        """Exchange the brackets of an outermost pair: then one closes that nobody opened."""
        depth = np.cumsum(np.where(word < self.kinds, 1, -1))
        ends = np.flatnonzero(depth == 0)
        pair = int(which * len(ends))
        first, last = (ends[pair - 1] + 1 if pair else 0), ends[pair]
        found = word.copy()
        found[[first, last]] = word[[last, first]]
        return found

    def baselines(self) -> dict[str, float]:
        """Return what guessing reaches on membership: NLL log 2 in nats, accuracy ½."""
        return {"chance NLL": math.log(2), "chance accuracy": 0.5} if self.asks == "membership" else {}


def _words(
    pairs: NDArray[np.int64], chances: NDArray[np.float64], kinds: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return words ``[B, 2N]`` and the kind of the last open bracket before each symbol ``[B, 2N + 1]``."""
    count, steps = chances.shape
    rows = np.arange(count)
    words = np.zeros((count, steps), np.int64)
    tops = np.full((count, steps + 1), -1)
    stack = np.full((count, steps // 2 + 2), -1)  # stack[:, 0] stays -1: nothing is open
    depth = np.zeros(count, np.int64)
    for t in range(steps):
        left = np.maximum(2 * pairs - t, 0)
        opens = chances[:, t] * (2 * left * (depth + 1)) < (left - depth) * (depth + 2)
        top = stack[rows, depth]
        words[:, t] = np.where(opens, kinds[:, t], k + top)
        depth = np.maximum(depth + np.where(opens, 1, -1), 0)
        stack[rows[opens], depth[opens]] = kinds[opens, t]
        tops[:, t + 1] = stack[rows, depth]
    return words, tops
