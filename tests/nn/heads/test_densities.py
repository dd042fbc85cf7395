"""Gaussian, StudentT and GaussianMixture against torch's own distributions, in float64 and at extremes."""

import pytest
import torch
from torch import distributions

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn import Gaussian, GaussianMixture, StudentT

HEADS = {
    "gaussian": lambda: Gaussian(6, 4).double(),
    "student": lambda: StudentT(6, 4).double(),
    "mixture": lambda: GaussianMixture(6, 4, components=3).double(),
}


def distribution(head, answers):
    if isinstance(head, Gaussian):
        mean, log = answers.unbind(-2)
        return distributions.Independent(distributions.Normal(mean, log.exp()), 1)
    if isinstance(head, StudentT):
        place, log, freedom = answers.unbind(-2)
        return distributions.Independent(distributions.StudentT(freedom, place, log.exp()), 1)
    logits, means, logs = head.parts(answers)
    each = distributions.Independent(distributions.Normal(means, logs.exp()), 1)
    return distributions.MixtureSameFamily(distributions.Categorical(logits=logits), each)


@pytest.fixture(params=HEADS)
def head(request):
    torch.manual_seed(3)
    return HEADS[request.param]()


def test_nll_is_torchs(head):
    answers = head(3 * torch.randn(5, 7, 6, dtype=torch.float64))
    target = 2 * torch.randn(5, 7, 4, dtype=torch.float64)
    torch.testing.assert_close(head.nll(answers, target), -distribution(head, answers).log_prob(target))


def test_gradients(head):
    hidden = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    target = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda h, y: head.nll(head(h), y), (hidden, target))
    assert torch.autograd.gradgradcheck(lambda h: head.nll(head(h), target.detach()), (hidden,))


def test_float32_is_near_float64(head):
    answers = head(torch.randn(50, 6, dtype=torch.float64))
    target = 30 * torch.randn(50, 4, dtype=torch.float64)
    wanted = head.nll(answers, target)
    torch.testing.assert_close(
        head.nll(answers.float(), target.float()).double(), wanted, rtol=1e-5, atol=1e-5
    )


def test_moments_of_samples(head):
    answers = head(torch.randn(6, dtype=torch.float64)).detach()
    answers = answers.expand(200_000, *answers.shape)
    drawn = head.sample(answers, torch.Generator().manual_seed(5))
    wanted = distribution(head, answers[:1])
    torch.testing.assert_close(head.mean(answers[:1]), wanted.mean)
    spread = wanted.variance.sqrt()[0]
    assert ((drawn.mean(0) - wanted.mean[0]).abs() < 0.02 * spread).all()
    if not isinstance(head, StudentT):  # whose fourth moment may be infinite
        assert ((drawn.var(0).sqrt() / spread - 1).abs() < 0.02).all()


def test_data_far_from_all_means_and_tiny_scales():
    """In float32, far data has a large loss with a finite gradient."""
    for head in (GaussianMixture(3, 2, components=4), Gaussian(3, 2), StudentT(3, 2)):
        torch.manual_seed(1)
        hidden = torch.randn(4, 3)
        for parameter in head.parameters():
            parameter.data *= 50  # log-scales far below the floor and far above 0
        target = torch.tensor([[1e6, -1e6], [1e9, 1.0], [0.0, 1e-30], [-1e3, 1e12]])
        losses = head.nll(head(hidden), target)
        gradients = torch.autograd.grad(losses.sum(), list(head.parameters()))
        assert losses.isfinite().all()
        assert all(gradient.isfinite().all() for gradient in gradients)
        head.double()
        wanted = head.nll(head(hidden.double()), target.double())
        torch.testing.assert_close(losses.double(), wanted, rtol=1e-3, atol=1e-3)


def test_scales_stay_above_the_floor():
    head = Gaussian(2, 3, floor=0.5)
    head.affine.weight.data.fill_(-1e4)
    logs = head(torch.ones(1, 2))[:, 1]
    assert logs.exp().min() >= 0.5 * (1 - 1e-6)
    head.affine.weight.data.fill_(10.0)
    torch.testing.assert_close(head(torch.ones(1, 2))[:, 1], 20 + head.affine.bias[3:].unsqueeze(0))


