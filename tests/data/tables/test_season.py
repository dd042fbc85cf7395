"""Seasons and the calendar."""

from __future__ import annotations

import numpy as np
import pytest

from gatelab.data.tables.season import calendar, guess_season
from gatelab.data.tables.times import Step


@pytest.mark.parametrize(
    ("step", "season"),
    [
        (Step(1, "month"), 12),
        (Step(3, "month"), 4),
        (Step(5, "month"), 1),
        (Step(1, "week"), 52),
        (Step(1, "hour"), 24),
        (Step(15, "minute"), 96),
        (Step(7, "hour"), 1),
        (Step(2, "day"), 1),
        (Step(1, "year"), 1),
        (Step(1, "number"), 1),
        (None, 1),
    ],
)
def test_season_of_a_step(step: Step | None, season: int) -> None:
    assert guess_season(step, np.arange(9.0))[0] == season


def test_days_have_the_season_with_the_greater_contrast() -> None:
    days = np.arange(900)
    draw = np.random.default_rng(0)
    persistent = np.zeros(900)
    for k in days[1:]:
        persistent[k] = 0.9 * persistent[k - 1] + draw.normal()
    weekly = np.where(days % 7 < 5, 1.0, -2.0)
    yearly = np.sin(2 * np.pi * days / 365.25)
    assert guess_season(Step(1, "day"), 3 * weekly + yearly + persistent)[0] == 7
    assert guess_season(Step(1, "day"), weekly / 9 + 5 * yearly + persistent)[0] == 365
    assert guess_season(Step(1, "day"), yearly[:700])[0] == 7
    assert "there are not two years" in guess_season(Step(1, "day"), yearly[:700])[1]
    assert guess_season(Step(1, "day"), np.ones(900))[0] == 7


def test_calendar_knows_hour_weekday_and_month() -> None:
    time = np.array(["2024-07-01T06:00", "2024-07-04T18:00", "1969-12-29T00:00"], "datetime64[us]")
    names, features = calendar(time, Step(1, "hour"))
    assert names == ("month_sin", "month_cos", "weekday_sin", "weekday_cos", "hour_sin", "hour_cos")
    turns = np.arctan2(features[:, ::2], features[:, 1::2]) / (2 * np.pi) % 1
    assert turns * [12, 7, 24] == pytest.approx(np.array([[6, 0, 6], [6, 3, 18], [11, 0, 0]]))
    assert calendar(time, Step(1, "day"))[0] == names[:4]
    assert calendar(time, Step(1, "week"))[0] == names[:2] == calendar(time, Step(1, "month"))[0]
    assert calendar(time, Step(1, "year"))[1].shape == (3, 0)
    assert calendar(np.arange(3), Step(1, "number"))[1].shape == (3, 0)
    assert calendar(None, None)[0] == ()
