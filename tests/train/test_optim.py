import subprocess
import sys

import pytest
import torch

from gatelab.runs import Training
from gatelab.train.optim import noisy, optimizer_for, rescale


def _parameters():
    return [torch.nn.Parameter(torch.randn(40, 50)), torch.nn.Parameter(torch.randn(30))]


def test_noise_is_there_inside_and_gone_outside():
    parameters = _parameters()
    before = [p.detach().clone() for p in parameters]
    draws = []
    for _ in range(2):
        with noisy(parameters, 0.075):
            draws.append(
                torch.cat([(p - b).flatten() for p, b in zip(parameters, before, strict=True)]).detach()
            )
        assert all(torch.equal(p, b) for p, b in zip(parameters, before, strict=True))
    assert draws[0].std().item() == pytest.approx(0.075, rel=0.1)
    assert not torch.equal(*draws)


def test_noise_is_taken_away_when_something_fails():
    parameters = _parameters()
    before = [p.detach().clone() for p in parameters]
    with pytest.raises(ZeroDivisionError), noisy(parameters, 1.0):
        _ = 1 / 0
    assert all(torch.equal(p, b) for p, b in zip(parameters, before, strict=True))


def test_the_gradient_is_taken_at_the_noisy_weights():
    weight = torch.nn.Parameter(torch.zeros(1000))
    with noisy([weight], 0.5):
        (weight**2).sum().backward()
    assert weight.grad.std().item() == pytest.approx(1.0, rel=0.1)  # the gradient of w² is 2 w
    assert not weight.any()


def test_a_gradient_whose_square_overflows_is_rescaled():
    weights = torch.nn.Parameter(torch.zeros(4))
    weights.grad = torch.tensor([3e30, 0.0, -4e30, 1e10])
    assert rescale([weights], 1.0) == pytest.approx(5e30)
    torch.testing.assert_close(weights.grad, torch.tensor([0.6, 0.0, -0.8, 2e-21]))
    weights.grad = torch.tensor([float("inf"), 1.0, 1.0, 1.0])
    assert rescale([weights], 1.0) == float("inf")


def test_a_large_gradient_is_rescaled_and_a_small_one_left():
    parameters = _parameters()
    for p in parameters:
        p.grad = torch.ones_like(p)
    assert rescale(parameters, 1.0) == pytest.approx(2030**0.5, rel=1e-5)
    assert sum(float(p.grad.square().sum()) for p in parameters) == pytest.approx(1.0, rel=1e-4)
    norm = rescale(parameters, 10.0)
    assert norm == pytest.approx(1.0, rel=1e-4)
    assert sum(float(p.grad.square().sum()) for p in parameters) == pytest.approx(1.0, rel=1e-4)


TORCH = {
    "rmsprop": lambda w, t: torch.optim.RMSprop([w], 1e-2, alpha=t.decay),
    "sgd": lambda w, t: torch.optim.SGD([w], 1e-2, momentum=t.momentum, nesterov=True),
    "plain sgd": lambda w, t: torch.optim.SGD([w], 1e-2),
    "adam": lambda w, t: torch.optim.Adam([w], 1e-2),
}


@pytest.mark.parametrize("name", TORCH)
def test_updates_are_those_of_torch(name):
    training = Training(optimizer=name.split()[-1], decay=0.8, momentum=0.9 * (name == "sgd"))
    ours, theirs = (torch.nn.Parameter(torch.linspace(-3, 3, 1001)) for _ in range(2))
    optimizer, expected = optimizer_for(ours, training, 1e-2), TORCH[name](theirs, training)
    for seed in range(20):
        gradient = torch.randn(1001, generator=torch.Generator().manual_seed(seed)) * 10.0 ** (seed % 5 - 3)
        ours.grad, theirs.grad = gradient, gradient.clone()
        optimizer.step()
        expected.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)
        assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("name", ["rmsprop", "sgd", "adam"])
def test_a_memory_that_is_taken_over_goes_on_where_it_stood(name):
    def make():
        weights = torch.nn.Parameter(torch.ones(5))
        weights.grad = torch.arange(5.0)
        return optimizer_for(weights, Training(optimizer=name, momentum=0.9), 0.1)

    whole, first, second = make(), make(), make()
    for _ in range(4):
        whole.step()
    for _ in range(2):
        first.step()
    second.weights.data.copy_(first.weights.data)
    second.load({k: v.clone() for k, v in first.memory.items()})
    for _ in range(2):
        second.step()
    assert torch.equal(second.weights, whole.weights)


def test_a_memory_of_another_optimizer_is_refused():
    weights = torch.nn.Parameter(torch.ones(5))
    adam, rmsprop = (optimizer_for(weights, Training(optimizer=o), 0.1) for o in ("adam", "rmsprop"))
    with pytest.raises(ValueError, match="wanted an optimiser's memory"):
        rmsprop.load(adam.memory)


def test_no_compiler_is_imported_for_an_update():
    said = (
        "import sys, torch; from gatelab.runs import Training; from gatelab.train.optim import *\n"
        "w = torch.nn.Parameter(torch.ones(3)); w.grad = torch.ones(3)\n"
        "optimizer_for(w, Training(), 0.1).step(); rescale([w], 1.0)\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", said], check=True)
