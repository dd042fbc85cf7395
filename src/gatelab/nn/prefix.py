"""Prefix beam search for CTC: the likeliest labels, summed over the paths that spell them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatelab.nn.border import check_sizes

BLANK = 0
FACTOR = 6364136223846793005  # an odd number, so that prefixes of different labels differ modulo 2⁶⁴


class Hypothesis(NamedTuple):
    """Labels with their log-probability, in nats."""

    labels: tuple[int, ...]
    score: float


class _Beam(NamedTuple):
    """The prefixes of all sequences, [B, K] each; a place that is not taken has a score of −∞.

    ``blank`` and ``label`` are log-probabilities of the paths that end with a blank and with the prefix's
    last label; ``name`` and ``parent`` are hashes of the prefix, and of it without its last label.
    """

    blank: Tensor
    label: Tensor
    last: Tensor
    name: Tensor
    parent: Tensor

    @property
    def score(self) -> Tensor:
        return torch.logaddexp(self.blank, self.label)


@torch.no_grad()
def prefix_search(logs: Tensor, steps: Tensor, width: int) -> list[list[Hypothesis]]:
    """Return the likeliest labels of each sequence.

    At each step every one of the ``width`` likeliest prefixes of a sequence stays as it is, by a blank or by
    its last label once more, or grows by a label; where one prefix is reached in two ways, probabilities are
    added. All sequences of the batch go through one step together. Prefixes are told apart by hashes of 64
    bits.

    Parameters
    ----------
    logs
        Log-probabilities of blank and labels, [T, B, 1 + labels].
    steps
        Steps of each sequence, int64 [B], each 1 to T.
    width
        Prefixes kept, K.

    Returns
    -------
    list of list of Hypothesis
        For each sequence up to ``width`` of them, the likeliest first.

    Sources: Graves 2012, Sequence transduction with recurrent neural networks; Hannun, Maas, Jurafsky, Ng
    2014, First-pass large vocabulary continuous speech recognition using bi-directional recurrent DNNs,
    without a language model.

    Examples
    --------
    >>> import torch
    >>> logs = torch.tensor([[[0.4, 0.6]], [[0.4, 0.6]], [[0.8, 0.2]]]).log()
    >>> [(labels, round(score, 3)) for labels, score in prefix_search(logs, torch.tensor([3]), 2)[0]]
    [((1,), -0.194), ((), -2.056)]
    """
    check_sizes(width=width)
    logs = logs.double()
    order = torch.argsort(steps, descending=True, stable=True)
    logs, live = logs[:, order], [int((steps > t).sum()) for t in range(int(steps.max()))]
    beam = _start(logs.shape[1], width, logs)
    moves: list[tuple[Tensor, Tensor]] = []  # for each step the place before, and the label or blank
    for t, count in enumerate(live):
        grown, place, label = _step(_Beam(*(part[:count] for part in beam)), logs[t, :count])
        beam = _Beam(*(torch.cat((new, old[count:])) for new, old in zip(grown, beam, strict=True)))
        moves.append((place, label))
    found = _spelled(beam.score, moves)
    places = torch.argsort(order).tolist()
    return [found[place] for place in places]


def _start(batch: int, width: int, like: Tensor) -> _Beam:
    """Return beams with the empty prefix, which ends with a blank."""
    none = like.new_full((batch, width), -math.inf)
    blank = none.clone()
    blank[:, 0] = 0
    zeros = torch.zeros_like(none, dtype=torch.int64)
    return _Beam(blank, none, zeros, zeros + 1, zeros)


def _step(beam: _Beam, logs: Tensor) -> tuple[_Beam, Tensor, Tensor]:
    """Return the beams after a step, the place from which each prefix came, and the label that was added."""
    width = beam.last.shape[1]
    score = beam.score
    blank = score + logs[:, :1]
    label = beam.label + logs.gather(1, beam.last)
    label = torch.where(beam.last == BLANK, -math.inf, label)
    grown = score.unsqueeze(-1) + logs.unsqueeze(1)  # [B, K, classes]
    grown[..., BLANK] = -math.inf
    again = beam.blank + logs.gather(1, beam.last)  # a label twice needs a blank between
    again = torch.where(beam.last == BLANK, -math.inf, again)
    grown.scatter_(2, beam.last.unsqueeze(-1), again.unsqueeze(-1))
    label = _merge(beam, label, grown)
    stays = torch.logaddexp(blank, label)
    best, chosen = torch.cat((stays, grown.flatten(1)), 1).topk(width, 1)
    stayed = chosen < width
    classes = logs.shape[1]
    place = torch.where(stayed, chosen, (chosen - width).div(classes, rounding_mode="floor"))
    added = torch.where(stayed, BLANK, (chosen - width) % classes)
    name, last = beam.name.gather(1, place), beam.last.gather(1, place)
    after = _Beam(
        torch.where(stayed, blank.gather(1, place), -math.inf),
        torch.where(stayed, label.gather(1, place), best),
        torch.where(stayed, last, added),
        torch.where(stayed, name, name * FACTOR + added),
        torch.where(stayed, beam.parent.gather(1, place), name),
    )
    return after, place, added


def _merge(beam: _Beam, label: Tensor, grown: Tensor) -> Tensor:
    """Add to ``label`` the growth of prefixes to ones that are in the beam; takes it out of ``grown``."""
    taken = beam.score > -math.inf
    same = (beam.parent.unsqueeze(2) == beam.name.unsqueeze(1)) & taken.unsqueeze(2) & taken.unsqueeze(1)
    row, child, parent = same.nonzero(as_tuple=True)
    last = beam.last[row, child]
    label[row, child] = torch.logaddexp(label[row, child], grown[row, parent, last])
    grown[row, parent, last] = -math.inf
    return label


def _spelled(score: Tensor, moves: list[tuple[Tensor, Tensor]]) -> list[list[Hypothesis]]:
    """Follow each prefix back to its beginning."""
    batch, width = score.shape
    at = torch.argsort(score, dim=1, descending=True, stable=True)
    scores = score.gather(1, at).tolist()
    path = np.full((batch, width, len(moves)), BLANK)  # the label that was added at each step, or blank
    for t, (place, label) in reversed(list(enumerate(moves))):
        count = len(place)
        path[:count, :, t] = label.gather(1, at[:count])
        at[:count] = place.gather(1, at[:count])
    return [
        [Hypothesis(tuple(p[p != BLANK].tolist()), s) for p, s in zip(*row, strict=True) if s > -math.inf]
        for row in zip(path, scores, strict=True)
    ]
