"""How far an axis of losses reaches, when the first epochs are far above all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

REACH = 2.5


@dataclass(frozen=True)
class Domain:
    """The ends of an axis, and what lies above them.

    Attributes
    ----------
    low, high
        Ends of the axis.
    highest
        The highest value; above ``high`` where values are cut off.
    """

    low: float
    high: float
    highest: float

    @property
    def cut(self) -> bool:
        """Whether values lie above the axis."""
        return self.highest > self.high

    def holds(self, value: float) -> bool:
        """Return whether a value lies on the axis."""
        return self.low <= value <= self.high


def robust_domain(values: Sequence[float], baselines: Mapping[str, float]) -> Domain:
    """Return an axis on which the lower three quarters of the values fill a good part of the height.

    It ends at low + 2.5 · (third quartile − low), or at the highest value where that is lower. A baseline
    that would otherwise fall off widens it, unless it would take more than as much again.

    Examples
    --------
    >>> from gatelab.draw.scale import robust_domain
    >>> robust_domain([60.0, 12.0, 10.0, 9.0, 9.0, 8.5, 8.5, 8.4], {}).cut
    True
    >>> robust_domain([12.0, 10.0, 9.0], {}).cut
    False
    """
    if not values:
        return Domain(0.0, 1.0, 0.0)
    low, highest = float(min(values)), float(max(values))
    high = min(highest, low + REACH * (float(np.quantile(values, 0.75)) - low))
    near = [b for b in baselines.values() if low - (high - low) <= b <= high + (high - low)]
    low, high = min([low, *near]), max([high, *near])
    margin = 0.04 * (high - low) or 0.5
    bottom = max(0.0, low - margin) if low >= 0 else low - margin
    return Domain(bottom, high + margin, highest)
