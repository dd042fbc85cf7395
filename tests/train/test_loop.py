"""One training: repeatable, resumable at every write, and ended with a reason when it diverges."""

import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

import gatelab
from gatelab.errors import RunError
from gatelab.runs import Training, Trial
from gatelab.runs import folder as folder_module
from gatelab.runs.tables import read_trial
from gatelab.tasks import MusicTask
from gatelab.train import checkpoint, evaluate, loop, train

TRAINING = Training(batch_size=2, max_epochs=4, patience=3)
GRU = gatelab.cells.get("gru+zoneout=0.2")  # a cell that draws random numbers itself


def _trial(rate=1e-2, seed=3):
    return Trial(unit="gru", stage="search", number=0, learning_rate=rate, seed=seed)


def _run(folder, task, training=TRAINING, trial=None, **options):
    outcome = train(folder, trial or _trial(), task, GRU, 5, training, **options)
    return outcome.model_copy(update={"seconds": 0.0, "microseconds": None})


def _epochs(folder):
    return [e.model_copy(update={"seconds": 0.0}) for e in read_trial(folder).epochs]


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(tmp_path, task):
    first, second = _run(tmp_path / "a", task), _run(tmp_path / "b", task)
    assert first == second
    assert _epochs(tmp_path / "a") == _epochs(tmp_path / "b")
    assert _run(tmp_path / "c", task, trial=_trial(seed=4)).test != first.test


def test_the_caller_s_random_numbers_are_left_alone(tmp_path, task):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    _run(tmp_path, task)
    assert torch.equal(torch.rand(3), expected)


def test_it_learns(tmp_path, task):
    outcome = _run(tmp_path, task, Training(batch_size=2, max_epochs=40, patience=40, weight_noise=0))
    assert outcome.status == "finished"
    assert outcome.test < 8 < 88 * math.log(2)
    assert _epochs(tmp_path)[0].train > 20


def test_the_written_weights_give_the_written_numbers(tmp_path, task):
    outcome = _run(tmp_path, task)
    tensors, _ = checkpoint.read_tensors(tmp_path / "weights.safetensors")
    network = task.network(GRU, 5)
    network.load_state_dict(tensors)
    assert evaluate(network, task, "test") == outcome.test
    assert not (tmp_path / "checkpoint.safetensors").exists()


class Killed(BaseException):
    """Stands for kill -9: nothing in the project catches it."""


@pytest.mark.parametrize("when", ["before", "half", "after"])
def test_killed_at_every_write_it_ends_with_the_same_numbers(tmp_path, task, monkeypatch, when):
    expected = _run(tmp_path / "whole", task)
    real_replace, calls = folder_module.os.replace, [0]

    def replace(source, target):
        calls[0] += 1
        if calls[0] == kill_at and when != "after":
            if when == "half":  # the temporary file is left behind, half written
                source.write_bytes(source.read_bytes()[:10])
            raise Killed
        real_replace(source, target)
        if calls[0] == kill_at:
            raise Killed

    monkeypatch.setattr(folder_module.os, "replace", replace)
    kill_at, kills = 0, 0
    for kill_at in range(1, 30):
        folder, calls[0] = tmp_path / f"{when}{kill_at}", 0
        try:
            _run(folder, task)
        except Killed:
            kills += 1
        else:
            break
        calls[0] = -1000
        assert _run(folder, task) == expected, kill_at
        assert _epochs(folder) == _epochs(tmp_path / "whole"), kill_at
    assert kills >= 7


def test_interrupted_between_epochs_it_goes_on(tmp_path, task):
    expected = _run(tmp_path / "whole", task)

    def stop(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "cut", task, report=stop)
    with open(tmp_path / "cut" / "metrics.jsonl", "a") as file:
        file.write('{"epoch": 3, "upd')  # a line cut off by the crash
    heard = []
    assert _run(tmp_path / "cut", task, report=heard.append) == expected
    assert [e.epoch for e in heard] == [3, 4]
    assert _epochs(tmp_path / "cut") == _epochs(tmp_path / "whole")


def test_patience_ends_it(tmp_path, task):
    training = Training(batch_size=2, max_epochs=50, patience=2)
    outcome = _run(tmp_path, task, training, _trial(rate=1e-15))  # too small to move a weight
    assert outcome.reason == "no better validation for 2 epochs"
    assert outcome.epochs == outcome.best_epoch + 2
    assert outcome.status == "finished"


