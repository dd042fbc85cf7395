"""One vector behind all parameters, which stay ordinary parameters."""

import copy

import pytest
import torch
from safetensors.torch import load, save

import gatelab
from gatelab.train.flat import Flat


@pytest.fixture
def network(task):
    torch.manual_seed(1)
    return task.network(gatelab.cells.get("lstm"), 5)


def _loss(network, task):
    batch = task.batch("train", [0, 1, 2])
    return task.loss(network.head, network(batch.inputs), batch)


def test_the_parameters_are_pieces_of_the_vector(network):
    before = {k: v.detach().clone() for k, v in network.named_parameters()}
    flat = Flat(network)
    assert all(torch.equal(v, before[k]) for k, v in network.named_parameters())
    assert torch.equal(flat.vector, torch.cat([v.flatten() for v in before.values()]))
    assert all(type(p) is torch.nn.Parameter and p.is_leaf for p in network.parameters())
    with torch.no_grad():
        flat.vector += 1
    assert all(torch.equal(v, before[k] + 1) for k, v in network.named_parameters())


def test_the_gradient_is_that_of_an_ordinary_network(network, task):
    ordinary = copy.deepcopy(network)
    _loss(ordinary, task).backward()
    expected = torch.cat([p.grad.flatten() for p in ordinary.parameters()])
    flat = Flat(network)
    for _ in range(2):
        flat.zero_grad()
        _loss(network, task).backward()
        torch.testing.assert_close(flat.vector.grad, expected)
    assert expected.any()


def test_a_copy_and_a_state_dict_own_their_memory_and_are_read_back(network, task):
    flat = Flat(network)
    twin, before = copy.deepcopy(network), flat.vector.detach().clone()
    state = load(save({k: v.clone() for k, v in network.state_dict().items()}))
    with torch.no_grad():
        flat.vector.zero_()
    assert torch.equal(torch.cat([p.detach().flatten() for p in twin.parameters()]), before)
    network.load_state_dict(state)
    assert torch.equal(flat.vector, before)
    _loss(twin, task).backward()
    assert not flat.vector.grad.any()


def test_weights_of_another_number_are_refused(network):
    flat = Flat(network)
    flat.load(torch.ones_like(flat.vector))
    assert all(bool((p == 1).all()) for p in network.parameters())
    with pytest.raises(ValueError, match="wanted 2423 weights, got 3"):
        flat.load(torch.ones(3))


def test_noise_is_drawn_as_for_each_parameter_alone(network):
    flat = Flat(network)
    torch.manual_seed(5)
    expected = torch.cat([torch.randn_like(p).flatten() for p in network.parameters()])
    torch.manual_seed(5)
    assert torch.equal(flat.draw(flat.vector), expected)
