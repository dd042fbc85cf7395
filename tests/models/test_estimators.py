"""Estimators on arrays: what they learn, what they promise scikit-learn, and what they save."""

import copy

import numpy as np
import pytest
import torch

import gatelab
from gatelab.data.arrays.pairs import load_labelled
from gatelab.errors import ConfigError, DataError, GatelabError, RunError, ShapeError
from gatelab.models.ahead import forecast
from gatelab.models.given import held_out, numbered
from gatelab.models.labels import label

QUICK = {"cell": "gru", "hidden_size": 8, "learning_rate": 0.02, "max_epochs": 10}


def _sequences(count=40, seed=0):
    """Return ragged sequences of two kinds, which differ in their mean, and their kinds."""
    random = np.random.default_rng(seed)
    kinds = np.arange(count) % 2
    return [random.normal(2 * k - 1, 0.5, (random.integers(3, 9), 2)) for k in kinds], kinds


def _steps(count=40, seed=0):
    """Return sequences whose steps are labelled by their sign, [N, 7, 2] and [N, 7]."""
    x = np.random.default_rng(seed).normal(size=(count, 7, 2))
    return x, np.where(x[..., 0] > 0, "up", "down")


def _wave(steps=260, columns=1):
    time = np.arange(steps)[:, None]
    return 5 + 3 * np.sin(time / 3 + np.arange(columns)) + 0.01 * time


def clone(estimator):
    """Do what sklearn.base.clone does: the same class with copies of the parameters, each kept as it came."""
    params = {k: copy.deepcopy(v) for k, v in estimator.get_params(deep=False).items()}
    made = type(estimator)(**params)
    for name, value in made.get_params(deep=False).items():
        assert value is params[name], name
    return made


def test_a_classifier_learns():
    x, y = _sequences()
    names = np.array(["low", "high"])[y]
    model = gatelab.Classifier(**QUICK).fit(x, names)
    assert model.classes_.tolist() == ["high", "low"]
    new, kinds = _sequences(30, seed=1)
    assert model.score(new, np.array(["low", "high"])[kinds]) > 0.9
    chances = model.predict_proba(new)
    assert chances.shape == (30, 2)
    np.testing.assert_allclose(chances.sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(new), model.classes_[chances.argmax(1)])
    losses = [epoch["valid"] for epoch in model.history_]
    assert losses[-1] < losses[0]


def test_answers_are_each_sequence_s_own():
    """Neither the other sequences of a call nor their order have a say."""
    x, y = _sequences()
    model = gatelab.Classifier(bidirectional=True, **QUICK).fit(x, y)
    together = model.predict_proba(x)
    alone = np.concatenate([model.predict_proba([s]) for s in x])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(x[::-1]), together[::-1], atol=1e-6)


def test_a_labeller_learns():
    x, y = _steps()
    model = gatelab.Labeller(**QUICK).fit(x, y)
    new, wanted = _steps(20, seed=1)
    assert model.score(new, wanted) > 0.9
    assert model.predict(new).shape == (20, 7)
    assert model.predict_proba(new).shape == (20, 7, 2)
    ragged = [s[: 3 + k % 5] for k, s in enumerate(new)]
    found = model.predict(ragged)
    assert [len(f) for f in found] == [len(s) for s in ragged]
    for k, labels in enumerate(found):  # a network that does not look ahead says the same of a beginning
        np.testing.assert_array_equal(labels, model.predict(new)[k, : len(labels)])


@pytest.mark.parametrize("head", ["student", "gaussian", "quantiles"])
def test_a_forecaster_learns(head):
    series = _wave()
    model = gatelab.Forecaster(6, 18, head=head, **QUICK).fit(series)
    assert model.score(series) > 0.3
    assert model.predict(series).shape == (6, 1)
    assert model.predict(series[:, 0]).shape == (6,)
    quantiles = model.predict_quantiles(series, (0.2, 0.5, 0.8))
    assert quantiles.shape == (6, 3, 1)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    np.testing.assert_allclose(quantiles[:, 1], model.predict(series), rtol=1e-6)


def test_a_forecaster_of_several_series(tmp_path):
    given = [_wave(200, 2), 100 * _wave(150, 2)]
    model = gatelab.Forecaster(6, 18, **QUICK).fit(given)
    found = model.predict(given)
    assert [f.shape for f in found] == [(6, 2), (6, 2)]
    assert np.abs(found[1]).max() > 50 * np.abs(found[0]).max()
    with pytest.raises(ShapeError, match="wanted a list of 2 series"):
        model.predict(given[0])


