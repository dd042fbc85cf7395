import pytest
import torch

import gatelab
from gatelab.errors import ConfigError, ShapeError
from gatelab.nn import Bernoulli


def test_bernoulli_nll_is_the_sum_over_variables():
    head = gatelab.nn.Bernoulli(4, 3).double()
    logits = head(torch.randn(7, 4, dtype=torch.float64))
    target = (torch.rand(7, 3) < 0.5).double()
    p = torch.sigmoid(logits)
    expected = -torch.log(torch.where(target > 0, p, 1 - p)).sum(-1)
    torch.testing.assert_close(head.nll(logits, target), expected)


def test_bernoulli_is_stable_for_large_logits():
    logits = torch.tensor([[200.0, -200.0]])
    assert gatelab.nn.Bernoulli.nll(logits, torch.tensor([[1.0, 0.0]])).item() == 0.0
    assert gatelab.nn.Bernoulli.nll(logits, torch.tensor([[0.0, 0.0]])).item() == 200.0


def test_samples_are_as_frequent_as_their_mean():
    answers = torch.tensor([-2.0, 0.3, 5.0]).expand(100_000, 3)
    drawn = Bernoulli.sample(answers, torch.Generator().manual_seed(1))
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert (drawn.mean(0) - Bernoulli.mean(answers[0])).abs().max() < 0.01
    cold = Bernoulli.sample(answers, torch.Generator().manual_seed(1), temperature=0.5)
    assert (cold.mean(0) - torch.sigmoid(2 * answers[0])).abs().max() < 0.01


def test_refusals():
    with pytest.raises(ConfigError, match="output_size"):
        Bernoulli(3, 0)
    with pytest.raises(ShapeError, match="hidden"):
        Bernoulli(3, 2)(torch.ones(4, 2))
    with pytest.raises(ShapeError, match="target"):
        Bernoulli.nll(torch.ones(4, 2), torch.ones(4))
