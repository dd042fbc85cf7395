"""How numbers are written, in the terminal and in the report alike."""

from __future__ import annotations

import math
from typing import NamedTuple

from gatelab.stats import Interval

NOTHING = "–"
MINUS = "−"


class Table(NamedTuple):
    """Columns, and rows of text; the first column says what a row is of."""

    columns: tuple[str, ...]
    rows: list[list[str]]


def decimal(value: float | None) -> str:
    """Return a measure with three decimals.

    >>> decimal(8.5432), decimal(None)
    ('8.543', '–')
    """
    return NOTHING if value is None or math.isnan(value) else f"{value:.3f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 3) -> str:
    """Return a difference with its sign.

    >>> signed(-0.0312), signed(0.5, 2)
    ('−0.031', '+0.50')
    """
    return NOTHING if value is None or math.isnan(value) else f"{value:+.{digits}f}".replace("-", MINUS)


def rate(value: float | None) -> str:
    """Return a learning rate.

    >>> rate(0.00123)
    '1.23e-03'
    """
    return NOTHING if value is None else f"{value:.2e}"


def count(value: int | None) -> str:
    """Return a whole number, thousands set apart."""
    return NOTHING if value is None else f"{value:,}"


def seconds(value: float | None) -> str:
    """Return a duration in seconds, with three figures that mean something."""
    return NOTHING if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def spread(interval: Interval) -> str:
    """Return mean ± half-width (n) of an interval; without spread where there is one value.

    >>> spread(Interval(8.6, 8.35, 8.85, 0.1, 3))
    '8.600 ± 0.250 (3)'
    """
    if not interval.known:
        return f"{decimal(interval.mean)} (1)"
    return f"{decimal(interval.mean)} ± {interval.half_width:.3f} ({interval.n})"


def range_of(interval: Interval) -> str:
    """Return an interval as [low, high]."""
    return f"[{signed(interval.low)}, {signed(interval.high)}]" if interval.known else NOTHING


def probability(value: float | None) -> str:
    """Return a p value with two figures.

    >>> probability(0.0123), probability(2e-19), probability(float("nan"))
    ('0.012', '2e-19', '–')
    """
    return NOTHING if value is None or math.isnan(value) else f"{value:.2g}".replace("e-0", "e-")


def duration(value: float | None) -> str:
    """Return a duration in the unit that it is read in.

    >>> duration(42.0), duration(600), duration(36_000), duration(None)
    ('42.0 s', '10.0 min', '10.0 h', '–')
    """
    if value is None or math.isnan(value):
        return NOTHING
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.1f} min" if value < 7200 else f"{value / 3600:,.1f} h"