def test_the_score_of_a_forecast_is_that_of_its_windows():
    series = _wave(160)[:, 0]
    model = gatelab.Forecaster(4, 12, season=5, **{**QUICK, "max_epochs": 2}).fit(series)
    ours = naive = 0.0
    for at in range(12, len(series) - 3):
        ahead = series[at : at + 4]
        ours += np.abs(model.predict(series[:at]) - ahead).sum()
        naive += np.abs(series[at - 5 : at - 1] - ahead).sum()
    assert model.score(series) == pytest.approx(1 - ours / naive, rel=1e-4)


ESTIMATORS = [gatelab.Classifier, gatelab.Labeller, gatelab.Forecaster]


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("cell", ["gru", gatelab.cells.get("cifg")], ids=["name", "cell"])
def test_parameters_as_scikit_learn_wants_them(kind, cell):
    estimator = kind(cell=cell, hidden_size=5, seed=3)
    assert estimator.get_params()["hidden_size"] == 5
    assert set(estimator.get_params()) == {k for k in vars(estimator) if not k.endswith("_")}
    again = clone(estimator)
    assert again.get_params() == estimator.get_params()
    assert again.set_params(hidden_size=7, dropout=0.1) is again
    assert (again.hidden_size, again.dropout, estimator.hidden_size) == (7, 0.1, 5)
    assert repr(again).startswith(f"{kind.__name__}(")
    assert "hidden_size=7" in repr(again)
    assert kind(hidden_size=-1).hidden_size == -1  # nothing is checked before fit
    with pytest.raises(ConfigError, match="no parameter 'hiden_size'; did you mean hidden_size"):
        estimator.set_params(hiden_size=3)


def test_the_same_seed_learns_the_same():
    x, y = _sequences()
    quick = {**QUICK, "max_epochs": 2}
    drawn = torch.random.get_rng_state()
    first, again, other = (gatelab.Classifier(seed=s, **quick).fit(x, y).predict_proba(x) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4
    assert torch.equal(torch.random.get_rng_state(), drawn)  # torch's own numbers are as they were


def test_training_stops_where_validation_does():
    x, _ = _sequences()
    noise = np.random.default_rng(5).integers(0, 2, len(x))
    model = gatelab.Classifier(**{**QUICK, "max_epochs": 60}, patience=2).fit(x, noise)
    losses = [epoch["valid"] for epoch in model.history_]
    assert len(losses) < 60
    assert int(np.argmin(losses)) == len(losses) - 3
    assert model.model_.card.measures["valid"]["NLL"] == pytest.approx(min(losses))


def test_nothing_is_held_out_that_is_learned():
    x, y = _sequences()
    doubled = [*x, *[s.copy() for s in x]]
    train, valid = held_out(doubled, np.tile(y, 2), 0.2, seed=0)
    assert sorted([*train, *valid]) == list(range(80))
    assert not {k % 40 for k in train} & {k % 40 for k in valid}  # a sequence's double is where it is
    assert np.bincount(np.tile(y, 2)[valid]).tolist() == [8, 8]
    speakers = [f"s{k % 5}" for k in range(40)]
    train, valid = held_out(x, y, 0.2, 0, speakers)
    assert not {speakers[k] for k in train} & {speakers[k] for k in valid}
    assert all(
        np.array_equal(a, b) for a, b in zip(held_out(x, y, 0.2, 4), held_out(x, y, 0.2, 4), strict=True)
    )


def test_inputs_are_scaled_by_training_alone():
    x, y = _sequences()
    model = gatelab.Classifier(**{**QUICK, "max_epochs": 1}).fit(x, y)
    train, _ = held_out(x, y, model.validation, model.seed)
    np.testing.assert_allclose(model.scale_.mean, np.concatenate([x[k] for k in train]).mean(0))
    series = _wave(200)
    model = gatelab.Forecaster(4, 12, validation=0.2, **{**QUICK, "max_epochs": 1}).fit(series)
    np.testing.assert_allclose(model.scales_[0][0], series[:160].mean(0))


def test_a_saved_classifier(tmp_path):
    x, y = _sequences()
    model = gatelab.Classifier(**QUICK).fit(x, y + 10)
    folder = model.save(tmp_path / "model")
    loaded = gatelab.load(folder)
    assert loaded.kind == "classify"
    assert loaded.card.task.sequences[2] == 0
    assert set(loaded.card.measures) == {"valid"}  # no test was made, none is told of
    for name, tensor in model.module_.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], tensor)
    again = gatelab.Classifier.load(folder)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.classes_.tolist() == [10, 11]
    assert again.hidden_size == 8
    heard = gatelab.stream(folder)
    for step in model.scale_.apply(x[0]):
        answers = heard.step(step)
    assert model.classes_[answers.argmax()] == model.predict(x[:1])[0]
    with pytest.raises(ConfigError, match="Labeller wanted a model of kind frames"):
        gatelab.Labeller.load(folder)
    with pytest.raises(ConfigError, match="Forecaster wanted a model of kind forecast"):
        gatelab.Forecaster.load(folder)


