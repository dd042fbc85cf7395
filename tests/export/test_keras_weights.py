"""Weights of Keras' layers, against the equations of its documentation written in numpy."""

import numpy as np
import pytest
import torch

from gatelab.errors import ConfigError, DataError, ShapeError
from gatelab.export import from_keras

RNG = np.random.default_rng(0)


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def lstm(x, w):
    """keras.layers.LSTM: z = x K + h R + b, cut into i, f, c, o."""
    h = c = np.zeros((len(x), len(w["recurrent_kernel"])))
    for t in range(x.shape[1]):
        z = x[:, t] @ w["kernel"] + h @ w["recurrent_kernel"] + w.get("bias", 0)
        i, f, g, o = np.split(z, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        yield h


def gru_after(x, w):
    """keras.layers.GRU with reset_after=True: the reset gate acts on h R + b_recurrent."""
    h = np.zeros((len(x), len(w["recurrent_kernel"])))
    b_input, b_recurrent = w.get("bias", np.zeros((2, 1)))
    for t in range(x.shape[1]):
        x_z, x_r, x_h = np.split(x[:, t] @ w["kernel"] + b_input, 3, axis=1)
        h_z, h_r, h_h = np.split(h @ w["recurrent_kernel"] + b_recurrent, 3, axis=1)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        h = z * h + (1 - z) * np.tanh(x_h + r * h_h)
        yield h


def gru_before(x, w):
    """keras.layers.GRU with reset_after=False: the reset gate acts on h."""
    h = np.zeros((len(x), len(w["recurrent_kernel"])))
    r_z, r_r, r_h = np.split(w["recurrent_kernel"], 3, axis=1)
    for t in range(x.shape[1]):
        x_z, x_r, x_h = np.split(x[:, t] @ w["kernel"] + w.get("bias", 0), 3, axis=1)
        z, r = sigmoid(x_z + h @ r_z), sigmoid(x_r + h @ r_r)
        h = z * h + (1 - z) * np.tanh(x_h + (r * h) @ r_h)
        yield h


def simple(x, w, activation=np.tanh):
    h = np.zeros((len(x), len(w["recurrent_kernel"])))
    for t in range(x.shape[1]):
        h = activation(x[:, t] @ w["kernel"] + h @ w["recurrent_kernel"] + w.get("bias", 0))
        yield h


def rectified(x, w):
    return simple(x, w, lambda v: np.maximum(v, 0))


def weights(gates, inputs, hidden, *bias):
    found = {
        "kernel": RNG.normal(size=(inputs, gates * hidden)),
        "recurrent_kernel": RNG.normal(size=(hidden, gates * hidden)) / 2,
    }
    return found | ({"bias": RNG.normal(size=(*bias[:-1], gates * hidden))} if bias else {})


def named(prefix, found):
    return {prefix + k: v for k, v in found.items()}


def outputs(step, x, w):
    return np.stack(list(step(x, w)), axis=1)


KINDS = {
    "lstm": (lstm, 4, (1,), {}),
    "lstm, no bias": (lstm, 4, (), {}),
    "gru": (gru_after, 3, (2, 1), {}),
    "gru, no bias": (gru_after, 3, (), {"reset_after": True}),
    "gru before": (gru_before, 3, (1,), {}),
    "gru before, no bias": (gru_before, 3, (), {"reset_after": False}),
    "simple": (simple, 1, (1,), {}),
    "relu": (rectified, 1, (), {"activation": "relu"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_two_layers_from_a_file(kind, tmp_path):
    step, gates, bias, options = KINDS[kind]
    low, high = weights(gates, 3, 5, *bias), weights(gates, 5, 5, *bias)
    np.savez(tmp_path / "a.npz", **named("a/", low), **named("b/", high))
    layer = from_keras(tmp_path / "a.npz", ["a/", "b/"], **options)
    x = RNG.normal(size=(2, 7, 3))
    wanted = outputs(step, outputs(step, x, low), high)
    found = layer(torch.from_numpy(x))[0].detach().numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", ["lstm", "gru", "gru before", "simple"])
def test_both_directions(kind):
    step, gates, bias, options = KINDS[kind]
    first = weights(gates, 3, 5, *bias), weights(gates, 3, 5, *bias)
    second = weights(gates, 10, 5, *bias), weights(gates, 10, 5, *bias)
    prefixes = [("low/forward/", "low/backward/"), ("high/forward/", "high/backward/")]
    tensors = {}
    for pair, parts in zip(prefixes, (first, second), strict=True):
        for prefix, part in zip(pair, parts, strict=True):
            tensors |= {k: torch.from_numpy(v) for k, v in named(prefix, part).items()}
    x = y = RNG.normal(size=(2, 7, 3))
    for ahead, back in (first, second):
        y = np.concatenate([outputs(step, y, ahead), outputs(step, y[:, ::-1], back)[:, ::-1]], axis=2)
    found = from_keras(tensors, prefixes, **options)(torch.from_numpy(x))[0].detach().numpy()
    np.testing.assert_allclose(found, y, rtol=1e-10, atol=1e-10)


def tensors(gates, inputs, hidden, *bias):
    return {k: torch.from_numpy(v) for k, v in weights(gates, inputs, hidden, *bias).items()}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kernel": torch.ones(3, 19).double()}, r"kernel: wanted \[I, 20\], got \[3, 19\]"),
        ({"recurrent_kernel": torch.ones(5, 10).double()}, r"recurrent_kernel: wanted \[H, 4 · H\]"),
        ({"bias": torch.ones(2, 20).double()}, r"bias: wanted \[20\], got \[2, 20\]"),
        ({"bias": torch.ones(20)}, "bias: wanted torch.float64"),
        ({"bias": torch.ones(20).double() / 0}, "bias: wanted finite"),
        ({"kernel": None}, "kernel is missing; there are recurrent_kernel, bias"),
        ({"moment": torch.ones(3)}, "moment belongs to no layer of Keras"),
    ],
)
def test_tensors_that_do_not_fit(changes, said):
    found = {k: v for k, v in (tensors(4, 3, 5, 1) | changes).items() if v is not None}
    with pytest.raises((DataError, ShapeError), match=said):
        from_keras(found)


def test_layers_that_do_not_fit():
    low = {f"a/{k}": v for k, v in tensors(4, 3, 5, 1).items()}
    with pytest.raises(ShapeError, match="b/recurrent_kernel: wanted H, gates, bias and type"):
        from_keras(low | {f"b/{k}": v for k, v in tensors(4, 5, 5).items()}, ["a/", "b/"])
    with pytest.raises(ShapeError, match="b/kernel: wanted 5 rows"):
        from_keras(low | {f"b/{k}": v for k, v in tensors(4, 6, 5, 1).items()}, ["a/", "b/"])
    with pytest.raises(DataError, match="no tensor begins with 'c/'"):
        from_keras(low, ["a/", "c/"])


@pytest.mark.parametrize(
    ("layers", "options", "found", "said"),
    [
        ([], {}, tensors(4, 3, 5), "layers: wanted a prefix"),
        (["a/", ("b/", "c/")], {}, tensors(4, 3, 5), "layers: wanted a prefix"),
        ([""], {}, tensors(3, 3, 5), "say reset_after=True or False"),
        ([""], {"reset_after": True}, tensors(3, 3, 5, 1), "reset_after=True was said"),
    ],
)
def test_what_has_to_be_said(layers, options, found, said):
    with pytest.raises(ConfigError, match=said):
        from_keras(found, layers, **options)
