"""CTC against the sum over all paths, in float64."""

import itertools
import math

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn import CTC


def collapse(path):
    return tuple(label for label, _ in itertools.groupby(path) if label)


def every(logs):
    """Return {labels: probability}, summed over all paths of log-probabilities [T, classes]."""
    found = {}
    for path in itertools.product(range(logs.shape[1]), repeat=len(logs)):
        value = math.exp(sum(float(logs[t, c]) for t, c in enumerate(path)))
        found[collapse(path)] = found.get(collapse(path), 0.0) + value
    return found


def problem(steps=5, batch=4, classes=3, seed=0, scale=1.5):
    torch.manual_seed(seed)
    return (scale * torch.randn(steps, batch, classes, dtype=torch.float64)).requires_grad_()


LENGTHS = [3, 5, 4, 1]
TARGET = [[1, 1], [2, 1, 2], [], [1]]


def test_loss_is_the_sum_over_all_paths():
    answers = problem()
    found = CTC.nll(answers, TARGET, LENGTHS)
    for row, (length, labels) in enumerate(zip(LENGTHS, TARGET, strict=True)):
        wanted = every(answers[:length, row].detach().log_softmax(-1))[tuple(labels)]
        assert found[row].item() == pytest.approx(-math.log(wanted))


def test_packed_and_padded_agree():
    answers = problem()
    packed = pack_padded_sequence(answers, torch.tensor(LENGTHS), enforce_sorted=False)
    target = [torch.tensor(labels, dtype=torch.int32) for labels in TARGET]
    torch.testing.assert_close(CTC.nll(packed, target), CTC.nll(answers, TARGET, LENGTHS))
    assert [p.tolist() for p in CTC.best_path(packed)] == [
        p.tolist() for p in CTC.best_path(answers, LENGTHS)
    ]
    assert CTC.beam(packed) == CTC.beam(answers, LENGTHS)


def test_head_reads_what_a_layer_gives():
    head = CTC(6, labels=4).double()
    hidden = torch.randn(5, 4, 6, dtype=torch.float64)
    packed = pack_padded_sequence(hidden, torch.tensor(LENGTHS), enforce_sorted=False)
    answers = head(packed)
    assert isinstance(answers, PackedSequence)
    torch.testing.assert_close(CTC.packed(head(packed.data), packed).data, answers.data)
    torch.testing.assert_close(CTC.nll(answers, TARGET), CTC.nll(head(hidden), TARGET, LENGTHS))


def test_gradients():
    answers = problem()
    assert torch.autograd.gradcheck(lambda a: CTC.nll(a, TARGET, LENGTHS), answers)
    assert torch.autograd.gradcheck(lambda a: CTC.mean_nll(a, TARGET, LENGTHS).loss, answers)


def test_what_no_path_spells_is_infinite_and_counted():
    answers = problem()
    target = [[1, 1, 1], [2, 1, 2], [1, 2, 1, 2, 1], [2]]  # 1, 1, 1 takes five steps
    losses = CTC.nll(answers, target, LENGTHS)
    assert losses.isinf().tolist() == [True, False, True, False]
    loss, impossible = CTC.mean_nll(answers, target, LENGTHS)
    assert impossible == 2
    torch.testing.assert_close(loss, losses[[1, 3]].mean())
    (gradient,) = torch.autograd.grad(loss, answers)
    assert gradient.isfinite().all()
    assert (gradient[:, [0, 2]] == 0).all()
    assert (gradient[0, [1, 3]] != 0).all()


def test_all_impossible_is_not_zero():
    loss, impossible = CTC.mean_nll(problem(2, 1), [[1, 1]])
    assert loss.isnan()
    assert impossible == 1


def test_a_forbidden_label_is_infinite_and_a_certain_one_zero():
    answers = torch.full((2, 2, 3), -math.inf)
    answers[:, 0, 1] = answers[:, 1, 2] = 0.0
    found = CTC.nll(answers, [[1], [1]])
    assert found.tolist() == [0.0, math.inf]


def test_what_is_not_a_number_is_not_counted_as_impossible():
    answers = problem().detach()
    answers[0, 1] = math.nan
    loss, impossible = CTC.mean_nll(answers, TARGET, LENGTHS)
    assert loss.isnan()
    assert impossible == 0


def test_best_path_collapses():
    path = torch.tensor(
        [[0, 1, 1, 0, 1, 2, 2], [3, 3, 3, 0, 0, 3, 3], [0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 2, 2, 0, 3]]
    ).T
    answers = torch.nn.functional.one_hot(path, 4).float()
    found = CTC.best_path(answers, [7, 4, 7, 5])
    assert [f.tolist() for f in found] == [[1, 1, 2], [3], [], [1, 2]]


def test_best_path_of_random_batches():
    answers, lengths = problem(20, 30, 4), torch.randint(1, 21, (30,))
    found = CTC.best_path(answers, lengths)
    for row, length in enumerate(lengths.tolist()):
        assert tuple(found[row].tolist()) == collapse(answers[:length, row].argmax(-1).tolist())


