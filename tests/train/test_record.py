import pytest
import torch

from gatelab.cells import get
from gatelab.runs import Training, Trial
from gatelab.tasks import open_task
from gatelab.train import train

TRAINING = Training(max_epochs=2, weight_noise=0.0)
TRIAL = Trial(unit="tanh", stage="search", number=0, learning_rate=1e-3, seed=1)


@pytest.fixture(scope="module")
def parity():
    return open_task("parity", None, {"shortest": 3, "longest": 5, "epoch": 20, "held_out": 5})


def test_nothing_is_written_where_no_folder_is_given(parity, tmp_path):
    with_folder = train(tmp_path / "x", TRIAL, parity, get("tanh"), 3, TRAINING)
    before = set(tmp_path.rglob("*"))
    without = train(None, TRIAL, parity, get("tanh"), 3, TRAINING)
    assert set(tmp_path.rglob("*")) == before
    assert without.valid == with_folder.valid
    assert without.test == with_folder.test


def test_weights_from_one_normal_distribution(parity):
    outcomes = {
        d: train(None, TRIAL, parity, get("tanh"), 3, TRAINING.model_copy(update={"init_deviation": d}))
        for d in (None, 0.1, 0.2)
    }
    assert len({o.valid for o in outcomes.values()}) == 3


def test_what_a_report_raises_ends_the_training(parity):
    class EnoughError(Exception):
        pass

    def stop(epoch):
        raise EnoughError

    random = torch.get_rng_state()
    with pytest.raises(EnoughError):
        train(None, TRIAL, parity, get("tanh"), 3, TRAINING, report=stop)
    assert torch.equal(random, torch.get_rng_state())


def test_a_gradient_that_is_not_rescaled(parity):
    free = TRAINING.model_copy(update={"max_norm": None, "optimizer": "sgd"})
    tight = TRAINING.model_copy(update={"max_norm": 1e-6, "optimizer": "sgd"})
    assert (
        train(None, TRIAL, parity, get("tanh"), 3, free).valid
        != train(None, TRIAL, parity, get("tanh"), 3, tight).valid
    )
