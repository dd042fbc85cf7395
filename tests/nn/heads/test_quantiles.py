import pytest
import torch

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn import Quantiles


def test_quantiles_never_cross():
    head = Quantiles(5, 3)
    head.affine.weight.data *= 30
    answers = head(10 * torch.randn(200, 5))
    assert answers.shape == (200, 9, 3)
    assert (answers.diff(dim=-2) >= 0).all()


def test_loss_is_the_pinball_loss():
    torch.manual_seed(0)
    head = Quantiles(5, 2, levels=(0.2, 0.7)).double()
    answers, target = head(torch.randn(30, 5, dtype=torch.float64)), torch.randn(30, 2, dtype=torch.float64)
    wanted = torch.zeros(30, dtype=torch.float64)
    for k, level in enumerate((0.2, 0.7)):
        over = target - answers[:, k]
        wanted += torch.where(over > 0, level * over, (level - 1) * over).sum(-1) / 2
    torch.testing.assert_close(head.nll(answers, target), wanted, rtol=1e-6, atol=1e-7)


def test_training_finds_the_quantiles_of_data():
    torch.manual_seed(1)
    levels = (0.1, 0.5, 0.9)
    head, data = Quantiles(1, 1, levels), torch.randn(4000, 1).exp()
    optimiser = torch.optim.Adam(head.parameters(), 0.05)
    hidden = torch.ones(4000, 1)
    for _ in range(400):
        optimiser.zero_grad()
        head.nll(head(hidden), data).mean().backward()
        optimiser.step()
    wanted = torch.quantile(data[:, 0], torch.tensor(levels))
    torch.testing.assert_close(head(hidden)[0, :, 0], wanted, rtol=0.08, atol=0.02)


def test_gradients():
    head = Quantiles(4, 2, levels=(0.1, 0.4, 0.8)).double()
    hidden = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    target = torch.randn(3, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda h: head.nll(head(h), target), hidden)


def test_between_levels_lines_are_straight():
    head = Quantiles(2, 1, levels=(0.1, 0.5, 0.9))
    answers = torch.tensor([[[1.0], [3.0], [11.0]]])
    for q, value in ((0.1, 1.0), (0.3, 2.0), (0.5, 3.0), (0.7, 7.0), (0.9, 11.0)):
        assert head.quantile(answers, q).item() == pytest.approx(value)
    each = head.quantile(answers.expand(3, 3, 1), torch.tensor([[0.1], [0.3], [0.9]]))
    torch.testing.assert_close(each, torch.tensor([[1.0], [2.0], [11.0]]))


def test_samples_lie_between_the_outermost():
    head = Quantiles(2, 1, levels=(0.1, 0.5, 0.9))
    drawn = head.sample(torch.tensor([[[1.0], [3.0], [11.0]]]).expand(20_000, 3, 1), torch.Generator())
    assert drawn.min() == 1
    assert drawn.max() == 11
    assert (drawn < 3).float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert head.mean(torch.tensor([[[1.0], [3.0], [11.0]]])).item() == 5


def test_one_level_alone():
    head = Quantiles(2, 3, levels=[0.5])
    answers = head(torch.randn(4, 2))
    torch.testing.assert_close(head.quantile(answers, 0.5), answers[:, 0])


@pytest.mark.parametrize("levels", [(), (0.0, 0.5), (0.5, 0.4), (0.5, 0.5), (0.3, 1.0), (float("nan"),)])
def test_levels_are_checked(levels):
    with pytest.raises(ConfigError, match="levels"):
        Quantiles(2, 1, levels)


def test_refusals():
    head = Quantiles(2, 1)
    answers = head(torch.ones(4, 2))
    with pytest.raises(ConfigError, match=r"wanted 0.1 to 0.9"):
        head.quantile(answers, 0.95)
    with pytest.raises(ShapeError, match="target"):
        head.nll(answers, torch.ones(4, 2))
    with pytest.raises(ShapeError, match="q: wanted"):
        head.quantile(answers, torch.full((3, 1), 0.5))
