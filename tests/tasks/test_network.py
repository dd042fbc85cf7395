"""What stands around the recurrent layers: noise on inputs, and how embeddings start."""

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

import gatelab
from gatelab.runs import Body
from gatelab.tasks.blueprint import Blueprint

VECTORS = Blueprint(inputs=3, head="categorical", outputs=4)
LSTM = gatelab.cells.get("lstm")


def _sequences():
    torch.manual_seed(5)
    return [torch.randn(n, 3) for n in (9, 6, 2)]


@pytest.mark.parametrize("packed", [True, False])
def test_inputs_are_noisy_in_training_alone(packed):
    network = VECTORS.network(LSTM, 5, Body())
    sequences = _sequences()
    inputs = pack_sequence(sequences) if packed else torch.stack([s[:2] for s in sequences], 1)
    clean = network(inputs)
    assert torch.equal(network.train()(inputs), clean)
    network.input_noise = 0.5
    assert torch.equal(network.eval()(inputs), clean)
    network.train()
    assert not torch.allclose(network(inputs), clean)
    assert not torch.equal(network(inputs), network(inputs))


def test_the_noise_has_the_deviation_that_was_asked_for():
    network = VECTORS.network(LSTM, 5, Body()).train()
    network.input_noise = 0.5
    seen = []
    network.recurrent.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    inputs = torch.full((40, 50, 3), 2.0)
    network(inputs)
    noise = seen[0] - inputs
    assert noise.std().item() == pytest.approx(0.5, rel=0.05)
    assert noise.mean().item() == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("spread", [1.0, 0.1])
def test_embeddings_start_with_their_spread(spread):
    blueprint = Blueprint(
        symbols=300, embedding=20, head="categorical", outputs=300, source_symbols=200, spread=spread
    )
    network = blueprint.network(LSTM, 5, Body())
    for embedding in (network.encoder, network.read):
        assert embedding.weight.std().item() == pytest.approx(spread, rel=0.1)
