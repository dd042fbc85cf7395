"""One made-up sequence, and what all kinds of them have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gatelab.data.synthetic.draws import uniforms
from gatelab.errors import ConfigError

LONGEST = 1_000_000
"""The most steps of a sequence."""


@dataclass(frozen=True, eq=False)
class Example:
    """One sequence: the output of step t is compared with ``targets[t]`` where ``mask[t]``.

    So "predict every step", "the next one", "only some" and "at the end" are one form: inputs and targets of
    next-step prediction are one text, shifted; an answer at the end has a mask that is True at the last step.

    Attributes
    ----------
    inputs
        Symbols ``[T]`` as places in the vocabulary, int64; or values ``[T, I]``, float32.
    targets
        Classes ``[T]``, int64; sets of classes ``[T, C]``, bool; or values ``[T, 1]``, float32.
    mask
        The steps that are scored ``[T]``, bool. What stands in ``targets`` at the others is no secret, but it
        does not count.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Synthetic(ABC):
    """A kind of made-up sequences with its parameters; the subclasses are the kinds.

    Attributes
    ----------
    seed
        Another seed gives other sequences in all three splits.
    """

    seed: int = 0

    name: ClassVar[str]
    """Its short name, ``"arithmetic"``."""

    @property
    def answer(self) -> Literal["class", "set", "value"]:
        """What a target is: one of the classes, a set of them, or a number."""
        return "class"

    @property
    @abstractmethod
    def symbols(self) -> tuple[str, ...]:
        """The vocabulary of the inputs; empty where they are values."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The vocabulary of the targets; empty where they are values."""
        return self.symbols

    @property
    @abstractmethod
    def width(self) -> int:
        """How many random numbers a sequence takes."""

    @abstractmethod
    def make(self, draws: NDArray[np.float64]) -> tuple[Example, ...]:
        """Return the sequences that follow from random numbers on [0, 1), ``[count, width]``."""

    def baselines(self) -> dict[str, float]:
        """Return what is reached without memory, or with perfect knowledge, where a closed form is known."""
        return {}

    def examples(self, split: str, first: int, count: int) -> tuple[Example, ...]:
        """Return the sequences ``first`` to ``first + count - 1`` of ``train``, ``valid`` or ``test``.

        Raises
        ------
        ConfigError
            There is no such split, or ``first`` or ``count`` is negative.
        """
        return self.make(uniforms(self.seed, split, first, count, self.width))

    def decode(self, ids: NDArray[np.int64]) -> str:
        """Return symbols of the input's vocabulary as text."""
        return "".join(self.symbols[k] for k in ids)


def shifted(text: NDArray[np.int64], mask: NDArray[np.bool_]) -> Example:
    """Return next-step prediction on a text ``[T + 1]``: ``mask`` says which of its symbols are scored."""
    return Example(text[:-1], text[1:], mask[1:])


def check_range(what: str, least: int, *values: int) -> None:
    """Refuse sizes that do not rise from ``least``, or that nothing could hold.

    Raises
    ------
    ConfigError
        With what was wanted and what came.
    """
    if not (least <= values[0] and list(values) == sorted(values) and values[-1] <= LONGEST):
        wanted = f"at least {least}, rising, and at most {LONGEST:,}"
        raise ConfigError(f"{what}: wanted {wanted}, came {', '.join(map(str, values))}; try other sizes")