@pytest.mark.parametrize("seed", range(6))
def test_a_wide_beam_finds_every_probability(seed):
    answers = problem(seed=seed, scale=1 + seed)
    found = CTC.beam(answers, LENGTHS, width=200)
    for row, length in enumerate(LENGTHS):
        wanted = every(answers[:length, row].detach().log_softmax(-1))
        assert {h.labels for h in found[row]} == set(wanted)
        assert [h.score for h in found[row]] == sorted((h.score for h in found[row]), reverse=True)
        for labels, score in found[row]:
            assert math.exp(score) == pytest.approx(wanted[labels], rel=1e-9)


def plain_search(logs, width):
    """Prefix beam search as Hannun et al. 2014 write it, with a dictionary, for one sequence."""
    beam = {(): (1.0, 0.0)}
    for row in logs.exp().tolist():
        after = {}
        for prefix, (blank, label) in beam.items():
            old = after.get(prefix, (0.0, 0.0))
            same = label * row[prefix[-1]] if prefix else 0.0
            after[prefix] = (old[0] + (blank + label) * row[0], old[1] + same)
            for c in range(1, len(row)):
                grown = (*prefix, c)
                value = (blank if prefix and c == prefix[-1] else blank + label) * row[c]
                old = after.get(grown, (0.0, 0.0))
                after[grown] = (old[0], old[1] + value)
        beam = dict(sorted(after.items(), key=lambda kv: -sum(kv[1]))[:width])
    return {prefix: math.log(sum(parts)) for prefix, parts in beam.items() if sum(parts)}


@pytest.mark.parametrize("width", [1, 2, 5, 10])
def test_beams_are_those_of_the_plain_search(width):
    """Prefixes leave the beam and come back in 40 steps; labels repeat."""
    answers = problem(40, 12, 5, seed=width, scale=2.0).detach()
    found = CTC.beam(answers, width=width)
    for row, hypotheses in enumerate(found):
        wanted = plain_search(answers[:, row].log_softmax(-1), width)
        assert {h.labels for h in hypotheses} == set(wanted)
        for labels, score in hypotheses:
            assert score == pytest.approx(wanted[labels], rel=1e-9)


def test_a_narrow_beam_is_never_above_the_truth():
    answers = problem(6, 3, 3, seed=9)
    for row, hypotheses in enumerate(CTC.beam(answers, width=2)):
        wanted = every(answers[:, row].detach().log_softmax(-1))
        assert 1 <= len(hypotheses) <= 2
        assert all(math.exp(score) <= wanted[labels] * (1 + 1e-9) for labels, score in hypotheses)


def test_beams_of_certain_and_forbidden_labels():
    answers = torch.full((4, 1, 3), -math.inf)
    answers[[0, 1, 3], 0, 1] = answers[2, 0, 0] = 0.0
    ((only,),) = CTC.beam(answers, width=5)
    assert only == ((1, 1), 0.0)


@pytest.mark.parametrize(
    ("call", "error", "word"),
    [
        (lambda a: CTC.nll(a, [[1]] * 3), ShapeError, "labels of B = 4 sequences, got 3"),
        (lambda a: CTC.nll(a, [[0], [1], [1], [1]]), ShapeError, "labels 1 to 2"),
        (lambda a: CTC.nll(a, [[3], [1], [1], [1]]), ShapeError, "labels 1 to 2"),
        (lambda a: CTC.nll(a, [[1.5], [1], [1], [1]]), ShapeError, r"target\[0\]"),
        (lambda a: CTC.nll(a, [[1], [[1]], [1], [1]]), ShapeError, r"target\[1\]"),
        (lambda a: CTC.nll(a, TARGET, [1, 2, 3]), ShapeError, "lengths: wanted 4"),
        (lambda a: CTC.nll(a, TARGET, [1, 2, 3, 6]), ShapeError, "1 to T = 5"),
        (lambda a: CTC.nll(a, TARGET, [1.0, 2, 3, 4]), ShapeError, "whole numbers"),
        (lambda a: CTC.nll(a[0], TARGET), ShapeError, "answers"),
        (lambda a: CTC.beam(a, width=0), ConfigError, "width"),
        (lambda a: CTC(0, 3), ConfigError, "input_size"),
        (lambda a: CTC(3, 4)(torch.ones(2, 2)), ShapeError, "hidden"),
        (lambda a: CTC.packed(a[0], pack_padded_sequence(a, [5] * 4)), ShapeError, "N = 20"),
        (
            lambda a: CTC.nll(pack_padded_sequence(a, [5] * 4), TARGET, LENGTHS),
            ShapeError,
            "knows its lengths",
        ),
    ],
)
def test_refusals(call, error, word):
    with pytest.raises(error, match=word):
        call(problem())
