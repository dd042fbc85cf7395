import pytest
import torch
from torch.nn import functional

from gatelab.errors import ConfigError, GatelabError, ShapeError
from gatelab.nn import Categorical
from gatelab.nn.heads import entropy


@pytest.fixture(params=["kernel", "torch"], autouse=True)
def way(request, monkeypatch):
    """By the kernel, and as it is done where the kernel cannot run."""
    if request.param == "torch":
        monkeypatch.setattr(entropy.entropy, "can_run", lambda logits: False)


def problem(rows=37, classes=11, dtype=torch.float64, scale=3.0):
    torch.manual_seed(rows + classes)
    logits = (scale * torch.randn(rows, classes, dtype=dtype)).requires_grad_()
    return logits, torch.randint(classes, (rows,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("classes", [1, 2, 3, 7, 8, 9, 16, 17, 31, 33, 87, 256, 1003])
def test_loss_and_gradient_are_torchs(dtype, classes):
    logits, target = problem(29, classes, dtype)
    wanted = functional.cross_entropy(logits, target)
    found = Categorical.mean_nll(logits, target)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(
        torch.autograd.grad(2.5 * found, logits), torch.autograd.grad(2.5 * wanted, logits)
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_many_rows_and_threads(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        logits, target = problem(5001, 87, torch.float32)
        outer = torch.randn(5001)
        wanted = torch.autograd.grad(
            functional.cross_entropy(logits, target, reduction="none"), logits, outer
        )
        found = torch.autograd.grad(Categorical.nll(logits, target), logits, outer)
        torch.testing.assert_close(found, wanted)
    finally:
        torch.set_num_threads(before)


def test_rows_of_any_shape_and_stride():
    logits = torch.randn(7, 5, 6, dtype=torch.float64, requires_grad=True)
    turned, target = logits.transpose(0, 2), torch.randint(7, (6, 5))
    found = Categorical.nll(turned, target)
    wanted = -functional.log_softmax(turned, -1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(found, wanted)
    outer = torch.randn(6, 5, dtype=torch.float64)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logits, outer) for loss in (found, wanted)))


def test_weights_give_a_weighted_mean():
    logits, target = problem()
    weights = torch.rand(len(target)).mul(3).round()
    losses = functional.cross_entropy(logits, target, reduction="none")
    wanted = (losses * weights).sum() / weights.sum()
    found = Categorical.mean_nll(logits, target, weights)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logits) for loss in (found, wanted)))


def test_a_row_without_weight_may_hold_anything():
    logits, target = problem(4, 5)
    with torch.no_grad():
        logits[1], logits[2] = float("nan"), -float("inf")
    weights = torch.tensor([2.0, 0.0, 0.0, 1.0])
    found = Categorical.mean_nll(logits, target, weights)
    (gradient,) = torch.autograd.grad(found, logits)
    kept = logits[[0, 3]].detach().requires_grad_()
    wanted = Categorical.mean_nll(kept, target[[0, 3]], weights[[0, 3]])
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(gradient[[0, 3]], torch.autograd.grad(wanted, kept)[0])
    assert (gradient[1:3] == 0).all()


def test_derivatives_of_both_orders():
    logits, target = problem(5, 4)
    assert torch.autograd.gradcheck(lambda x: Categorical.nll(x, target), logits)
    weights = torch.tensor([1.0, 0.5, 2.0, 0.1, 3.0])
    assert torch.autograd.gradcheck(lambda x: Categorical.mean_nll(x, target, weights), logits)
    assert torch.autograd.gradgradcheck(lambda x: Categorical.nll(x, target), logits)


