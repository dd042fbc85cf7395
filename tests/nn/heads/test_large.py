"""Adaptive and sampled softmax, for large vocabularies."""

import pytest
import torch
from torch.nn import functional

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn import AdaptiveSoftmax, SampledSoftmax


def adaptive():
    torch.manual_seed(0)
    return AdaptiveSoftmax(16, 60, cutoffs=(10, 30), shrink=2.0).double()


def test_adaptive_probabilities_sum_to_one_and_are_the_loss():
    head = adaptive()
    hidden, target = torch.randn(4, 5, 16, dtype=torch.float64), torch.randint(60, (4, 5))
    logs = head.log_probabilities(head(hidden))
    torch.testing.assert_close(logs.exp().sum(-1), torch.ones(4, 5, dtype=torch.float64))
    torch.testing.assert_close(head.nll(hidden, target), -logs.gather(-1, target.unsqueeze(-1)).squeeze(-1))
    assert head.mode(hidden).tolist() == logs.argmax(-1).tolist()
    assert head.sample(hidden, top=1).tolist() == logs.argmax(-1).tolist()


def test_adaptive_gradients():
    head = adaptive()
    hidden = torch.randn(6, 16, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0, 9, 10, 29, 30, 59])
    assert torch.autograd.gradcheck(lambda h: head.nll(head(h), target), hidden)


@pytest.mark.parametrize("cutoffs", [(), (0, 5), (5, 5), (9, 4), (5, 60), (61,), (2.5,)])
def test_cutoffs_are_checked(cutoffs):
    with pytest.raises(ConfigError, match="cutoffs"):
        AdaptiveSoftmax(16, 60, cutoffs)


def test_adaptive_refuses():
    with pytest.raises(ConfigError, match="shrink"):
        AdaptiveSoftmax(16, 60, (5, 10, 20))
    with pytest.raises(ShapeError, match="classes 0 to 59, got 60"):
        adaptive().nll(torch.randn(1, 16).double(), torch.tensor([60]))


def sampled(samples, counts=None):
    torch.manual_seed(0)
    head = SampledSoftmax(8, 40, samples, counts).double()
    head.affine.weight.data *= 4
    return head, torch.randn(30, 8, dtype=torch.float64), torch.randint(40, (30,))


COUNTS = [None, torch.arange(40, 0, -1).square()]


@pytest.mark.parametrize("counts", COUNTS)
def test_evaluation_sums_all_classes(counts):
    head, hidden, target = sampled(5, counts)
    head.eval()
    wanted = functional.cross_entropy(head.affine(hidden), target, reduction="none")
    torch.testing.assert_close(head.nll(head(hidden), target), wanted)


@pytest.mark.parametrize("counts", COUNTS)
def test_the_sum_is_estimated_without_bias(counts):
    """exp(nll) · exp(x_t) is the estimated sum; its mean over many draws is the softmax's."""
    head, hidden, target = sampled(7, counts)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        draws = torch.stack([head.nll(hidden, target, generator).exp() for _ in range(8000)])
        wanted = functional.cross_entropy(head.affine(hidden), target, reduction="none").exp()
    error = draws.std(0) / 8000**0.5
    assert ((draws.mean(0) - wanted).abs() < 5 * error + 1e-9).all()


def test_many_samples_come_near_the_loss_and_its_gradient():
    head, hidden, target = sampled(200_000)
    hidden.requires_grad_()
    found = head.nll(hidden, target, torch.Generator().manual_seed(1)).mean()
    wanted = functional.cross_entropy(head.affine(hidden), target)
    torch.testing.assert_close(found, wanted, rtol=0.02, atol=0.02)
    weights = [hidden, *head.parameters()]
    for a, b in zip(torch.autograd.grad(found, weights), torch.autograd.grad(wanted, weights), strict=True):
        assert (a - b).abs().max() < 0.05 * b.abs().max()


@pytest.mark.parametrize("counts", COUNTS)
def test_proposals_are_drawn_as_often_as_they_say(counts):
    head, _, _ = sampled(400_000, counts)
    found = torch.bincount(head.propose(torch.Generator().manual_seed(2)), minlength=40) / 400_000
    assert (found - head.log_proposals.exp()).abs().max() < 3e-3
    torch.testing.assert_close(head.log_proposals.exp().sum(), torch.tensor(1.0, dtype=torch.float64))


def test_gradients_of_a_fixed_draw():
    head, hidden, target = sampled(6)
    hidden = hidden[:4].requires_grad_()
    assert torch.autograd.gradcheck(
        lambda h: head.nll(h, target[:4], torch.Generator().manual_seed(3)), hidden
    )


def test_every_draw_may_be_the_target():
    head = SampledSoftmax(3, 1, samples=4)
    assert head.nll(torch.randn(2, 3), torch.zeros(2, dtype=torch.int64)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("counts", "error"),
    [
        (torch.ones(39), ShapeError),
        ([1] * 40, ShapeError),
        (torch.arange(40), ConfigError),
        (torch.full((40,), float("nan")), ConfigError),
    ],
)
def test_counts_are_checked(counts, error):
    with pytest.raises(error, match="counts"):
        SampledSoftmax(3, 40, 5, counts)
