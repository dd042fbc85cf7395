"""A network heard step by step gives what it gives over the whole sequence."""

import numpy as np
import pytest
import torch

import gatelab
from edge_cells import EDGES
from gatelab import cells
from gatelab.errors import ConfigError, ShapeError
from gatelab.nn import GRU, LSTM, RNN, Bernoulli, Stream
from layers import same

WRAPPED = ["lstm+layer-norm", "fgr+layer-norm", "lstm-blocks+zoneout=0.2", "gru+recurrent-dropout=0.3"]


def heard(stream, x):
    """Return the outputs of all steps of x [T, B, I] or [T, I]."""
    steps = [stream.step(row) for row in x]
    return torch.stack(steps) if isinstance(x, torch.Tensor) else np.stack(steps)


def layer_of(name, inputs=5, hidden=6, dtype=torch.float32, engine="auto", **options):
    torch.manual_seed(0)
    return gatelab.Recurrent(name, inputs, hidden, engine=engine, dtype=dtype, **options)


@pytest.mark.parametrize("engine", ["tile", "reference"])
@pytest.mark.parametrize("batch", [1, 3, 7])
@pytest.mark.parametrize("name", [*cells.CATALOGUE, *WRAPPED])
def test_every_cell(name, batch, engine):
    layer = layer_of(name, hidden=38, num_layers=2, engine=engine, dtype=torch.float64)
    stream, x = Stream(layer, batch_size=batch), torch.randn(9, batch, 5, dtype=torch.float64)
    assert stream.engine.name == engine
    output, state = layer.eval()(x)
    same([heard(stream, x)], [output.detach()])
    states = [stream.state, state] if isinstance(state, torch.Tensor) else [*stream.state, *state]
    same(states[: len(states) // 2], [s.detach() for s in states[len(states) // 2 :]])


@pytest.mark.parametrize("name", cells.CATALOGUE)
def test_every_cell_in_float32(name):
    layer, x = layer_of(name, hidden=128, num_layers=2), torch.randn(9, 5)
    same([heard(Stream(layer), x)], [layer(x)[0].detach()], 1e-6)


@pytest.mark.parametrize("edge", [e for e in EDGES if e.parameters], ids=lambda c: c.name)
def test_edges_from_given_states(edge):
    layer = layer_of(edge, dtype=torch.float64, num_layers=3)
    widths = [1 if s.width == "1" else 6 for s in edge.states]
    starts = tuple(torch.randn(3, 2, w, dtype=torch.float64) for w in widths)
    starts = starts if len(starts) > 1 else starts[0]
    x = torch.randn(4, 2, 5, dtype=torch.float64)
    stream = Stream(layer, batch_size=2)
    stream.state = starts
    output, _ = layer(x, starts)
    same([heard(stream, x)], [output.detach()], 1e-12)


@pytest.mark.parametrize("layer", [LSTM(5, 6, 2), GRU(5, 6, bias=False), RNN(5, 6, nonlinearity="relu")])
def test_torch_s_layers(layer):
    x = torch.randn(7, 5)
    same([heard(Stream(layer), x)], [layer(x)[0].detach()], 1e-6)


@pytest.mark.parametrize("head", [torch.nn.Linear(6, 4), torch.nn.Linear(6, 1, bias=False), Bernoulli(6, 3)])
@pytest.mark.parametrize("engine", ["tile", "reference"])
def test_a_head(head, engine):
    layer = layer_of("gru", engine=engine)
    x = torch.randn(7, 3, 5)
    wanted = head(layer(x)[0]).detach()
    same([heard(Stream(layer, head, 3), x)], [wanted], 1e-6)
    found = heard(Stream(layer, head), x[:, 0].numpy())
    np.testing.assert_allclose(found, wanted[:, 0].numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("engine", ["tile", "reference"])
def test_what_comes_goes(engine):
    """numpy in, numpy out; [I] in, [H] out; what was given out is not written again."""
    stream = Stream(layer_of("lstm", engine=engine))
    x = np.random.default_rng(0).standard_normal((2, 5)).astype(np.float32)
    first = stream.step(x[0])
    kept = first.copy()
    assert isinstance(first, np.ndarray)
    assert first.shape == (6,)
    assert stream.step(x[1:]).shape == (1, 6)
    assert (first == kept).all()
    stream.reset()
    tensor = stream.step(torch.from_numpy(x[0]).requires_grad_())
    assert isinstance(tensor, torch.Tensor)
    assert (tensor.numpy() == kept).all()


def test_states_are_copies_and_go_back():
    stream, x = Stream(layer_of("lstm")), torch.randn(5)
    stream.step(x)
    saved = stream.state
    second = stream.step(x)
    assert not torch.equal(stream.state[0], saved[0])
    stream.state = saved
    assert torch.equal(stream.step(x), second)
    stream.state = None
    assert not any(s.any() for s in stream.state)


def test_weights_are_those_of_when_it_was_made():
    layer, x = layer_of("lstm"), torch.randn(5)
    stream = Stream(layer)
    wanted = layer(x[None])[0][0].detach()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(1)
    same([stream.step(x)], [wanted], 1e-6)


def test_a_type_that_the_tile_machine_has_not():
    layer = layer_of("gru", dtype=torch.bfloat16)
    stream, x = Stream(layer), torch.randn(4, 5, dtype=torch.bfloat16)
    assert stream.engine.name == "reference"
    assert "bfloat16" in stream.engine.reason
    same([heard(stream, x)], [layer(x)[0].detach()], 2e-2)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Stream(layer_of("gru", bidirectional=True)), "bidirectional=False"),
        (lambda: Stream(torch.nn.LSTM(3, 4)), "wanted a layer of gatelab"),
        (lambda: Stream(layer_of("gru"), batch_size=0), "batch_size: wanted"),
        (lambda: Stream(layer_of("gru"), torch.nn.Tanh()), "head: wanted torch.nn.Linear"),
        (lambda: Stream(layer_of("gru"), torch.nn.Linear(7, 2)), "head: wanted 6 inputs"),
        (lambda: Stream(layer_of("gru"), torch.nn.Linear(6, 2).double()), "head: wanted torch.float32"),
    ],
)
def test_what_is_no_stream(make, said):
    with pytest.raises((ConfigError, ShapeError), match=said):
        make()


@pytest.mark.parametrize("engine", ["tile", "reference"])
@pytest.mark.parametrize(
    ("came", "said"),
    [
        (np.ones(4, np.float32), r"\[I\] = \[5\]"),
        (np.ones((2, 5), np.float32), r"got \[2, 5\]"),
        (np.ones(5), "of float64|of torch.float64"),
        (torch.ones(1, dtype=torch.float32), r"got \[1\]"),
        ([1.0] * 5, "list"),
    ],
)
def test_steps_that_do_not_fit(engine, came, said):
    with pytest.raises(ShapeError, match=said):
        Stream(layer_of("gru", engine=engine)).step(came)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (torch.ones(1, 1, 6), "wanted 2 state"),
        ((torch.ones(1, 1, 6), torch.ones(1, 1, 5)), "state c: wanted"),
        ((torch.ones(1, 1, 6), torch.ones(1, 1, 6).double()), "state c: wanted"),
    ],
)
def test_states_that_do_not_fit(state, said):
    stream = Stream(layer_of("lstm"))
    with pytest.raises(ShapeError, match=said):
        stream.state = state
