"""Times of a table: the forms in which they are written, and the step from one row to the next.

Known are ``1949``, ``1949-01``, ``1981-01-31``, ``1981/1/31``, ``31.1.1981``, ``1/31/1981`` or ``31/1/1981``
(told apart by a day above 12) and ``19810131``; behind a day, a clock as in ``2016-07-01 13:00``,
``2016-07-01T13:00:59.25``, with or without ``Z`` or ``+02:00`` (then the time is kept in UTC).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import DataError

if TYPE_CHECKING:
    import polars as pl

NAMES = frozenset({"date", "datetime", "time", "timestamp", "year", "ds", "t", "index", "step", "period", ""})
"""How a column of whole numbers is called when it counts time."""

_DAYS = {
    r"\d{4}-\d\d?": "%Y-%m",
    r"\d{4}-\d\d?-\d\d?": "%Y-%m-%d",
    r"\d{4}/\d\d?/\d\d?": "%Y/%m/%d",
    r"\d\d?\.\d\d?\.\d{4}": "%d.%m.%Y",
    r"\d\d?/\d\d?/\d{4}": "/",  # the day first or the month: see _slashes
    r"(?:1[5-9]|20|21)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])": "%Y%m%d",
}
_CLOCK = re.compile(r"(.+?)([ T])(\d\d?:\d\d(:\d\d)?(\.\d+)?) ?(Z|[+-]\d\d:?\d\d)?")
_HOUR = 3_600_000_000  # microseconds
_UNITS = {"week": 168 * _HOUR, "day": 24 * _HOUR, "hour": _HOUR, "minute": _HOUR // 60, "second": 10**6}


@dataclass(frozen=True)
class Step:
    """The usual way from one time to the next, as a number of units.

    Attributes
    ----------
    count
        How many units; 15 for quarters of an hour.
    unit
        ``"year"``, ``"month"``, ``"week"``, ``"day"``, ``"hour"``, ``"minute"``, ``"second"``,
        ``"microsecond"``, or ``"number"`` where times are whole numbers.
    """

    count: int
    unit: str

    def after(self, time: NDArray[Any], count: int) -> NDArray[Any]:
        """Return the ``count`` times that follow known ones, whole numbers or datetime64[us].

        Months that all end a month go on so: 31 January, 28 February, 31 March. Else the day stays, or is the
        last of a shorter month.

        Parameters
        ----------
        time
            ``[T]`` ascending, T from 1.
        count
            How many are wanted.

        Raises
        ------
        DataError
            They are larger than 64 bits hold.

        Examples
        --------
        >>> dates = np.array(["2001-10-30", "2001-11-30"], "datetime64[us]")
        >>> Step(1, "month").after(dates, 3).astype("datetime64[D]").tolist()
        [datetime.date(2001, 12, 30), datetime.date(2002, 1, 30), datetime.date(2002, 2, 28)]
        >>> Step(2, "number").after(np.array([3, 5]), 2).tolist()
        [7, 9]
        """
        last, steps = time[-1], self.count * (np.arange(count) + 1)
        if self.unit == "number":
            if int(last) + self.count * count >= 2**63:
                raise DataError(
                    f"times: wanted whole numbers below 2^63, came steps of {self.count:,} at {last}"
                )
            return np.asarray(last + steps)
        if self.unit in ("month", "year"):
            months = np.datetime64(last, "M") + steps * (12 if self.unit == "year" else 1)
            return _in_month(time, months)
        unit = {"week": "W", "day": "D", "hour": "h", "minute": "m", "second": "s", "microsecond": "us"}
        return np.asarray(last + steps.astype(f"timedelta64[{unit[self.unit]}]").astype("timedelta64[us]"))

    def __str__(self) -> str:
        return self.unit if self.count == 1 else f"{self.count} {self.unit}s"


def guess_form(cells: Sequence[str], place: str) -> str | None:
    """Return the form in which most of these cells are a time, ``"%Y-%m-%d"``, or None where they are none.

    Raises
    ------
    DataError
        Day and month cannot be told apart.

    Examples
    --------
    >>> guess_form(["1949-01", "1949-02"], "f"), guess_form(["1/2/2016 10:00", "1/13/2016 10:00"], "f")
    ('%Y-%m', '%m/%d/%Y %H:%M')
    >>> guess_form(["112", "118"], "f") is None
    True
    """
    found = [form for form in map(_form, cells) if form]
    if not cells or 2 * len(found) <= len(cells):
        return None
    form = max(dict.fromkeys(found), key=found.count)
    return _slashes(form, cells, place) if form.startswith("/") else form


def _form(cell: str) -> str | None:
    """Return the form of one cell."""
    timed = _CLOCK.fullmatch(cell)
    day = timed[1] if timed else cell
    form = next((form for shape, form in _DAYS.items() if re.fullmatch(shape, day)), None)
    if form is None or timed is None:
        return form
    if form == "%Y-%m":
        return None
    seconds = (":%S" if timed[4] else "") + ("%.f" if timed[5] else "")
    return f"{form}{timed[2]}%H:%M{seconds}" + ("%#z" if timed[6] else "")


def _slashes(form: str, cells: Sequence[str], place: str) -> str:
    """Tell ``31/1/1981`` from ``1/31/1981``."""
    pairs = [re.match(r"(\d\d?)/(\d\d?)/", cell) for cell in cells]
    first = max(int(pair[1]) for pair in pairs if pair)
    second = max(int(pair[2]) for pair in pairs if pair)
    if (first > 12) == (second > 12):
        raise DataError(
            f"{place}: day and month of dates such as {cells[0]!r} cannot be told apart; "
            "try to write them as 1981-01-31"
        )
    return ("%d/%m/%Y" if first > 12 else "%m/%d/%Y") + form[1:]


def read_form(column: pl.Expr, form: str) -> pl.Expr:
    """Return the expression that reads a column of texts as times, null where a text is none."""
    if form == "%Y-%m":
        column, form = column + "-01", "%Y-%m-%d"
    if form.endswith("%#z"):
        zoned = column.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
        return zoned.dt.replace_time_zone(None)
    return column.str.to_datetime(form, strict=False, time_unit="us")


def step_of(time: NDArray[Any]) -> tuple[Step, NDArray[np.intp]]:
    """Return the most frequent step of ascending times, and the rows that another step leads to.

    Months of different length are one step each, and so are years.

    Examples
    --------
    >>> import numpy as np
    >>> step, odd = step_of(np.array(["1949-01", "1949-02", "1949-03", "1949-05"], "datetime64[us]"))
    >>> str(step), odd
    ('month', array([3]))
    """
    assert len(time) > 1
    if time.dtype.kind == "M":
        months = _in_months(time)
        steps = np.diff(time.astype(np.int64) if months is None else months)
    else:
        months, steps = None, np.diff(time)
    values, counts = np.unique(steps, return_counts=True)
    usual = int(values[counts.argmax()])
    odd = np.flatnonzero(steps != usual) + 1
    if time.dtype.kind != "M":
        return Step(usual, "number"), odd
    return _named(usual, months is not None), odd


def _named(usual: int, in_months: bool) -> Step:
    if in_months:
        return Step(usual, "month") if usual % 12 else Step(usual // 12, "year")
    for unit, size in _UNITS.items():
        if usual % size == 0:
            return Step(usual // size, unit)
    return Step(usual, "microsecond")


def _in_month(time: NDArray[Any], months: NDArray[Any]) -> NDArray[Any]:
    """Return the place of known times in their months, in other months ``[N]`` datetime64[M]."""
    day, first = np.timedelta64(24 * _HOUR, "us"), months.astype("datetime64[us]")
    within = time - time.astype("datetime64[M]").astype("datetime64[us]")
    longest = (months + 1).astype("datetime64[us]") - first - day + within[-1] % day
    ends = (time + day).astype("datetime64[M]") != time.astype("datetime64[M]")
    return np.asarray(first + (longest if ends.all() else np.minimum(within[-1], longest)))


def _in_months(time: NDArray[np.datetime64]) -> NDArray[np.int64] | None:
    """Return times as counts of months where each is the same day of its month, or the last; else None."""
    if np.diff(time).min() < np.timedelta64(28 * 24 * _HOUR, "us"):
        return None
    months = time.astype("datetime64[M]")
    for shift in (0, 24 * _HOUR):  # a last day is the day before a first one
        moved = time + np.timedelta64(shift, "us")
        within = moved - moved.astype("datetime64[M]")
        if (within == within[0]).all() and (shift == 0 or within[0] < np.timedelta64(24 * _HOUR, "us")):
            return months.astype(np.int64)
    return None
