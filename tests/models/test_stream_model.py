"""Trained networks heard step by step, compared with what they say of whole sequences."""

import numpy as np
import pytest
import torch

import gatelab
from gatelab.errors import ConfigError, RunError, ShapeError
from gatelab.models import SymbolStream
from gatelab.models.folder import card_of, save
from gatelab.nn import SampledSoftmax, Stream
from gatelab.runs import Body, Training
from gatelab.runs.config import Measure
from gatelab.runs.config import Task as Record
from gatelab.tasks.blueprint import HEADS, Blueprint


def _network(cell="lstm", body=None, hidden=6, **made):
    torch.manual_seed(1)
    blueprint = Blueprint(**{"outputs": 4, "head": "categorical", **made})
    return blueprint.network(gatelab.cells.get(cell), hidden, body or Body(layers=2)).eval()


def _vectors(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _compare(heard, network, inputs):
    """Compare answers to steps of B sequences with those to the whole, [T, B, …]."""
    came = np.stack([heard.step(x) for x in inputs])
    wanted = network(torch.from_numpy(inputs)).detach()
    if isinstance(network.head, SampledSoftmax):  # answers with hidden rows, a stream with logits
        wanted = network.head.affine(wanted).detach()
    wanted = wanted.unflatten(0, inputs.shape[:2]).numpy()
    np.testing.assert_allclose(came, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("head", sorted(HEADS.keys() - {"adaptive"}))  # that is no affine map
def test_every_head(head, batch):
    network = _network(head=head, inputs=3)
    heard = gatelab.stream(network, batch)
    assert isinstance(heard, Stream)
    _compare(heard, network, _vectors(7, batch, 3))


@pytest.mark.parametrize("head", ["gaussian", "student", "quantiles", "mixture"])
def test_heads_that_bend_on_the_reference_engine(head):
    network = _network(head=head, inputs=3).double()
    network.recurrent.wanted_engine = "reference"
    came = [gatelab.stream(network).step(x) for x in _vectors(1, 3).astype(np.float64)]
    wanted = network(torch.from_numpy(_vectors(1, 1, 3)).double()).detach().numpy()
    np.testing.assert_allclose(came, wanted, rtol=1e-10)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("cell", ["lstm", "gru", "cifg"])
@pytest.mark.parametrize("embedding", [0, 5])
def test_symbols(embedding, cell, batch):
    network = _network(cell, symbols=7, embedding=embedding)
    heard = gatelab.stream(network, batch)
    assert isinstance(heard, SymbolStream)
    assert heard.symbols == 7
    _compare(heard, network, np.random.default_rng(0).integers(0, 7, (9, batch)))


def test_one_symbol_and_its_states():
    heard = gatelab.stream(_network(symbols=7))
    first = heard.step(3)
    assert first.shape == (4,)
    kept = heard.state
    second = heard.step(np.int64(5))
    assert np.abs(first - second).max() > 1e-4
    heard.state = kept
    np.testing.assert_array_equal(heard.step(torch.tensor(5)), second)
    heard.reset()
    np.testing.assert_array_equal(heard.step(np.array([3]))[0], first)
    assert heard.engine.reason


def test_a_sequence_s_answer_so_far():
    network = _network(inputs=3, reads="end")
    heard, inputs = gatelab.stream(network), _vectors(6, 3)
    for n, x in enumerate(inputs, 1):
        wanted = network(torch.from_numpy(inputs[:n, None])).detach().numpy()[0]
        np.testing.assert_allclose(heard.step(x), wanted, rtol=1e-4, atol=1e-5)


def test_a_folder(tmp_path):
    unit, blueprint = gatelab.cells.get("gru"), Blueprint(inputs=88, head="bernoulli", outputs=88)
    record = Record(
        kind="music", dataset="made-up", load="made-up", title="Made up", source="here", digest="ab",
        sequences=(9, 5, 4), steps=(90, 50, 40), input_size=88, output_size=88,
        measures=(Measure(name="NLL"),), headline="NLL",
    )  # fmt: skip
    card = card_of(
        unit, task=record, blueprint=blueprint, hidden_size=6, body=Body(), kept={}, training=Training(),
        learning_rate=0.1, seed=0, measures={},
    )  # fmt: skip
    folder = save(tmp_path / "model", card, blueprint.network(unit, 6, Body()))
    model = gatelab.load(folder)
    x = _vectors(88)
    np.testing.assert_array_equal(gatelab.stream(folder).step(x), gatelab.stream(model).step(x))
    _compare(gatelab.stream(str(folder)), model.network, x[None, None])


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: _network(inputs=3, body=Body(bidirectional=True)), ConfigError, "bidirectional"),
        (lambda: _network(symbols=7, embedding=5, source_symbols=6), ConfigError, "whole sentence"),
        (lambda: torch.nn.Linear(3, 4), ConfigError, "wanted a model, its network or its folder"),
        (lambda: "nowhere", RunError, "no folder"),
    ],
)
def test_what_cannot_be_heard(make, error, said):
    with pytest.raises(error, match=said):
        gatelab.stream(make())


@pytest.mark.parametrize("embedding", [0, 5])
@pytest.mark.parametrize("symbol", [7, -1, np.array([7]), np.array([2, 3]), np.array([2.0]), 2.5, "a"])
def test_what_is_no_symbol(embedding, symbol):
    with pytest.raises(ShapeError, match="symbol"):
        gatelab.stream(_network(symbols=7, embedding=embedding)).step(symbol)


def test_one_symbol_for_several_sequences():
    with pytest.raises(ShapeError, match=r"wanted \[B\] = \[3\]"):
        gatelab.stream(_network(symbols=7), 3).step(1)
