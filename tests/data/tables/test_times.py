"""How the times of a table go on after its last row."""

import numpy as np
import pytest

from gatelab.data.tables.times import Step, step_of
from gatelab.errors import DataError


def _dates(*texts):
    return np.array(texts, "datetime64[us]")


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (["2001-01-01", "2001-02-01"], ["2001-03-01", "2001-04-01"]),
        (["2001-01-31", "2001-02-28"], ["2001-03-31", "2001-04-30"]),  # month ends stay month ends
        (["2001-10-30", "2001-11-30"], ["2001-12-30", "2002-01-30", "2002-02-28", "2002-03-30"]),
        (["2003-12-31T06:00", "2004-01-31T06:00"], ["2004-02-29T06:00", "2004-03-31T06:00"]),
        (["2001-03-31", "2001-06-30"], ["2001-09-30", "2001-12-31", "2002-03-31"]),
        (["2000-02-15", "2001-02-15"], ["2002-02-15", "2003-02-15"]),
        (["2000-12-24", "2000-12-31"], ["2001-01-07"]),
        (["2001-02-27", "2001-02-28"], ["2001-03-01", "2001-03-02"]),
        (["2001-12-31T22:00", "2001-12-31T23:00"], ["2002-01-01T00:00"]),
        (["2001-01-01T00:00", "2001-01-01T00:15"], ["2001-01-01T00:30", "2001-01-01T00:45"]),
        (["2001-01-01T00:00:00.5", "2001-01-01T00:00:00.75"], ["2001-01-01T00:00:01"]),
    ],
)
def test_dates_go_on_as_they_came(known, wanted):
    time = _dates(*known)
    step, odd = step_of(time)
    found = step.after(time, len(wanted))
    assert not len(odd)
    assert found.dtype == np.dtype("datetime64[us]")
    assert found.tolist() == _dates(*wanted).tolist()


@pytest.mark.parametrize("unit", ["year", "month", "week", "day", "hour", "minute", "second", "microsecond"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_step_after_is_the_step_of_what_came_after(unit, count):
    first = _dates("2003-03-07T05:10:20")
    future = Step(count, unit).after(first, 9)
    found, odd = step_of(np.concatenate([first, future]))
    assert not len(odd)
    assert found.after(first, 9).tolist() == future.tolist()


def test_whole_numbers_go_on_and_are_never_wrapped():
    assert Step(2, "number").after(np.array([1990, 1992]), 3).tolist() == [1994, 1996, 1998]
    with pytest.raises(DataError, match=r"wanted whole numbers below 2\^63"):
        Step(10**18 - 1, "number").after(np.array([1, 10**18]), 12)
