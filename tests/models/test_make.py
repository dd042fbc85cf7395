"""A training that becomes a model: it goes on where it was stopped, and with nothing else."""

import json
import signal
import subprocess
import sys
import time

import pytest
import torch

import gatelab
from gatelab.errors import ConfigError, RunError
from gatelab.models.folder import load
from gatelab.models.make import make, order

EPOCHS = {"max_epochs": 6, "patience": 6}


class StoppedError(Exception):
    """Stands for Ctrl-C."""


def _stop_at(count):
    def report(epoch):
        if epoch.epoch == count:
            raise StoppedError

    return report


@pytest.mark.parametrize("name", ["language", "classify", "music"])
def test_a_stopped_training_ends_with_the_weights_of_an_undisturbed_one(name, posed, tmp_path):
    asked = order(posed(name), gatelab.cells.get("gru"), 5, training=EPOCHS, seed=3)
    make(tmp_path / "whole", asked)
    for epoch in (1, 4):
        with pytest.raises(StoppedError):
            make(tmp_path / "parts", asked, _stop_at(epoch))
        assert not (tmp_path / "parts" / "model.json").exists()
    make(tmp_path / "parts", asked)
    whole, parts = (tmp_path / n / "weights.safetensors" for n in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()
    assert (tmp_path / "whole" / "model.json").read_text() == (tmp_path / "parts" / "model.json").read_text()


@pytest.mark.slow
def test_a_killed_command_goes_on_to_the_same_weights(made_up, command, tmp_path):
    arguments = [
        "train", made_up / "classes.npz", "--cell", "lstm", "--hidden", "6", "--epochs", "25",
        "--patience", "25", "--batch-size", "4", "--out",
    ]  # fmt: skip
    assert command(*arguments, tmp_path / "whole").returncode == 0
    words = [sys.executable, "-m", "gatelab", *map(str, arguments), str(tmp_path / "parts")]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    metrics, until = tmp_path / "parts" / "training" / "metrics.jsonl", time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        if metrics.exists() and metrics.read_text().count("\n") >= 3:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = command(*arguments, tmp_path / "parts")
    assert done.returncode == 0, done.stderr
    whole, parts = (tmp_path / n / "weights.safetensors" for n in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()
    again = command(*arguments, tmp_path / "parts")  # that ended before
    assert again.returncode == 0
    assert b"epoch 1: " not in again.stdout
    assert whole.read_bytes() == parts.read_bytes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden_size": 6}, "hidden size: 5, not 6"),
        ({"cell": "lstm"}, "another cell than lstm"),
        ({"body": {"layers": 2}}, "layers: 1, not 2"),
        ({"training": {"max_epochs": 2}}, "max_epochs: 1, not 2"),
        ({"learning_rate": 0.5}, "learning rate: "),
        ({"seed": 1}, "seed: 0, not 1"),
        ({"name": "frames"}, "task: 'classify', not 'frames'"),
    ],
)
def test_a_folder_goes_on_with_nothing_else(change, said, posed, folders, tmp_path):
    before = (folders("classify") / "weights.safetensors").read_bytes()
    wanted = {"name": "classify", "cell": "gru", "hidden_size": 5, "training": {"max_epochs": 1}} | change
    name, cell = wanted.pop("name"), wanted.pop("cell")
    asked = order(posed(name), gatelab.cells.get(cell), **wanted)
    with pytest.raises(RunError) as refused:
        make(folders("classify"), asked)
    assert said in str(refused.value)
    assert "--out" in str(refused.value)
    assert (folders("classify") / "weights.safetensors").read_bytes() == before


def test_a_training_that_nobody_knows_is_not_gone_on_with(posed, tmp_path):
    asked = order(posed("classify"), gatelab.cells.get("gru"), 5, training=EPOCHS)
    with pytest.raises(StoppedError):
        make(tmp_path, asked, _stop_at(1))
    (tmp_path / "training" / "order.json").unlink()
    with pytest.raises(RunError, match=r"order\.json is missing"):
        make(tmp_path, asked)


def test_the_card_says_how_it_was_trained(folders, posed):
    card = load(folders("classify")).card
    assert card.task == posed("classify").record()
    assert card.hidden_size == 5
    assert card.training.max_epochs == 1
    low, high = posed("classify").rates
    assert 2.718**low < card.learning_rate < 2.72**high
    text = json.loads((folders("classify") / "model.json").read_text())
    assert set(text["measures"]) == {"valid", "test"}


def test_a_rate_that_is_told_is_the_rate(posed):
    cell = gatelab.cells.get("gru")
    assert order(posed("music"), cell, 3, learning_rate=0.00123456).learning_rate == 0.00123456


def test_orders_draw_no_random_numbers(posed):
    torch.manual_seed(1)
    order(posed("music"), gatelab.cells.get("gru"), 3)
    after = torch.rand(2)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(2))


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("classify", {"learning_rate": 0.0}, "learning rate"),
        ("classify", {"learning_rate": float("nan")}, "learning rate"),
        ("classify", {"seed": -1}, "seed"),
        ("classify", {"body": {"layers": 0}}, "layers"),
        ("classify", {"body": {"layers": 10**12}}, "layers"),
        ("classify", {"body": {"dropout": 1.0}}, "dropout"),
        ("classify", {"training": {"max_epochs": 0}}, "max_epochs"),
        *[
            (name, {"body": {"bidirectional": True}}, "says what comes next")
            for name in ("music", "tune", "waveform", "language", "translate")
        ],
    ],
)
def test_impossible_orders_are_refused(name, change, said, posed):
    with pytest.raises(ConfigError, match=said):
        order(posed(name), gatelab.cells.get("gru"), 4, **change)


def test_two_at_once_are_refused(posed, tmp_path):
    from gatelab.runs import locked

    asked = order(posed("classify"), gatelab.cells.get("gru"), 4, training={"max_epochs": 1})
    (tmp_path / "training").mkdir()
    with locked(tmp_path / "training"), pytest.raises(RunError, match="another process"):
        make(tmp_path, asked)


def test_a_diverged_training_leaves_no_model(posed, tmp_path):
    task = posed("classify")
    asked = order(task, gatelab.cells.get("gru"), 4, training={"max_epochs": 2}, learning_rate=1e30)
    with pytest.raises(RunError, match="try a smaller learning rate"):
        make(tmp_path, asked)
    assert not (tmp_path / "model.json").exists()
