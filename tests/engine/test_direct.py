import gc
import weakref

import pytest
import torch

from gatelab.engine.direct import Sink, writing
from gatelab.nn import Recurrent


def gradients(network, x, direct, twice=False, zero=True):
    """Return the gradients of the weights and of the input, written or handed on."""
    x = x.clone().requires_grad_()
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight) if zero else weight.grad
    sink = Sink({id(w): w.grad for w in network.parameters()} if direct else {})
    with writing(sink):
        output, last = network(x)
        last = last[0] if isinstance(last, tuple) else last
        loss = output.square().sum() + last.sum()
        if twice:
            loss = loss + network(x * 2)[0].sum()
    loss.backward()
    return {n: w.grad.clone() for n, w in network.named_parameters()}, x.grad


@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru", "fgr", "mut2", "lstm-blocks"])
@pytest.mark.parametrize("twice", [False, True])
def test_gradients_are_those_that_torch_hands_on(cell, twice):
    torch.manual_seed(0)
    network = Recurrent(cell, 5, 6, num_layers=2, bidirectional=True).double()
    x = torch.randn(7, 3, 5, dtype=torch.float64)
    wanted, to_input = gradients(network, x, False, twice)
    found, direct_input = gradients(network, x, True, twice)
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(direct_input, to_input, rtol=1e-12, atol=1e-12)


def test_weights_of_another_network_are_torchs_affair():
    mine, other = Recurrent("gru", 2, 3), Recurrent("gru", 2, 3)
    sink = Sink({id(w): torch.zeros_like(w) for w in mine.parameters()})
    with writing(sink):
        other(torch.randn(4, 1, 2))[0].sum().backward()
    assert all(w.grad is not None for w in other.parameters())
    assert not sink.written


def test_a_derivative_of_the_derivative_is_refused():
    network = Recurrent("gru", 2, 3)
    x = torch.randn(4, 1, 2, requires_grad=True)
    with writing(Sink({id(w): torch.zeros_like(w) for w in network.parameters()})):
        output, _ = network(x)
    (to_input,) = torch.autograd.grad(output.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        to_input.sum().backward()


def test_nothing_holds_itself_alive():
    network = Recurrent("gru", 2, 3)
    gc.collect()
    gc.disable()
    try:
        x = torch.randn(4, 1, 2)
        alive = weakref.ref(x)
        with writing(Sink({id(w): torch.zeros_like(w) for w in network.parameters()})):
            output, _ = network(x)
        del x
        assert alive() is not None
        del output, _
        assert alive() is None
    finally:
        gc.enable()
