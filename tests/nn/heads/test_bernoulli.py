import torch

import gatelab


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
