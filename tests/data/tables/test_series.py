"""Forecasting problems: nothing of a later split is ever seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gatelab.data.places import places
from gatelab.data.splits import SPLITS
from gatelab.data.tables.series import load_series
from gatelab.data.tables.sets import FOLDER, SERIES
from gatelab.errors import ConfigError, DataError

ENDS = {
    "airline": (100, 121, 144),
    "sunspots": (1974, 2397, 2820),
    "temperatures": (2555, 3102, 3650),
    "etth1": (8640, 11520, 14400),
}
SEASONS = {"airline": 12, "sunspots": 12, "temperatures": 365, "etth1": 24}


def known(name: str) -> Path:
    found = [path for path in places(FOLDER, [SERIES[name].file]) if path.is_file()]
    if not found:
        pytest.skip(f"no {FOLDER}/{SERIES[name].file} in GATELAB_DATA")
    return found[0]


@pytest.mark.parametrize("name", SERIES)
def test_known_sets(name: str) -> None:
    path = known(name)
    data = load_series(name)
    (series,) = data.series
    assert (series.ends, data.season) == (ENDS[name], SEASONS[name])
    train = series.scaled()[: series.ends[0]]
    assert train.mean(0) == pytest.approx(0, abs=1e-9)
    assert train.std(0) == pytest.approx(1)
    starts = (0, *series.ends)
    for index, split in enumerate(SPLITS):
        rows = data.windows(split)[:, 1]
        assert np.array_equal(rows, np.arange(rows[0], rows[-1] + 1))
        assert rows[0] == max(starts[index], data.context)
        assert rows[-1] + data.horizon == starts[index + 1]
    if name != "etth1":
        assert load_series(path).series[0].ends == series.ends


def test_etth1_columns() -> None:
    known("etth1")
    data = load_series("etth1", known=["LULL"], targets=["OT", "HUFL"], horizon=48)
    assert (data.targets, data.inputs) == (("OT", "HUFL"), ("HULL", "MUFL", "MULL", "LUFL"))
    assert data.known[-3:] == ("hour_sin", "hour_cos", "LULL")
    assert data.series[0].values[0, :2].tolist() == [30.5310001373291, 5.827000141143799]
    assert data.series[0].known.shape == (17420, 7)
    assert data.notes == ("ETTh1.csv: the last 3,020 rows belong to no split",)
    assert len(data.windows("test")) == 2880 - 47
    assert len(data.windows("test", stride=24)) == 119


def write(folder: Path, name: str, rows: int, column: str = "b", shift: float = 0.5) -> Path:
    path = folder / name
    lines = [f"{k},{shift + k % 5},{shift * k + k % 7}" for k in range(rows)]
    path.write_text(f"t,a,{column}\n" + "\n".join(lines) + "\n")
    return path


def test_nothing_later_is_used_for_scaling_or_season(tmp_path: Path) -> None:
    path = write(tmp_path, "one.csv", 100)
    first = load_series(path, horizon=3, context=5)
    lines = path.read_text().splitlines()
    later = [f"{line.split(',')[0]},{k * 1e6},{-k * 1e6}" for k, line in enumerate(lines[71:])]
    path.write_text("\n".join([*lines[:71], *later]) + "\n")
    second = load_series(path, horizon=3, context=5)
    assert np.array_equal(first.series[0].mean, second.series[0].mean)
    assert np.array_equal(first.series[0].std, second.series[0].std)
    assert (first.season, first.digest == second.digest) == (second.season, False)


def test_several_tables_are_several_series(tmp_path: Path) -> None:
    for name, rows in (("one.csv", 60), ("two.csv", 90)):
        write(tmp_path, name, rows, shift=rows / 10)
    archive = Path(shutil.make_archive(str(tmp_path.parent / "both"), "zip", tmp_path))
    for place in (tmp_path, archive):
        data = load_series(place, horizon=4, context=6, split=(0.5, 0.25, 0.2))
        assert [series.ends for series in data.series] == [(30, 45, 57), (45, 67, 85)]
        assert [series.name for series in data.series] == ["one.csv", "two.csv"]
        windows = data.windows("train", stride=10)
        assert windows.tolist() == [[0, 6], [0, 16], [0, 26], [1, 6], [1, 16], [1, 26], [1, 36]]
        assert data.series[0].mean[0] != data.series[1].mean[0]
    write(tmp_path, "three.csv", 60, column="c")
    with pytest.raises(DataError, match=r"three.csv: wanted the columns a, b .*came a, c"):
        load_series(tmp_path)


def test_defaults_and_constant_columns(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("a,b\n" + "".join(f"2.5,{k % 9}\n" for k in range(300)))
    data = load_series(path)
    assert (data.season, data.horizon, data.context, data.known) == (1, 12, 36, ())
    assert data.notes == ("c.csv: constant in training, scaled by 1: a",)
    assert data.series[0].scaled()[:, 1].tolist() == [0.0] * 300
    assert load_series(path, season=9).horizon == 9


def test_refusals(tmp_path: Path, no_data: Path) -> None:
    path = write(tmp_path, "one.csv", 60)
    for settings, message in [
        ({"targets": ["B"]}, "no numeric column is called 'B'; did you mean b\\?|there are a, b"),
        ({"targets": ["b"], "known": ["b"]}, "at least one column that is not known ahead"),
        ({"known": ["a", "b"]}, "at least one column that is not known ahead"),
        ({"horizon": -1}, "wanted horizon, context and season from 1"),
        ({"split": (0.7, 0.2, 0.2)}, "wanted shares whose sum is at most 1"),
        ({"split": (0.7, 0.2, 0)}, "wanted three numbers above 0"),
        ({"split": (10, 2.5, 10)}, "wanted three shares or three counts of rows"),
    ]:
        with pytest.raises(ConfigError, match=message):
            load_series(path, **settings)
    with pytest.raises(DataError, match="came 60 rows for 50, 10 and 10"):
        load_series(path, split=(50, 10, 10))
    with pytest.raises(DataError, match="no window of 36 steps and 12 ahead fits into train"):
        load_series(path)
    with pytest.raises(DataError, match=r"Airline Passengers: wanted airline-passengers.csv in"):
        load_series("airline")
    with pytest.raises(ConfigError, match="wanted train, valid or test and a stride from 1, came 'all', 1"):
        load_series(path, horizon=2, context=5).windows("all")
    (no_data / "data").mkdir()
    write(no_data / "data", "ETTh1.csv", 60)
    with pytest.raises(DataError, match="is not ETTh1: came 60 rows, wanted 17,420"):
        load_series("etth1")
