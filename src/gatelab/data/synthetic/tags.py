"""Random XML: tags that open and close, every character to be predicted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gatelab.data.synthetic.draws import whole
from gatelab.data.synthetic.example import Example, Synthetic, check_range, shifted

SHORTEST, LONGEST_NAME = 2, 10
NAMES = LONGEST_NAME - SHORTEST + 1  # lengths that a name may have
SYMBOLS = tuple("</>abcdefghijklmnopqrstuvwxyz")
_PLACE = np.zeros(128, np.int64)
_PLACE[[ord(symbol) for symbol in SYMBOLS]] = np.arange(len(SYMBOLS))


@dataclass(frozen=True)
class Tags(Synthetic):
    """``<etdomp><pegshmnaj></pegshmnaj></etdomp>``: predict every character.

    1. For ``steps`` steps, close the last open tag or open a new one, with probability ½ each; where none is
       open, open one. A name has 2 to 10 letters, all lengths and letters alike.
    2. Then close all that are open.

    Inputs are the text without its last character, targets without its first; all are scored.

    Examples
    --------
    >>> from gatelab.data.synthetic import Tags
    >>> task = Tags(seed=1, steps=4)
    >>> task.decode(task.examples("valid", first=0, count=1)[0].targets)
    'zhyjqp><etskqrrmp><tqozr><efd></efd></tqozr></etskqrrmp></zhyjqp>'
    >>> {name: round(value, 4) for name, value in Tags().baselines().items()}
    {'best possible NLL': 1.3471, 'best possible accuracy': 0.649}

    Notes
    -----
    R. Jozefowicz, W. Zaremba, I. Sutskever, "An Empirical Exploration of Recurrent Network Architectures",
    ICML 2015; accuracies there 0.321 (tanh) to 0.475 (MUT1).
    """

    steps: int = 50
    name: ClassVar[str] = "xml"

    def __post_init__(self) -> None:
        check_range("xml: steps", 1, self.steps)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The three marks and the letters."""
        return SYMBOLS

    @property
    def width(self) -> int:
        """For each step a choice, a length and the letters of a name."""
        return self.steps * (2 + LONGEST_NAME)

    def make(self, draws: NDArray[np.float64]) -> tuple[Example, ...]:
        """Return a text for each row of draws."""
        n = self.steps
        opens = (draws[:, :n] < 0.5).tolist()
        lengths = (SHORTEST + whole(draws[:, n : 2 * n], NAMES)).tolist()
        letters = whole(draws[:, 2 * n :], 26).astype(np.uint8) + ord("a")
        rows = zip(opens, lengths, letters, strict=True)
        return tuple(_example(_text(*row[:2], row[2].tobytes().decode())) for row in rows)

    def baselines(self) -> dict[str, float]:
        """Return what perfect knowledge of the rules reaches, over all characters of all texts.

        ``"best possible NLL"`` in nats a character, and ``"best possible accuracy"``. With p₀ the probability
        that no tag is open before a step, and sums over steps: opened tags n = Σ (1 + p₀) / 2, choices
        c = Σ (1 − p₀); a choice costs log 2, a name of 6 letters on average 6 log 26 + log 9, and all else is
        certain.
        """
        empty = _empty(self.steps)
        choices, forced = float(np.sum(1 - empty)), float(np.sum(empty))
        opened = forced + choices / 2
        letters = (SHORTEST + LONGEST_NAME) / 2
        characters = opened * (2 * letters + 5) - 1  # <name></name>, without the first <
        cost = choices * math.log(2) + opened * (letters * math.log(26) + math.log(NAMES))
        certain = 2 * opened - 1 + (opened - choices / 2) + opened * (letters + 1)
        right = certain + choices / 2 + forced / 26 + opened * _guessed_in_name()
        return {"best possible NLL": cost / characters, "best possible accuracy": right / characters}


def _guessed_in_name() -> float:
    """Return how many characters after the first letter of an opening tag are guessed right on average."""
    right = 1 / 26  # the second letter
    for j in range(SHORTEST, LONGEST_NAME + 1):
        reached, ends = (LONGEST_NAME + 1 - j) / NAMES, 1 / (LONGEST_NAME + 1 - j)
        right += reached * max(ends, (1 - ends) / 26)
    return right


def _empty(steps: int) -> NDArray[np.float64]:
    """Return the probability that no tag is open before each step ``[steps]``."""
    depth = np.zeros(steps + 2)
    depth[0] = 1.0
    found = np.empty(steps)
    for step in range(steps):
        found[step] = depth[0]
        up, down = depth / 2, depth / 2
        up[0], down[0] = depth[0], 0.0
        depth = np.concatenate(([0.0], up[:-1])) + np.concatenate((down[1:], [0.0]))
    return found


def _text(opens: list[bool], lengths: list[int], letters: str) -> str:
    parts: list[str] = []
    open_tags: list[str] = []
    for step, new in enumerate(opens):
        if new or not open_tags:
            open_tags.append(letters[step * LONGEST_NAME : step * LONGEST_NAME + lengths[step]])
            parts.append(f"<{open_tags[-1]}>")
        else:
            parts.append(f"</{open_tags.pop()}>")
    return "".join(parts) + "".join(f"</{tag}>" for tag in reversed(open_tags))


def _example(text: str) -> Example:
    return shifted(_PLACE[np.frombuffer(text.encode("ascii"), np.uint8)], np.ones(len(text), np.bool_))