def test_a_heavy_tail_becomes_a_gaussian():
    """Log-gammas of large numbers cancel: with ν = 10⁸ the loss is the Gaussian's, in float32, too."""
    target = torch.randn(20, 3)
    answers = torch.stack((torch.zeros(20, 3), torch.full((20, 3), 0.3), torch.full((20, 3), 1e8)), -2)
    wanted = Gaussian.nll(answers[:, :2], target)
    torch.testing.assert_close(StudentT.nll(answers, target), wanted, rtol=1e-5, atol=1e-5)


def test_quantiles_are_inverse():
    answers = HEADS["gaussian"]()(torch.randn(8, 6, dtype=torch.float64))
    mean, log = answers.unbind(-2)
    for q in (0.01, 0.5, 0.9):
        value = Gaussian.quantile(answers, q)
        torch.testing.assert_close(
            distributions.Normal(mean, log.exp()).cdf(value), torch.full_like(value, q)
        )


def test_students_quantiles_split_samples():
    answers = HEADS["student"]()(torch.randn(1, 6, dtype=torch.float64)).expand(100_000, 3, 4)
    drawn = StudentT.sample(answers, torch.Generator().manual_seed(2))
    place, log, freedom = answers[0]
    chi = torch.distributions.Chi2(freedom).sample((100_000,))
    other = place + log.exp() * torch.randn(100_000, 4, dtype=torch.float64) / (chi / freedom).sqrt()
    for q in (0.05, 0.5, 0.99):
        value = StudentT.quantile(answers, q)
        for values in (drawn, other):
            assert ((values < value).double().mean(0) - q).abs().max() < 0.006


def test_temperature_narrows():
    answers = Gaussian(6, 4)(torch.randn(50_000, 6))
    mean, log = answers.unbind(-2)
    drawn = Gaussian.sample(answers, torch.Generator().manual_seed(4), temperature=0.25)
    assert ((drawn - mean) / log.exp()).std().item() == pytest.approx(0.5, rel=0.02)


def test_the_mixture_of_the_waveform_task():
    head = GaussianMixture(46, 10)
    assert head(torch.randn(2, 46)).shape == (2, 20 + 2 * 200)
    assert sum(p.numel() for p in head.parameters()) == 47 * 420


def test_one_component_is_a_gaussian():
    head = GaussianMixture(3, 2, components=1).double()
    answers, target = head(torch.randn(9, 3, dtype=torch.float64)), torch.randn(9, 2, dtype=torch.float64)
    _, means, logs = head.parts(answers)
    torch.testing.assert_close(
        head.nll(answers, target), Gaussian.nll(torch.stack((means[:, 0], logs[:, 0]), -2), target)
    )
    assert not head.sample(answers).requires_grad


@pytest.mark.parametrize(
    ("call", "error", "word"),
    [
        (lambda: Gaussian(3, 2, floor=0.0), ConfigError, "floor"),
        (lambda: GaussianMixture(3, 2, components=0), ConfigError, "components"),
        (lambda: Gaussian.nll(torch.ones(5, 2, 3), torch.ones(5, 2)), ShapeError, "target: wanted"),
        (lambda: Gaussian.nll(torch.ones(5, 3, 3), torch.ones(5, 3)), ShapeError, "answers: wanted"),
        (lambda: StudentT.nll(torch.ones(3), torch.ones(3)), ShapeError, "answers: wanted"),
        (lambda: GaussianMixture(3, 2).nll(torch.ones(5, 99), torch.ones(5, 2)), ShapeError, "100"),
        (lambda: Gaussian.quantile(torch.ones(5, 2, 3), 1.0), ConfigError, "q: wanted"),
        (lambda: StudentT.quantile(torch.full((5, 3, 3), 3.0), 0.0), ConfigError, "q: wanted"),
        (lambda: StudentT(3, 2)(torch.ones(5, 4)), ShapeError, "hidden"),
    ],
)
def test_refusals(call, error, word):
    with pytest.raises(error, match=word):
        call()
