import pytest

from gatelab.draw.importances import study_importance
from gatelab.draw.task_trials import TaskTrials
from made_studies import CELLS, OPTIMUM, made_study


@pytest.fixture(scope="module")
def trials():
    return TaskTrials(made_study(trials=80), "jsb")


def test_one_cell(trials):
    found = study_importance(trials, "lstm", trees=16, seeds=2)
    assert found.names == ("learning_rate", "hidden_size", "momentum", "input_noise")
    assert found.n == len(trials.with_result("lstm"))
    assert found.n < 80
    shares = {n: found.shares[n,].mean for n in found.names}
    assert max(shares, key=shares.get) == "learning_rate"
    assert min(shares, key=shares.get) == "momentum"
    rates = found.marginals["learning_rate"]
    assert rates.positions[rates.mean.argmin()] == pytest.approx(OPTIMUM, abs=0.15)


def test_all_cells_have_the_cell_as_a_dimension(trials):
    found = study_importance(trials, trees=8, seeds=1)
    assert found.names[-1] == "cell"
    assert found.n == sum(len(trials.with_result(c)) for c in CELLS[:3])
    cell = found.marginals["cell"]
    assert cell.mean[-1] > cell.mean[0]  # the last one learns less
    assert ("learning_rate", "cell") in found.pairs


def test_of_something_else(trials):
    found = study_importance(trials, "lstm", lambda t: t.seconds, trees=8, seeds=1)
    assert found.n == 80
    size = found.marginals["hidden_size"].mean
    assert size[-1] > 3 * size[0]


def test_where_higher_is_better_the_worst_are_clipped(trials, monkeypatch):
    lower = study_importance(trials, "lstm", trees=4, seeds=1)
    turned = TaskTrials(trials.record, "jsb")
    monkeypatch.setattr(TaskTrials, "lower", False)
    monkeypatch.setattr(TaskTrials, "value", lambda self, t, split="test": t.test and -t.test)
    higher = study_importance(turned, "lstm", trees=4, seeds=1)
    for name, share in lower.shares.items():
        assert higher.shares[name].mean == pytest.approx(share.mean)
    assert higher.marginals["momentum"].mean.tolist() == (-lower.marginals["momentum"].mean).tolist()
    assert (higher.pairs["momentum", "input_noise"] == -lower.pairs["momentum", "input_noise"]).all()


@pytest.mark.parametrize("ended", [0, 6])
def test_too_few(ended):
    trials = TaskTrials(made_study(ended=ended), "jsb")
    assert study_importance(trials, "lstm") is None