def test_a_saved_model_reads_files(tmp_path):
    x, y = _sequences()
    model = gatelab.Classifier(**QUICK).fit(x, np.array(["low", "high"])[y])
    np.savez(tmp_path / "new.npz", x=np.concatenate(x), lengths=[len(s) for s in x])
    said = list(label(gatelab.load(model.save(tmp_path / "model")), [tmp_path / "new.npz"]))
    assert [s.labels[0] for s in said] == model.predict(x).tolist()


def test_a_saved_labeller(tmp_path):
    x, y = _steps()
    model = gatelab.Labeller(**{**QUICK, "max_epochs": 2}).fit(x, y)
    again = gatelab.Labeller.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))


def test_a_saved_forecaster(tmp_path):
    series = _wave(200, 2)
    quick = {**QUICK, "max_epochs": 2}
    model = gatelab.Forecaster(4, 12, head="gaussian", columns=["a", "b"], **quick).fit(series)
    folder = model.save(tmp_path / "model")
    again = gatelab.Forecaster.load(folder)
    assert (again.horizon, again.context, again.head, again.columns) == (4, 12, "gaussian", ("a", "b"))
    np.testing.assert_array_equal(again.predict(series), model.predict(series))
    rows = "\n".join(f"{a:.17g},{b:.17g}" for a, b in series)
    (tmp_path / "new.csv").write_text(f"a,b\n{rows}\n")
    ahead = forecast(gatelab.load(folder), tmp_path / "new.csv")
    np.testing.assert_allclose(ahead.quantiles, model.predict_quantiles(series), rtol=1e-6)


def test_speakers_of_japanese_vowels(real_data):
    """Nine speakers from their cepstra: whoever reads it well finds nineteen of twenty."""
    data = load_labelled("japanese-vowels")
    names = np.array(data.classes)
    x, y = [*data.train.x, *data.valid.x], names[np.concatenate([data.train.y, data.valid.y])]
    model = gatelab.Classifier("gru", 32, bidirectional=True, learning_rate=0.01, max_epochs=10).fit(x, y)
    assert model.score(list(data.test.x), names[data.test.y]) > 0.94


def _fit(x, y, kind=gatelab.Classifier, **params):
    return kind(**{**QUICK, "max_epochs": 1, **params}).fit(x, y)


