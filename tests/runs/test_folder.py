"""Run folders: written whole or not at all; foreign, damaged and busy ones refused in one line."""

import json

import pytest

from gatelab import errors
from gatelab.runs import Epoch, Training, build, create, locked, open_run, read_run, results, write_atomic
from gatelab.runs import folder as folder_module
from gatelab.search import comparison


@pytest.fixture
def plan():
    return comparison("chorales", ["tanh", "gru"], parameters=500, trials=2, repeats=1)


@pytest.fixture
def run(tmp_path, plan):
    return create(tmp_path, plan)


def test_a_run_is_found_again_by_its_name(tmp_path, plan, run):
    assert run.name == plan.name
    assert create(tmp_path, plan) == run
    assert open_run(run) == plan
    other = comparison("chorales", ["tanh", "gru"], parameters=500, trials=2, repeats=1, seed=1)
    assert other.name != plan.name


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    path = tmp_path / "x"
    write_atomic(path, "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module.os, "fsync", full)
    with pytest.raises(errors.RunError, match=r"the disk is full; what was written before is kept"):
        write_atomic(path, "new")


def test_one_process_works_on_a_run(run):
    with locked(run), pytest.raises(errors.RunError, match="being worked on by another process"), locked(run):
        pass
    with locked(run):
        pass


def _config(run, **changes):
    path = run / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda run: _config(run, format=1), "is of format 1, this gatelab reads format 2"),
        (lambda run: _config(run, seeed=2), "is damaged: seeed.*did you mean seed"),
        (lambda run: _config(run, learning_rates=[-1.0]), "learning_rates.0"),
        (lambda run: (run / "config.json").write_text('{"format": 1, "ta'), "cannot be read"),
        (lambda run: (run / "config.json").write_bytes(b"\xff\xfe\x00"), "cannot be read"),
        (lambda run: (run / "config.json").write_text("[" * 100_000), "cannot be read"),
        (lambda run: (run / "config.json").write_text("[1]"), "format None"),
        (lambda run: (run / "config.json").unlink(), "holds no config.json"),
    ],
)
def test_foreign_and_half_written_runs_are_refused(run, damage, said):
    damage(run)
    with pytest.raises(errors.RunError, match=said) as caught:
        read_run(run)
    assert "\n" not in str(caught.value)


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(errors.RunError, match="is no folder"):
        read_run(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["environment.json", "baselines.json"])
@pytest.mark.parametrize("content", ["[1]", '{"a": [1]}', "null", "{"])
def test_damaged_facts_are_refused(run, name, content):
    (run / name).write_text(content)
    with pytest.raises(errors.RunError, match=name):
        read_run(run)


def _trial(run, name, trial, outcome=None, metrics=""):
    place = run / "trials" / name
    place.mkdir()
    (place / "trial.json").write_text(json.dumps(trial))
    (place / "metrics.jsonl").write_text(metrics)
    if outcome:
        (place / "outcome.json").write_text(json.dumps(outcome))


def _said(unit, stage, number, test, status="finished"):
    trial = {"unit": unit, "stage": stage, "number": number, "learning_rate": 0.1, "seed": 0}
    nll = {} if test is None else {"train": test, "valid": test, "test": test, "best_epoch": 1}
    outcome = {"status": status, "reason": "r", "epochs": 1, "updates": 3, "seconds": 0.5, **nll}
    return f"{unit}-{stage}-{number:02d}", trial, outcome


def test_results_are_the_best_validated_trial_and_its_repeats(run):
    for said in [
        _said("tanh", "search", 0, 9.0),
        _said("tanh", "search", 1, 8.0),
        _said("tanh", "repeat", 0, 8.5),
        _said("gru", "search", 0, None, "diverged"),
    ]:
        _trial(run, *said)
    tanh, gru = results(read_run(run))
    assert tanh.best.trial.number == 1
    assert tanh.test_seeds == (8.5,)
    assert gru.best is None
    assert not read_run(run).complete
    _trial(run, *_said("gru", "search", 1, None, "diverged"))
    assert read_run(run).complete


def test_metrics_are_read_to_the_last_whole_line(run):
    line = json.dumps(Epoch(epoch=1, updates=2, seconds=0.1, train=9.0, valid=8.0).model_dump())
    name, trial, _ = _said("tanh", "search", 0, 9.0)
    _trial(run, name, trial, metrics=line + "\n" + line[:20])
    assert len(read_run(run).trials[0].epochs) == 1
    (run / "trials" / name / "metrics.jsonl").write_text("oops\n" + line + "\n")
    with pytest.raises(errors.RunError, match=r"metrics.jsonl, line 1, is no JSON"):
        read_run(run)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"optimizer": "rmsprob"}, "optimizer: input should be 'rmsprop', 'sgd' or 'adam', got 'rmsprob'"),
        ({"patiance": 3}, "patiance.*did you mean patience"),
        ({"batch_size": 0}, "batch_size: .*greater than or equal to 1, got 0"),
        ({"weight_noise": float("nan")}, "weight_noise: .*finite"),
    ],
)
def test_impossible_settings_are_told_in_one_line(change, said):
    with pytest.raises(errors.ConfigError, match=said):
        build(Training, **change)
