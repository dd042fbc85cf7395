"""The season of a series, guessed from its step, and features of the calendar that are known ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.tables.times import Step

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
WEEK, YEAR = 7, 365  # of days


def guess_season(step: Step | None, train: NDArray[np.float64]) -> tuple[int, str]:
    """Return the length of the season in steps, and the reason in words.

    1. Months: 12, quarters: 4, weeks: 52, hours and what divides them: a day.
    2. Days: 7 or 365, where training has two years of them: the one with the greater contrast, which is the
       autocorrelation at the season less that at half of it, r(365) − r(182) and r(7) − (r(3) + r(4))/2.
       Plain persistence makes both r large, but their contrast small.
    3. Years, whole numbers and no times: 1, there is no season.

    Parameters
    ----------
    step
        Of the table.
    train
        ``[T]`` the target in the training part; nothing later is looked at.

    Examples
    --------
    >>> import numpy as np
    >>> days = np.arange(800)
    >>> guess_season(Step(1, "day"), np.sin(2 * np.pi * days / 365) + 0.1 * (days % 7 == 0))[0]
    365
    >>> guess_season(Step(15, "minute"), np.ones(9))
    (96, 'a day has 96 steps')
    """
    if step is None or step.unit in ("number", "year", "microsecond"):
        return 1, "no season is known for this step"
    if (step.count, step.unit) == (1, "day"):
        return _of_days(train)
    if step.unit == "month":
        whole, name, size = 12, "year", step.count
    elif step.unit == "week":
        whole, name, size = 52, "year", step.count
    else:
        whole, name, size = SECONDS["day"], "day", step.count * SECONDS[step.unit]
    season, rest = divmod(whole, size)
    return (
        (season, f"a {name} has {season} steps") if not rest else (1, f"no season: {step} divides no {name}")
    )


def _of_days(train: NDArray[np.float64]) -> tuple[int, str]:
    if len(train) < 2 * YEAR:
        return WEEK, "a week of days; there are not two years to look for another season"
    r = {lag: _correlation(train, lag) for lag in (3, 4, WEEK, 182, YEAR)}
    week, year = r[WEEK] - (r[3] + r[4]) / 2, r[YEAR] - r[182]
    season = YEAR if year > week else WEEK
    return season, f"contrast of autocorrelation in training: {week:.3f} for 7 days, {year:.3f} for 365"


def _correlation(values: NDArray[np.float64], lag: int) -> float:
    """Return the autocorrelation at a lag; 0 where nothing varies."""
    centred = values - values.mean()
    power = float(centred @ centred)
    return float(centred[lag:] @ centred[:-lag]) / power if power > 0 else 0.0


def calendar(time: NDArray[Any] | None, step: Step | None) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return what the calendar says ahead of each step: names, and ``[T, K]`` sines and cosines.

    Hour of the day where steps are shorter than a day, day of the week up to a day, month of the year up to
    a month; nothing without dates.

    Examples
    --------
    >>> import numpy as np
    >>> names, features = calendar(np.array(["2001-01-01", "2001-04-01"], "datetime64[us]"), Step(3, "month"))
    >>> names, (features + 0.0).round(6).tolist()
    (('month_sin', 'month_cos'), [[0.0, 1.0], [1.0, 0.0]])
    """
    if time is None or step is None or time.dtype.kind != "M" or step.unit == "year":
        return (), np.zeros((0 if time is None else len(time), 0))
    days = time.astype("datetime64[D]")
    parts = {"month": (time.astype("datetime64[M]").astype(np.int64) % 12, 12)}
    if step.unit not in ("month", "week"):
        parts["weekday"] = ((days.astype(np.int64) + 3) % 7, 7)  # 1970-01-01 was a Thursday; Monday is 0
        if step.unit != "day":
            parts["hour"] = ((time - days).astype("timedelta64[us]").astype(np.int64) / 3.6e9, 24)
    angles = {name: 2 * np.pi * value / period for name, (value, period) in parts.items()}
    names = tuple(f"{name}_{wave}" for name in angles for wave in ("sin", "cos"))
    return names, np.stack([wave(angle) for angle in angles.values() for wave in (np.sin, np.cos)], axis=1)
