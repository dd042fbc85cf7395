"""Where the time of a training goes: one look at the clock at the end of each part."""

from __future__ import annotations

import time


class Clock:
    """A stopwatch with parts; no moment between its start and its last lap is left out.

    Parameters
    ----------
    waited
        Seconds that it had already run when it was made.

    Attributes
    ----------
    seconds
        Time spent in each part.

    Examples
    --------
    >>> from gatelab.train.clock import Clock
    >>> clock = Clock()
    >>> clock.lap("data")
    >>> clock.lap("forward")
    >>> list(clock.seconds)
    ['data', 'forward']
    """

    def __init__(self, waited: float = 0.0) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter() - waited

    def lap(self, part: str) -> None:
        """Count all time since the last lap to ``part``."""
        now = time.perf_counter()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._last
        self._last = now


class Untimed(Clock):
    """A clock that is not looked at, for trainings that nobody times."""

    def lap(self, part: str) -> None:
        """Do nothing."""


UNTIMED = Untimed()
