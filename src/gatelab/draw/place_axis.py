"""An axis along a hyper-parameter's dimension, on which draws are uniform, with ticks at round values."""

from __future__ import annotations

import json
import math
from typing import Any

import altair as alt

from gatelab.runs.space import Choice, Dimension, Interval, LogUniform, OneMinusLogUniform, Value, position

TITLES = {
    "learning_rate": "learning rate",
    "hidden_size": "hidden units a layer and direction",
    "parameters": "parameters of the recurrent layers",
    "input_noise": "input noise (standard deviation)",
    "weight_noise": "weight noise (standard deviation)",
    "max_norm": "norm that gradients are rescaled to",
    "batch_size": "sequences in a batch",
    "dropout": "dropout (share)",
}
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def title_of(name: str) -> str:
    """Return a hyper-parameter's name in words, with what it counts.

    >>> title_of("hidden_size"), title_of("momentum")
    ('hidden units a layer and direction', 'momentum')
    """
    return TITLES.get(name, name.replace("_", " "))


def ticks(dimension: Dimension) -> list[tuple[float, str]]:
    """Return places from 0 to 1 and what stands there.

    Examples
    --------
    >>> from gatelab.runs.space import LogUniform
    >>> ticks(LogUniform(low=1e-6, high=1e-2))[:2]
    [(0.0, '10⁻⁶'), (0.25, '10⁻⁵')]
    """
    if isinstance(dimension, Choice):
        return [(position(dimension, v), str(v)) for v in dimension.values]
    assert isinstance(dimension, Interval)
    low, high = dimension.low, dimension.high
    inside = [v for v in _round_values(dimension) if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
    name = _power if isinstance(dimension, LogUniform) and high / low >= 1e3 else written
    return [(abs(round(position(dimension, min(max(v, low), high)), 6)), name(v)) for v in inside]


def _round_values(dimension: Interval) -> list[float]:
    low, high = dimension.low, dimension.high
    if isinstance(dimension, LogUniform):
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        if math.log10(high / low) >= 3:
            every = -(-len(decades) // 7)
            return [10.0**k for k in decades if k % every == 0]
        return [m * 10.0**k for k in decades for m in (1, 2, 5)]
    if isinstance(dimension, OneMinusLogUniform):
        return [low, *(v for v in (0.5, 0.9, 0.99, 0.999, 0.9999) if low < v <= high)]
    step = 10.0 ** math.floor(math.log10((high - low) / 2))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 6)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _power(value: float) -> str:
    return "10" + str(round(math.log10(value))).translate(SUPERSCRIPTS)


def written(value: Value) -> str:
    """Return a hyper-parameter's value as short as it can be read.

    >>> written(0.00001), written(0.00123), written(20000), written("sgd")
    ('10⁻⁵', '0.00123', '20,000', 'sgd')
    """
    if isinstance(value, str | bool):
        return str(value)
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        power = math.floor(math.log10(abs(value)) + 1e-9)
        factor = value / 10.0**power
        ten = "10" + str(power).translate(SUPERSCRIPTS)
        return ten if abs(factor - 1) < 1e-6 else f"{factor:.3g} · {ten}"
    return f"{round(value):,}" if abs(value) >= 1e4 else f"{value:.4g}"


def place_axis(name: str, dimension: Dimension) -> dict[str, Any]:
    """Return title, scale and axis of an encoding by place, from 0 to 1."""
    found = ticks(dimension)
    places = [p for p, _ in found]
    labels = json.dumps([text for _, text in found], ensure_ascii=True)
    return {
        "title": title_of(name),
        "scale": alt.Scale(domain=[0, 1], nice=False),
        "axis": alt.Axis(
            values=places,
            labelExpr=f"{labels}[indexof({json.dumps(places)}, datum.value)]",
            labelOverlap="greedy",
            labelBound=False,
            grid=True,
        ),
    }