def test_divergence_ends_the_trial_with_its_reason(tmp_path, task):
    sgd = Training(optimizer="sgd", batch_size=2, max_epochs=5, max_norm=1e9, weight_noise=0)
    outcome = _run(tmp_path, task, sgd, _trial(rate=1e6))
    assert outcome.status == "diverged"
    assert "diverged" in outcome.reason or "norm became" in outcome.reason
    assert outcome.test is None


def test_a_number_that_is_not_finite_ends_it_and_keeps_the_best(tmp_path, task, monkeypatch):
    real, calls = loop.rescale, [0]

    def rescale(parameters, max_norm):
        calls[0] += 1
        return math.nan if calls[0] == 6 else real(parameters, max_norm)

    monkeypatch.setattr(loop, "rescale", rescale)
    outcome = _run(tmp_path, task)
    assert outcome.status == "diverged"
    assert outcome.reason == "the gradient's norm became nan at update 6"
    assert outcome.epochs == 1
    assert outcome.test is not None


def test_a_full_disk_is_told_and_what_was_written_is_kept(tmp_path, task, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    def stop(epoch):
        if epoch.epoch == 2:
            monkeypatch.setattr(folder_module.os, "fsync", full)

    with pytest.raises(RunError, match="the disk is full") as caught:
        _run(tmp_path / "cut", task, report=stop)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert not list((tmp_path / "cut").glob(".*tmp"))
    heard = []
    assert _run(tmp_path / "cut", task, report=heard.append) == _run(tmp_path / "whole", task)
    assert heard[0].epoch == 3


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", b"\xff" * 100])
def test_a_damaged_checkpoint_is_refused(tmp_path, task, damage):
    (tmp_path / "checkpoint.safetensors").write_bytes(damage)
    with pytest.raises(RunError, match=r"checkpoint.safetensors is damaged .* begin this trial anew"):
        _run(tmp_path, task)


def test_a_checkpoint_of_another_network_is_refused(tmp_path, task):
    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, task, report=stop)
    with pytest.raises(RunError, match="does not fit its trial"):
        train(tmp_path, _trial(), task, GRU, 6, TRAINING)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_every_optimizer_resumes(tmp_path, task, optimizer):
    training = Training(optimizer=optimizer, momentum=0.9, batch_size=2, max_epochs=3)
    expected = _run(tmp_path / "whole", task, training)

    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "cut", task, training, report=stop)
    assert _run(tmp_path / "cut", task, training) == expected


def test_a_checkpoint_of_an_earlier_format_is_refused(tmp_path, task):
    tensors = {f"weights/{k}": v for k, v in task.network(GRU, 5).state_dict().items()}
    metadata = {"format": "1", "progress": "{}"}
    (tmp_path / "checkpoint.safetensors").write_bytes(save(tensors, metadata))
    with pytest.raises(RunError, match="is no checkpoint of format 2"):
        _run(tmp_path, task)


def test_noise_on_inputs_changes_a_training_and_resumes(tmp_path, task):
    quiet = Training(batch_size=2, max_epochs=3, weight_noise=0)
    noisy = quiet.model_copy(update={"input_noise": 0.3})
    expected = _run(tmp_path / "whole", task, noisy)
    assert expected.train != _run(tmp_path / "quiet", task, quiet).train

    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "cut", task, noisy, report=stop)
    assert _run(tmp_path / "cut", task, noisy) == expected


def test_the_loss_of_a_sequence_can_be_its_sum(tmp_path, task):
    """With one sequence a batch, the sum is the mean times its steps, and plain descent moves that far."""
    plain = {"optimizer": "sgd", "weight_noise": 0.0, "max_norm": None, "batch_size": 1, "max_epochs": 1}
    steps = len(task.data.train[0])
    only = MusicTask(replace(task.data, train=task.data.train[:1]))
    summed = _run(None, only, Training(**plain, loss="sum"), _trial(1e-3))
    mean = _run(None, only, Training(**plain), _trial(1e-3 * steps))
    assert steps > 1
    assert summed.valid == pytest.approx(mean.valid, rel=1e-6)


def test_a_sum_is_averaged_over_the_sequences_of_a_batch(task):
    batch = task.batch("train", [0, 1, 2])
    assert batch.sequences == 3
    assert task.per_sequence(batch) == batch.terms / 3
