"""A study's trials in torch alone: the same losses while both learn, and trials an hour of what was timed."""

import json

import pytest
import torch

from gatelab.bench import plain, trials
from gatelab.cells import get
from gatelab.data import load_music
from gatelab.errors import ConfigError, EngineError
from gatelab.graph.data import to_data
from gatelab.runs import Training
from gatelab.runs.study import Key, StudyCell, StudyTask, study_plan
from gatelab.tasks import MusicTask, open_task

TRAINING = Training(
    optimizer="sgd", normalized_momentum=True, loss="sum", batch_size=1, weight_noise=0.0, max_norm=None,
    init_deviation=0.1, max_epochs=9,
)  # fmt: skip
SPACE = {"hidden_size": {"kind": "uniform", "low": 4, "high": 7, "whole": True}}
SETTINGS = {"learning_rate": 1e-3, "momentum": 0.5, "input_noise": 0.2}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A file of the beginnings of a few chorales."""
    data = load_music("chorales")
    notes = {
        split: [[(step.nonzero()[0] + 21).tolist() for step in s[:6]] for s in getattr(data, split)[:5]]
        for split in ("train", "valid", "test")
    }
    path = tmp_path_factory.mktemp("music") / "few.json"
    path.write_text(json.dumps(notes))
    return path


def plan_of(path, cells=("lstm", "np", "gru"), training=TRAINING, count=1, **values):
    record = open_task(str(path), "music").record()
    return study_plan(
        name="speed", tasks=(StudyTask(name="few", record=record, training=training),), trials=count,
        cells=[StudyCell(name=c, cell=to_data(get(c))) for c in cells], space=SPACE, settings=SETTINGS,
        **values,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "way", "count"),
    [
        ("lstm", "loop", 4), ("lstm", "script", 4), ("np", "torch.nn", 1), ("gru", "loop", 4),
        ("gru", "torch.nn", 0),
    ],
)  # fmt: skip
def test_the_same_losses_while_both_learn(few, cell, way, count):
    task = MusicTask(load_music(few))
    settings = plan_of(few).of(Key("few", cell, 0))
    losses = trials.check(task, plain.Split(task.data.train), cell, settings, way)
    assert len(losses) == count
    assert len(set(losses)) == count


def test_other_losses_are_refused(few, monkeypatch):
    task = MusicTask(load_music(few))
    settings = plan_of(few).of(Key("few", "np", 0))
    monkeypatch.setattr(trials, "_optimizer", lambda model, rate, m: torch.optim.SGD(model.parameters(), 0.1))
    with pytest.raises(EngineError, match="np, loop: wanted the same loss after 1 updates"):
        trials.check(task, plain.Split(task.data.train), "np", settings, "loop")


def test_every_way_is_timed(few, tmp_path):
    plan = plan_of(few, cells=("lstm", "gru"))
    told = []
    timed = trials.measure(plan, epochs=2, rounds=1, told=told.append)
    assert told == timed
    assert [t.way for t in timed] == ["gatelab", "loop", "script", *trials.WAYS]
    assert all(len(t.epochs) == 2 and len(t.ends) == 1 and min(t.epochs + t.ends) > 0 for t in timed)
    columns, rows = trials.table(plan, timed, "{:.1f}".format)
    assert columns[1:] == list(trials.WAYS)
    assert [(r[0], r[4] == "–") for r in rows] == [("lstm", True), ("gru", False)]
    assert "9 epochs" in trials.remark(plan, timed)
    trials.write(tmp_path / "a" / "b.json", {}, plan, timed)


def test_an_hour():
    timed = trials.Timed("np", 0, 20, "loop", epochs=[1.0, 2.0, 2.0], ends=[0.5])
    assert timed.whole(10) == 20.5
    assert trials.an_hour([timed], "np", "loop", 10) == 3600 / 20.5
    assert trials.an_hour([timed], "np", "script", 10) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cells": ("nfg",)}, "cells of lstm, np, gru; got music and nfg"),
        ({"training": TRAINING.model_copy(update={"batch_size": 2})}, "without clipping"),
        ({"training": TRAINING.model_copy(update={"max_norm": 1.0})}, "without clipping"),
    ],
)
def test_studies_that_are_not_written_by_hand(few, values, said):
    with pytest.raises(ConfigError, match=said):
        trials.measure(plan_of(few, **values))
