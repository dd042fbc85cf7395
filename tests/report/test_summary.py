"""Several runs in one table: every number is that of the run's own report; the forms hold the same."""

import csv
import json
import shlex

import pytest

from gatelab.cli.main import app
from gatelab.errors import ConfigError
from gatelab.report.answer import standings
from gatelab.report.numbers import decimal, spread
from gatelab.report.repeat import repeat_commands
from gatelab.report.summary import as_csv, as_markdown, summary_table
from gatelab.runs import Body, Measure, read_run, write_json
from gatelab.stats import mean_interval


def test_a_row_says_what_the_report_says(run):
    columns, (row,) = summary_table([run])
    said = dict(zip(columns, row, strict=True))
    ranked = standings(run)
    for found in ranked:
        assert said[found.unit] == spread(mean_interval(list(found.tests.values())))
    assert said["task"] == "JSB Chorales"
    assert said["measure"] == "NLL [nats per step]"
    for name, value in run.baseline(run.config.task.measure).items():
        assert f"{name} {decimal(value)}" in said["baselines"]
    assert said["lead"].startswith(f"{ranked[0].unit} below {ranked[1].unit} by ")


def test_runs_of_other_units_share_the_table(run, fabricate, comparison, tmp_path):
    other = read_run(fabricate(comparison(units=("gru", "mut1")), where=tmp_path / "other"))
    empty = read_run(fabricate(comparison(seed=5), ended=0, where=tmp_path / "empty"))
    columns, rows = summary_table([run, other, empty])
    assert columns == (
        "task", "kind", "measure", "baselines", "tanh", "gru", "lstm", "mut1", "lead", "seconds"
    )  # fmt: skip
    assert rows[1][4] == rows[1][6] == rows[0][7] == "–"
    assert rows[2][4:9] == ["–"] * 5
    table = summary_table([run, other, empty])
    assert as_markdown(table).count("\n") == 5
    assert list(csv.reader(as_csv(table).splitlines())) == [list(columns), *rows]


def test_another_measure_is_asked_for_by_name(fabricate, comparison, tmp_path):
    config = comparison(repeats=2)
    two = (*config.task.measures, Measure(name="frame accuracy", unit="%", better="higher"))
    folder = fabricate(config.model_copy(update={"task": config.task.model_copy(update={"measures": two})}))
    for place in (folder / "trials").iterdir():
        said = json.loads((place / "outcome.json").read_text())
        if said["test"] is None:
            continue
        said["measures"] = {"test": {"frame accuracy": 100 - said["test"]}}
        write_json(place / "outcome.json", said)
    run = read_run(folder)
    columns, (row,) = summary_table([run], "frame accuracy")
    said = dict(zip(columns, row, strict=True))
    assert said["measure"] == "frame accuracy [%], higher is better"
    best = min(run.config.units, key=lambda u: sum(run.tests(u.name).values()))
    assert said["lead"].startswith(f"{best.name} above")
    with pytest.raises(ConfigError, match="did you mean frame accuracy"):
        summary_table([run], "frame acuracy")


def test_the_command_of_a_run_is_complete(fabricate, comparison, tmp_path):
    config = comparison(paper=None, body=Body(layers=2, bidirectional=True, dropout=0.25))
    task = config.task.model_copy(update={"kind": "language", "options": {"unroll": 50, "carry": False}})
    config = config.model_copy(update={"task": task})
    words = shlex.split(repeat_commands(config, tmp_path)[1])
    for part in (
        "--task language", "-o unroll=50", "-o carry=no", "--layers 2", "--bidirectional", "--dropout 0.25",
        "--input-noise 0",
    ):  # fmt: skip
        assert part in " ".join(words)
    from typer.main import get_command

    known = {o for p in get_command(app).commands["compare"].params for o in (*p.opts, *p.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known


def test_the_terminal_shows_it_and_files_hold_it(run, command, tmp_path):
    done = command("table", run.folder)
    assert done.returncode == 0, done.stderr
    assert "JSB Chorales" in done.stdout.decode()
    assert command("table", run.folder, "--out", tmp_path / "x.md").returncode == 0
    assert (tmp_path / "x.md").read_text() == as_markdown(summary_table([run]))
    refused = command("table", run.folder, "--out", tmp_path / "x.html")
    assert refused.returncode == 2
    assert "ends in .md or .csv" in refused.stderr.decode()
