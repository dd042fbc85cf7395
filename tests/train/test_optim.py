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


def test_a_large_gradient_is_rescaled_and_a_small_one_left():
    parameters = _parameters()
    for p in parameters:
        p.grad = torch.ones_like(p)
    assert rescale(parameters, 1.0) == pytest.approx(2030**0.5, rel=1e-5)
    assert sum(float(p.grad.square().sum()) for p in parameters) == pytest.approx(1.0, rel=1e-4)
    norm = rescale(parameters, 10.0)
    assert norm == pytest.approx(1.0, rel=1e-4)
    assert sum(float(p.grad.square().sum()) for p in parameters) == pytest.approx(1.0, rel=1e-4)


def test_sgd_has_nesterov_momentum():
    sgd = optimizer_for(_parameters(), Training(optimizer="sgd", momentum=0.9), 0.1)
    assert sgd.defaults["nesterov"]
    assert sgd.defaults["momentum"] == 0.9
    assert not optimizer_for(_parameters(), Training(optimizer="sgd"), 0.1).defaults["nesterov"]
