"""A forecast's table and chart: the future hangs on the past, and says what it is."""

import numpy as np
import pytest

from gatelab.draw.export import save
from gatelab.draw.forecast import forecast_chart, forecast_rows
from gatelab.errors import ConfigError, RunError

LEVELS = (0.1, 0.5, 0.9)
PAST = np.array([[3.0, 30.0], [4.0, 50.0], [6.0, 40.0]])
AHEAD = np.array([[[4.0, 30], [5, 40], [7, 60]], [[3, 20], [5.5, 42], [9, 70]]])
DATES = np.arange("2001-01", "2001-06", dtype="datetime64[M]").astype("datetime64[us]")


def _charted(targets, count, past_time, time):
    return forecast_chart(targets, PAST[:, :count], past_time, AHEAD[:, :, :count], LEVELS, time)


def test_the_future_begins_at_the_last_known_value():
    rows = forecast_rows(["a", "b"], PAST, DATES[:3], AHEAD, LEVELS, DATES[3:])
    for target, last, median in (("a", 6.0, [5.0, 5.5]), ("b", 40.0, [40.0, 42.0])):
        own = [row for row in rows if row["target"] == target]
        future = [row for row in own if row["part"] == "forecast"]
        assert [row["part"] for row in own] == ["past"] * 3 + ["forecast"] * 3
        assert [row["value"] for row in future] == [last, *median]
        assert (future[0]["low"], future[0]["high"]) == (last, last)
        assert all(row["low"] <= row["value"] <= row["high"] for row in future)
        assert future[0]["when"] == own[2]["when"] == "2001-03-01T00:00:00.000Z"
        assert future[-1]["when"] == "2001-05-01T00:00:00.000Z"


def test_steps_are_counted_where_there_are_no_times():
    for past_time, time in ((None, None), (DATES[:3], None)):
        rows = forecast_rows(["a"], PAST[:, :1], past_time, AHEAD[:, :, :1], LEVELS, time)
        assert [row["when"] for row in rows] == [-2, -1, 0, 0, 1, 2]
    numbers = forecast_rows(["a"], PAST[:, :1], np.arange(7, 10), AHEAD[:, :, :1], LEVELS, np.arange(10, 12))
    assert [row["when"] for row in numbers] == [7, 8, 9, 9, 10, 11]


def test_the_chart_of_one_target_names_it_and_colours_come_from_the_theme():
    spec = _charted(["Load [MW]"], 1, DATES[:3], DATES[3:]).to_dict()
    area, line = spec["layer"]
    assert (area["mark"]["type"], line["mark"]["type"]) == ("area", "line")
    assert line["encoding"]["y"]["title"] == area["encoding"]["y"]["title"] == "Load [MW]"
    assert line["encoding"]["x"]["scale"] == {"type": "utc"}
    assert line["encoding"]["color"]["scale"] == {"domain": ["past", "forecast"]}
    assert "80% of outcomes" in line["encoding"]["color"]["legend"]["labelExpr"]


def test_a_chart_a_target_and_what_steps_are():
    spec = _charted(["a", "b"], 2, None, None).to_dict()
    titles = [part["layer"][0]["encoding"]["x"]["title"] for part in spec["vconcat"]]
    assert titles == ["steps after the last known one"] * 2
    counted = _charted(["a"], 1, np.arange(7, 10), np.arange(10, 12)).to_dict()
    assert counted["layer"][0]["encoding"]["x"]["title"] == "time"


def test_a_median_is_wanted():
    with pytest.raises(ConfigError, match=r"wanted 0\.5 among them"):
        forecast_rows(["a"], PAST[:, :1], None, AHEAD[:, :, :1], (0.1, 0.4, 0.9), None)


def test_it_is_drawn_as_svg_and_png_or_nothing_is_left(tmp_path):
    chart = _charted(["a", "b"], 2, DATES[:3], DATES[3:])
    save(chart, tmp_path / "x.svg")
    save(chart, tmp_path / "x.png")
    assert (tmp_path / "x.svg").read_text().startswith("<svg")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot write"):
        save(chart, tmp_path / "file" / "x.svg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "x.png", "x.svg"]
