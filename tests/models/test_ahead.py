"""Forecasts of a model: what the task answers for the same window, in the table's own units."""

import numpy as np
import pytest
import torch

import gatelab
from gatelab.errors import ConfigError, DataError
from gatelab.models.ahead import forecast
from gatelab.models.folder import load
from gatelab.models.make import make, order
from gatelab.tasks import open_task
from gatelab.tasks.forecast import median


def _cut(table, row, target):
    """Write a table's header and the rows before a row."""
    lines = table.read_text().splitlines()
    target.write_text("\n".join([*lines[: row + 1], ""]))
    return target


def _agrees(model, task, table, tmp_path, places):
    windows = task._windows["test"]
    for place in places:
        series, row = (int(k) for k in windows[place])
        found = forecast(model, _cut(table, row, tmp_path / table.name))
        batch = task.batch("test", [place])
        with torch.no_grad():
            answers = task._future(model.network(batch.inputs), batch)
        data = task.data.series[series]
        scaled = data.scaled()[row - task.data.context : row, : task.targets].astype(np.float32)
        level, spread = scaled.mean(0), np.maximum(scaled.std(0), 0.1)
        middle = median(task.blueprint.head, answers).numpy() * spread + level
        count = task.targets
        wanted = middle * data.std[:count] + data.mean[:count]
        assert np.allclose(found.quantiles[:, 1], wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
        assert np.array_equal(found.past, data.values[row - task.data.context : row, :count])


@pytest.mark.parametrize("name", ["forecast", "quantiles"])
def test_it_is_what_the_task_answers_for_the_same_window(name, folders, posed, made_up, tmp_path):
    _agrees(load(folders(name)), posed(name), made_up / "series.csv", tmp_path, [0, 3, -1])


@pytest.mark.parametrize(("name", "file"), [("airline", "airline-passengers.csv"), ("etth1", "ETTh1.csv")])
def test_on_real_tables_too(name, file, real_data, tmp_path):
    task = open_task(name)
    asked = order(task, gatelab.cells.get("gru"), 4, training={"max_epochs": 1, "batch_size": 512})
    make(tmp_path / "model", asked)
    _agrees(load(tmp_path / "model"), task, real_data / "time_series" / file, tmp_path, [0, -1])


def test_quantiles_rise_and_times_go_on(folders, made_up):
    found = forecast(load(folders("quantiles")), made_up / "series.csv", (0.2, 0.5, 0.6, 0.9))
    assert found.targets == ("Load", "Heat")
    assert (np.diff(found.quantiles, axis=1) > 0).all()
    assert found.time.astype("datetime64[M]").astype(str).tolist() == ["1960-01", "1960-02", "1960-03"]
    assert str(found.past_time[-1])[:7] == "1959-12"
    first = found.rows()[1]
    assert (first["step"], first["time"], first["target"]) == (1, "1960-01-01", "Heat")
    assert list(first)[3:] == ["q0.2", "q0.5", "q0.6", "q0.9"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("Heat", "Heatt"), "wanted the numeric column 'Heat'.*did you mean Heatt"),
        (lambda text: "\n".join(text.split("\n")[:6]) + "\n", "wanted at least 9 rows.*came 5"),
        (lambda text: text.replace("1950-0", "1950-01-0"), "cannot|wanted"),
        (lambda text: _undated(text), "came without times"),
        (lambda text: _daily(text), "in steps of day, of which the calendar says"),
        (lambda text: _last(text, "1e300"), "far larger"),
        (lambda text: _last(text, ""), "try fill"),
    ],
)
def test_tables_that_do_not_fit_are_refused(change, said, folders, made_up, tmp_path):
    table = tmp_path / "series.csv"
    table.write_text(change((made_up / "series.csv").read_text()))
    with pytest.raises(DataError, match=said):
        forecast(load(folders("forecast")), table)


def _undated(text):
    return "\n".join(line.partition(",")[2] for line in text.split("\n"))


def _daily(text):
    lines = text.strip().split("\n")
    days = np.arange("2001-01-01", "2002-01-01", dtype="datetime64[D]")[: len(lines) - 1]
    body = [f"{day},{line.partition(',')[2]}" for day, line in zip(days, lines[1:], strict=True)]
    return "\n".join([lines[0], *body, ""])


def _last(text, heat):
    lines = text.strip().split("\n")
    month, _, load = lines[-1].split(",")
    return "\n".join([*lines[:-1], f"{month},{heat},{load}", ""])


def test_gaps_are_filled_where_that_is_asked_for(folders, made_up, tmp_path):
    table = tmp_path / "series.csv"
    table.write_text(_last((made_up / "series.csv").read_text(), ""))
    found = forecast(load(folders("forecast")), table, fill=True)
    assert np.isfinite(found.quantiles).all()


def test_each_table_of_several_has_its_own_scale(tmp_path):
    shops = tmp_path / "shops"
    shops.mkdir()
    random = np.random.default_rng(0)
    for k, name in enumerate(("north.csv", "south.csv")):
        values = 10.0 ** (3 * k) * (5 + random.normal(size=90).cumsum())
        (shops / name).write_text("sales\n" + "".join(f"{v:.5f}\n" for v in values))
    task = open_task(str(shops), "forecast", {"horizon": 2, "context": 8})
    make(tmp_path / "model", order(task, gatelab.cells.get("gru"), 4, training={"max_epochs": 1}))
    model = load(tmp_path / "model")
    _agrees(model, task, shops / "south.csv", tmp_path, [-1])
    known = forecast(model, shops / "south.csv")
    renamed = tmp_path / "west.csv"
    renamed.write_bytes((shops / "south.csv").read_bytes())
    other = forecast(model, renamed)  # unknown: by the scale of the table itself, which is near
    assert np.allclose(known.quantiles, other.quantiles, rtol=0.5)
    assert np.abs(known.quantiles[:, 1] - known.past[-1]).max() < 20 * np.ptp(known.past)


def test_other_models_and_impossible_levels_are_refused(folders, made_up):
    with pytest.raises(ConfigError, match="of kind classify does not forecast"):
        forecast(load(folders("classify")), made_up / "series.csv")
    with pytest.raises(ConfigError, match="wanted rising"):
        forecast(load(folders("forecast")), made_up / "series.csv", (0.9, 0.1))
    with pytest.raises(ConfigError, match=r"q: wanted 0\.1 to 0\.9"):
        forecast(load(folders("quantiles")), made_up / "series.csv", (0.05, 0.5))
    with pytest.raises(DataError, match="is not there"):
        forecast(load(folders("forecast")), made_up / "nowhere.csv")


def test_what_only_the_user_knows_ahead_is_told(made_up, tmp_path):
    task = open_task(
        str(made_up / "series.csv"), "forecast",
        {"horizon": 3, "context": 9, "known": "Heat", "target": "Load"},
    )  # fmt: skip
    make(tmp_path / "model", order(task, gatelab.cells.get("gru"), 4, training={"max_epochs": 1}))
    with pytest.raises(ConfigError, match="wants to know 'Heat' ahead"):
        forecast(load(tmp_path / "model"), made_up / "series.csv")
