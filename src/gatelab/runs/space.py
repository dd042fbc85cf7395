"""What a study searches over: a distribution for each hyper-parameter, and what a trial draws of them.

A draw follows from the study's seed, the trial's number and the hyper-parameter's name alone. So a study can
be given further trials, cells or hyper-parameters and keeps the draws that it has; and the k-th trial of
every cell has the same settings, so that cells can be compared in pairs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from gatelab.runs.config import LARGEST_SEED, Frozen

Value = bool | int | float | str
"""What a hyper-parameter can be."""


class Dimension(Frozen):
    """How one hyper-parameter is drawn."""

    def at(self, place: float) -> Value:
        """Return the value below which the part ``place``, from 0 to 1, of all draws lies."""
        raise NotImplementedError


class Interval(Dimension):
    """A dimension between two ends; ``whole`` rounds what is drawn to whole numbers."""

    low: float
    high: float
    whole: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Interval:
        if not self.low < self.high:
            raise ValueError(f"wanted low < high, got low = {self.low:g} and high = {self.high:g}")
        return self

    def _typed(self, value: float) -> Value:
        inside = min(max(value, self.low), self.high)
        return round(inside) if self.whole else float(f"{inside:.6g}")


class Uniform(Interval):
    """Uniform between the ends."""

    kind: Literal["uniform"] = "uniform"

    def at(self, place: float) -> Value:
        """Return low + (high − low) · place."""
        return self._typed(self.low + (self.high - self.low) * place)


class LogUniform(Interval):
    """Its logarithm is uniform between those of the ends."""

    kind: Literal["log-uniform"] = "log-uniform"
    low: Annotated[float, Field(gt=0)]

    def at(self, place: float) -> Value:
        """Return low · (high / low)^place."""
        return self._typed(self.low * (self.high / self.low) ** place)


class OneMinusLogUniform(Interval):
    """1 minus a log-uniform number: with ends of the *value*, 0 and 0.99, 1 − x is drawn from 0.01 to 1."""

    kind: Literal["one-minus-log-uniform"] = "one-minus-log-uniform"
    high: Annotated[float, Field(lt=1)]

    def at(self, place: float) -> Value:
        """Return 1 − (1 − low) · ((1 − high) / (1 − low))^place."""
        return self._typed(1 - (1 - self.low) * ((1 - self.high) / (1 - self.low)) ** place)


class Choice(Dimension):
    """One of some values, all equally often."""

    kind: Literal["choice"] = "choice"
    values: Annotated[tuple[Value, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> Choice:
        if len({(type(v), v) for v in self.values}) < len(self.values):
            raise ValueError("wanted each value once")
        return self

    def at(self, place: float) -> Value:
        """Return the value at this part of the list."""
        return self.values[min(int(place * len(self.values)), len(self.values) - 1)]


AnyDimension = Annotated[Uniform | LogUniform | OneMinusLogUniform | Choice, Field(discriminator="kind")]
Space = Mapping[str, AnyDimension]


def draw(space: Mapping[str, Dimension], task: str, number: int, seed: int) -> dict[str, Value]:
    """Return the settings of a task's ``number``-th trial.

    Examples
    --------
    >>> from gatelab.runs.space import LogUniform, draw
    >>> space = {"learning_rate": LogUniform(low=1e-6, high=1e-2)}
    >>> draw(space, "jsb", 3, seed=0) == draw(space, "jsb", 3, seed=0)
    True
    """
    return {name: d.at(_place(seed, task, number, name)) for name, d in space.items()}


def trial_seed(task: str, number: int, seed: int) -> int:
    """Return the seed of a task's ``number``-th trial, the same for every cell."""
    return _hashed(seed, task, number, "") % (LARGEST_SEED + 1)


def position(dimension: Dimension, value: Value) -> float:
    """Return where a value lies in its dimension, from 0 to 1, so that draws are uniform in it.

    Of a choice, the middle of its part.
    """
    if isinstance(dimension, Choice):
        return (dimension.values.index(value) + 0.5) / len(dimension.values)
    assert isinstance(dimension, Interval)
    x, low, high = float(value), dimension.low, dimension.high
    if isinstance(dimension, LogUniform):
        return math.log(x / low) / math.log(high / low)
    if isinstance(dimension, OneMinusLogUniform):
        return math.log((1 - x) / (1 - low)) / math.log((1 - high) / (1 - low))
    return (x - low) / (high - low)


def _place(seed: int, task: str, number: int, name: str) -> float:
    return float(np.random.default_rng(_hashed(seed, task, number, name)).uniform())


def _hashed(*parts: int | str) -> int:
    said = "\n".join(str(p) for p in parts)
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:16], "big")
