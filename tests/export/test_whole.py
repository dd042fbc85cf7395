"""Whole networks as ONNX: heads in both types, and parts that do not fit."""

import numpy as np
import onnxruntime
import pytest
import torch

import gatelab
from gatelab.errors import ConfigError, ShapeError
from gatelab.export import Parts, onnx_network
from gatelab.nn import (
    CTC,
    Bernoulli,
    Categorical,
    Gaussian,
    GaussianMixture,
    Quantiles,
    StudentT,
)

HEADS = {
    "linear": lambda width: torch.nn.Linear(width, 3, bias=False),
    "bernoulli": lambda width: Bernoulli(width, 3),
    "categorical": lambda width: Categorical(width, 3),
    "ctc": lambda width: CTC(width, 3),
    "gaussian": lambda width: Gaussian(width, 3, floor=0.01),
    "student": lambda width: StudentT(width, 3, floor=0.02),
    "quantiles": lambda width: Quantiles(width, 3, levels=(0.1, 0.5, 0.7)),
    "one quantile": lambda width: Quantiles(width, 3, levels=(0.5,)),
    "mixture": lambda width: GaussianMixture(width, 2, components=3),
}


def _layers(cell="lstm", inputs=4, hidden=5, **options):
    torch.manual_seed(0)
    return gatelab.Recurrent(cell, inputs, hidden, **options).eval()


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("far", [1.0, 60.0])
@pytest.mark.parametrize("make", HEADS.values(), ids=HEADS)
def test_heads_near_and_far_from_their_floors(make, far, dtype):
    layers, head = _layers().to(dtype), make(5).to(dtype)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=far)
    model = onnx_network(Parts(layers, head))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = torch.randn(6, 3, 4, dtype=dtype)
    wanted = head(layers(x)[0]).numpy()
    (came,) = session.run(None, {"input": x.numpy()})
    declared = [d.dim_param or d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim]
    assert declared == ["T", "B", *wanted.shape[2:]]
    limit = 1e-5 if dtype == torch.float32 else 1e-8  # torch's softplus is x above 20, e⁻²⁰ = 2e-9 away
    np.testing.assert_allclose(came, wanted, rtol=limit, atol=limit * far)


@pytest.mark.parametrize("native", [True, False])
def test_the_states_alone(native):
    layers = _layers("gru", num_layers=2)
    model = onnx_network(Parts(layers), ends=True, lengths=True, native=native)
    assert [o.name for o in model.graph.output] == ["final_h"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x, lengths = torch.randn(7, 3, 4), torch.tensor([7, 2, 5])
    wanted = layers(x, lengths=lengths)[1].detach().numpy()
    (came,) = session.run(None, {"input": x.numpy(), "lengths": lengths.numpy()})
    np.testing.assert_allclose(came, wanted, atol=1e-5)


def test_what_is_said_of_the_cell_stays():
    model = onnx_network(Parts(_layers("cifg"), Categorical(5, 2)), said={"task": "mine", "name": "other"})
    said = {p.key: p.value for p in model.metadata_props}
    assert (said["gatelab.task"], said["gatelab.name"]) == ("mine", "cifg")


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: Parts(torch.nn.LSTM(4, 5)), ConfigError, "wanted a layer of gatelab"),
        (lambda: Parts(_layers(batch_first=True)), ConfigError, "batch_first=False"),
        (lambda: Parts(_layers(), torch.nn.Tanh()), ConfigError, "wanted a head of Linear"),
        (lambda: Parts(_layers(), torch.nn.ReLU()), ConfigError, "got ReLU"),
        (lambda: Parts(_layers(), Categorical(7, 2)), ShapeError, "wanted 5 inputs"),
        (lambda: Parts(_layers(), Categorical(5, 2).double()), ShapeError, "wanted torch.float32"),
        (lambda: Parts(_layers(), Categorical(5, 2), symbols=9), ShapeError, "symbols: wanted 4"),
        (
            lambda: Parts(_layers(), Categorical(5, 2), 9, torch.nn.Embedding(9, 3)),
            ShapeError,
            r"embedding: wanted \[9, 4\]",
        ),
        (
            lambda: Parts(_layers(), Categorical(5, 2), 8, torch.nn.Embedding(9, 4)),
            ShapeError,
            r"embedding: wanted \[8, 4\]",
        ),
    ],
)
def test_parts_that_do_not_fit(make, error, said):
    with pytest.raises(error, match=said):
        onnx_network(make())