X, Y = _sequences(12)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: _fit(np.ones((4, 3)), [0, 1, 0, 1]), ShapeError, r"try X\[..., None\]"),
        (lambda: _fit([], []), ShapeError, "at least one sequence"),
        (lambda: _fit([1.0, 2.0], [0, 1]), ShapeError, r"X\[0\]: wanted \[T, I\]"),
        (lambda: _fit([*X, np.ones((3, 5))], [*Y, 0]), ShapeError, r"X\[12\]: .* I = 2, got \[3, 5\]"),
        (lambda: _fit([*X, [["a", "b"]]], [*Y, 0]), ShapeError, r"X\[12\]: wanted an array of numbers"),
        (lambda: _fit([*X[:-1], X[0] * np.nan], Y), DataError, r"X\[11\]: wanted finite numbers"),
        (lambda: _fit(X, Y[:-1]), ShapeError, "one label a sequence, 12, got 11"),
        (lambda: _fit(X, np.zeros(12)), DataError, "two classes or more, got 1"),
        (lambda: _fit(X, [[k] for k in Y]), ShapeError, r"wanted labels, .*got \[12, 1\]"),
        (lambda: _fit(X[:2], [0, 1]), DataError, "two different sequences"),
        (lambda: _fit([X[0]] * 4, [0, 1, 0, 1]), DataError, "two different sequences"),
        (lambda: _fit(X, Y, validation=1.5), ConfigError, "validation: wanted a share"),
        (lambda: _fit(X, Y, hidden_size=0), ConfigError, "hidden_size"),
        (lambda: _fit(X, Y, cell="lsmt"), ConfigError, "did you mean lstm"),
        (lambda: _fit(X, Y, dropout=1.0), ConfigError, "dropout"),
        (lambda: _fit(X, Y, kind=gatelab.Labeller), ShapeError, r"y\[0\]: wanted a label a step"),
        (lambda: gatelab.Classifier().predict(X), ConfigError, "learned nothing yet; call fit"),
        (lambda: gatelab.Classifier().module_, ConfigError, "learned nothing yet"),
        (lambda: gatelab.Forecaster().fit(np.ones((3, 4, 2))), ShapeError, r"wanted a series \[T\]"),
        (lambda: gatelab.Forecaster().fit(_wave(50)), DataError, "wanted more than 60 steps"),
        (lambda: gatelab.Forecaster(horizon=0).fit(_wave()), ConfigError, "horizon"),
        (lambda: gatelab.Forecaster(head="value").fit(_wave()), ConfigError, "head: wanted student"),
        (lambda: gatelab.Forecaster(columns=["a"]).fit(_wave(200, 2)), ConfigError, "2 different names"),
        (lambda: gatelab.Forecaster().fit(np.full(200, 3.0)), GatelabError, "repeats itself"),
        (lambda: gatelab.Classifier.load("nowhere"), RunError, "no folder"),
    ],
)
def test_what_cannot_be(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_tensors_and_rows_of_arrays_are_taken_too():
    x, y = _steps()
    model = gatelab.Labeller(**{**QUICK, "max_epochs": 1}).fit(torch.from_numpy(x), y)
    np.testing.assert_array_equal(model.predict(torch.from_numpy(x)), model.predict(x))
    rows = np.empty(2, object)
    rows[:] = [x[0, :3], x[1]]
    assert [len(labels) for labels in model.predict(rows)] == [3, 7]


def test_predictions_are_without_dropout_whatever_was_done_with_the_module():
    model = _fit(X, Y, dropout=0.5, layers=2)
    wanted = model.predict_proba(X)
    model.module_.train()
    np.testing.assert_array_equal(model.predict_proba(X), wanted)


def test_other_arrays_than_in_training():
    model = _fit(X, Y)
    with pytest.raises(ShapeError, match="I = 2"):
        model.predict([np.ones((4, 3))])
    with pytest.raises(ShapeError, match="one label a sequence"):
        model.score(X, Y[:-1])


def test_labels_as_pandas_keeps_them():
    assert numbered(np.array(["b", "a"], object))[0].tolist() == ["a", "b"]
    with pytest.raises(DataError, match="not finite"):
        numbered([0.5, np.nan])


@pytest.mark.parametrize("cell", ["lstm", "gru", "cifg"])
def test_a_layer_in_a_plain_torch_loop(cell):
    """Nothing of gatelab's own training is needed: it is a torch module like another."""
    torch.manual_seed(0)
    module = torch.nn.ModuleDict(
        {"layers": gatelab.Recurrent(cell, 2, 8, dropout=0.1, num_layers=2), "head": torch.nn.Linear(8, 2)}
    )
    optimiser = torch.optim.Adam(module.parameters(), lr=0.02)
    x, y = torch.randn(6, 32, 2), torch.arange(32) % 2
    x = x + y[:, None] - 0.5
    losses = []
    for _ in range(40):
        module.train()
        optimiser.zero_grad()
        output, _ = module["layers"](x)
        loss = torch.nn.functional.cross_entropy(module["head"](output[-1]), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_network_is_a_torch_module():
    """What Lightning and other trainers ask of a module: weights by name, modes, types, copies."""
    model = _fit(X, Y)
    network = model.module_
    assert isinstance(network, torch.nn.Module)
    assert not network.training
    assert network.train().training
    assert network.recurrent.training
    network.eval()
    other = copy.deepcopy(network)
    for parameter in other.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.randn(5, 3, 2)
    assert not torch.equal(other(x), network(x))
    assert not any(other.load_state_dict(network.state_dict()))
    assert torch.equal(other(x), network(x))
    double = other.to(torch.float64)
    torch.testing.assert_close(double(x.double()).float(), network(x))
    network.requires_grad_(False)
    assert not network(x).requires_grad