def test_a_second_pass_backwards_leaves_the_first_alone():
    logits, target = problem(6, 9)
    loss = Categorical.mean_nll(logits, target)
    (first,) = torch.autograd.grad(3 * loss, logits, retain_graph=True)
    copy = first.clone()
    (second,) = torch.autograd.grad(-loss, logits)
    torch.testing.assert_close(first, copy, rtol=0, atol=0)
    torch.testing.assert_close(second, -first / 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extremes(dtype):
    inf = float("inf")
    logits = torch.tensor(
        [
            [3e38, -3e38, 0.0],
            [1e4, 1e4 - 300, -1e4],
            [-inf, 0.0, 1.0],
            [-inf, 0.0, 1.0],
            [-200.0, -inf, -inf],
            [-1e4, -2e4, -1.5e4],
        ],
        dtype=dtype,
        requires_grad=True,
    )
    target = torch.tensor([0, 1, 1, 0, 0, 2])
    found = Categorical.nll(logits, target)
    assert found.tolist()[:2] == [0.0, 300.0]
    assert found[2].item() == pytest.approx(1.3132617)
    assert found.tolist()[3:] == [inf, 0.0, 5000.0]
    (gradient,) = torch.autograd.grad(found.sum(), logits)
    (wanted,) = torch.autograd.grad(functional.cross_entropy(logits, target, reduction="sum"), logits)
    torch.testing.assert_close(gradient, wanted)
    assert gradient.isfinite().all()
    assert (gradient[logits == -inf][[0, 2, 3]] == 0).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_not_hidden(bad):
    logits = torch.randn(3, 40, requires_grad=True)
    spoilt = logits.clone()
    spoilt.data[1, 33] = bad
    losses = Categorical.nll(spoilt, torch.tensor([1, 2, 3]))
    assert losses.isnan().tolist() == [False, True, False]
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert gradient[1].isnan().any()
    assert gradient[[0, 2]].isfinite().all()


def test_no_rows():
    logits = torch.empty(0, 5, requires_grad=True)
    none = torch.empty(0, dtype=torch.int64)
    losses = Categorical.nll(logits, none)
    assert losses.shape == (0,)
    assert torch.autograd.grad(losses.sum(), logits)[0].shape == (0, 5)
    with pytest.raises(ShapeError, match="at least one row"):
        Categorical.mean_nll(logits, none)


def test_head_trains_and_draws():
    torch.manual_seed(0)
    head = Categorical(3, 4)
    hidden, target = torch.randn(40, 3), torch.randint(4, (40,))
    for _ in range(3):
        before = Categorical.mean_nll(head(hidden), target)
        gradients = torch.autograd.grad(before, list(head.parameters()))
        with torch.no_grad():
            for weight, gradient in zip(head.parameters(), gradients, strict=True):
                weight -= 0.1 * gradient
        assert Categorical.mean_nll(head(hidden), target) < before
    answers = head(hidden)
    torch.testing.assert_close(head.log_probabilities(answers).exp().sum(-1), torch.ones(40))
    torch.testing.assert_close(head.sample(answers, top=1), head.mode(answers))


LOGITS, TARGET = problem(3, 4)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: Categorical(0, 3), "input_size: wanted a whole number of at least 1"),
        (lambda: Categorical(3, True), "output_size"),
        (lambda: Categorical(3, 4)(torch.ones(2, 5)), r"hidden: wanted \[..., 3\], got \(2, 5\)"),
        (lambda: Categorical.nll(LOGITS, TARGET.int()), "int64"),
        (lambda: Categorical.nll(LOGITS, TARGET[:2]), r"a class a row, \(3,\), got \(2,\)"),
        (lambda: Categorical.nll(LOGITS, torch.tensor([0, 4, 1])), "classes 0 to 3, got 4"),
        (lambda: Categorical.nll(LOGITS, torch.tensor([0, -100, 1])), "classes 0 to 3, got -100"),
        (lambda: Categorical.nll(LOGITS.long(), TARGET), "floating-point"),
        (lambda: Categorical.nll(None, TARGET), "wanted a tensor"),
        (lambda: Categorical.mean_nll(LOGITS, TARGET, torch.ones(2)), "weights: wanted one a row"),
        (lambda: Categorical.mean_nll(LOGITS, TARGET, torch.tensor([1.0, -1, 1])), "at least 0"),
        (lambda: Categorical.mean_nll(LOGITS, TARGET, torch.zeros(3)), "one of them above"),
        (lambda: Categorical.mean_nll(LOGITS, TARGET, torch.ones(3, requires_grad=True)), "detach"),
        (lambda: Categorical.sample(LOGITS, temperature=0.0), "temperature"),
        (lambda: Categorical.sample(LOGITS, top=5), "top: wanted at most V = 4"),
    ],
)
def test_refusals(call, word):
    with pytest.raises(GatelabError, match=word) as caught:
        call()
    assert isinstance(caught.value, ShapeError | ConfigError)
