"""Connectionist temporal classification: labels of a sequence without their places in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from gatelab.errors import ShapeError
from gatelab.nn.border import check_float, check_sizes
from gatelab.nn.prefix import Hypothesis, prefix_search

BLANK = 0
Lengths = Tensor | Sequence[int]
Labels = Sequence[Tensor] | Sequence[Sequence[int]]


class CTCLoss(NamedTuple):
    """A mean loss, with what it leaves out.

    Attributes
    ----------
    loss
        Mean of −log p(labels) over the sequences that have a path, in nats a sequence; NaN where none has.
    impossible
        How many sequences have none: their loss is infinite, and they are left out of the mean.
    """

    loss: Tensor
    impossible: int


class CTC(nn.Module):
    """Labels of a sequence: at each step a label or a blank, summed over all paths that spell the labels.

    A path spells what is left of it when repeated labels are made one and then blanks are removed. Blank is
    class 0, so labels are 1 to ``labels``.

    A batch comes as a PackedSequence of answers, as ``head(output)`` gives it for a recurrent layer's packed
    output; as rows [N, 1 + labels] put back into one by :meth:`packed`; or padded, [T, B, 1 + labels] with
    ``lengths``. What comes out is in the batch's own order.

    Parameters
    ----------
    input_size
        Numbers in a row of the layer below.
    labels
        Labels, without the blank.

    Source: Graves, Fernández, Gomez, Schmidhuber 2006.

    Examples
    --------
    >>> import torch
    >>> from gatelab.nn import CTC
    >>> head = CTC(32, labels=3)
    >>> answers = head(torch.ones(5, 2, 32))  # T = 5, B = 2
    >>> head.nll(answers, [[1, 1], [2, 2, 3, 3]], lengths=[5, 4])  # no path of 4 steps spells 2, 2, 3, 3
    tensor([..., inf], grad_fn=<WhereBackward0>)
    """

    def __init__(self, input_size: int, labels: int) -> None:
        super().__init__()
        check_sizes(input_size=input_size, labels=labels)
        self.affine = nn.Linear(input_size, 1 + labels)

    def forward(self, hidden: Tensor | PackedSequence) -> Tensor | PackedSequence:
        """Return logits [..., 1 + labels] for hidden [..., inputs]; a PackedSequence gives one."""
        if isinstance(hidden, PackedSequence):
            return self.packed(self._rows(hidden.data), hidden)
        return self._rows(hidden)

    @staticmethod
    def packed(answers: Tensor, like: PackedSequence) -> PackedSequence:
        """Return rows [N, …] as a PackedSequence with the layout of ``like``."""
        if answers.shape[:1] != like.data.shape[:1]:
            raise ShapeError(f"answers: wanted N = {len(like.data)} rows, got {tuple(answers.shape)}")
        return PackedSequence(answers, like.batch_sizes, like.sorted_indices, like.unsorted_indices)

    @staticmethod
    def nll(answers: Tensor | PackedSequence, target: Labels, lengths: Lengths | None = None) -> Tensor:
        """Return −log p(labels) of each sequence, [B], in nats.

        Where no path spells the labels, because the sequence is too short for them or because a label that is
        needed has a logit of −∞, it is infinite, and passes no gradient on.

        Parameters
        ----------
        answers
            Logits, packed or padded.
        target
            Labels of each sequence, B lists or int64 tensors [labels]; they may be empty.
        lengths
            Steps of each sequence, [B], where answers are padded; all of T where it is None.
        """
        logits, steps = _padded(answers, lengths)
        flat, counts = _flat(target, logits)
        logs = functional.log_softmax(logits, -1)
        found = functional.ctc_loss(logs, flat, steps, counts, BLANK, "none", zero_infinity=True)
        return torch.where(_infinite(found, logs, flat, steps, counts), torch.inf, found)

    @staticmethod
    def mean_nll(answers: Tensor | PackedSequence, target: Labels, lengths: Lengths | None = None) -> CTCLoss:
        """Return the mean loss of the sequences that have a path, and how many have none."""
        losses = CTC.nll(answers, target, lengths)
        possible = losses.isfinite() | losses.isnan()
        kept = losses[possible]
        return CTCLoss(kept.mean(), len(losses) - len(kept))

    @staticmethod
    def best_path(answers: Tensor | PackedSequence, lengths: Lengths | None = None) -> list[Tensor]:
        """Return what the likeliest class of each step spells, B int64 tensors of labels."""
        logits, steps = _padded(answers, lengths)
        path = logits.argmax(-1)  # [T, B]
        before = functional.pad(path[:-1], (0, 0, 1, 0), value=BLANK)
        live = torch.arange(len(path), device=path.device)[:, None] < steps.to(path.device)
        kept = (path != BLANK) & (path != before) & live
        return list(torch.split(path.T[kept.T], kept.sum(0).tolist()))

    @staticmethod
    def beam(
        answers: Tensor | PackedSequence, lengths: Lengths | None = None, width: int = 10
    ) -> list[list[Hypothesis]]:
        """Return the likeliest labels of each sequence; see :func:`gatelab.nn.prefix.prefix_search`."""
        logits, steps = _padded(answers, lengths)
        return prefix_search(functional.log_softmax(logits.detach(), -1), steps, width)

    def _rows(self, hidden: Tensor) -> Tensor:
        check_float("hidden", hidden, self.affine.in_features)
        logits: Tensor = self.affine(hidden)
        return logits


def _padded(answers: Tensor | PackedSequence, lengths: Lengths | None) -> tuple[Tensor, Tensor]:
    """Return logits [T, B, classes] and the steps of each sequence, int64 [B] on the CPU."""
    if isinstance(answers, PackedSequence):
        if lengths is not None:
            raise ShapeError("a PackedSequence knows its lengths; call without lengths=")
        check_float("answers", answers.data, "classes")
        return pad_packed_sequence(answers)
    check_float("answers", answers, "T", "B", "classes")
    if answers.dim() != 3:
        raise ShapeError(f"answers: wanted [T, B, classes], got {tuple(answers.shape)}")
    most, batch = answers.shape[:2]
    given = torch.as_tensor([most] * batch if lengths is None else lengths, device="cpu")
    if given.shape != (batch,) or given.is_floating_point() or given.dtype == torch.bool:
        raise ShapeError(f"lengths: wanted {batch} whole numbers, one a sequence; got {lengths!r:.60}")
    if int(given.min()) < 1 or int(given.max()) > most:
        raise ShapeError(f"lengths: wanted 1 to T = {most} (time steps), got {lengths!r:.60}")
    return answers, given.long()


def _flat(target: Labels, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return all labels one after the other, and how many each sequence has, [B] on the CPU."""
    batch, classes = logits.shape[1:]
    if len(target) != batch:
        raise ShapeError(f"target: wanted labels of B = {batch} sequences, got {len(target)}")
    rows = [torch.as_tensor(row) for row in target]
    for place, row in enumerate(rows):
        if row.dim() != 1 or (len(row) and (row.is_floating_point() or row.dtype == torch.bool)):
            raise ShapeError(f"target[{place}]: wanted labels as whole numbers, [labels], got {row!r:.60}")
    flat = torch.cat([row.to(logits.device, torch.int64) for row in rows])
    if len(flat) and not (int(flat.min()) > BLANK and int(flat.max()) < classes):
        raise ShapeError(
            f"target: wanted labels 1 to {classes - 1} ({BLANK} is the blank), got {int(flat.min())} to "
            f"{int(flat.max())}"
        )
    return flat, torch.tensor([len(row) for row in rows])


@torch.no_grad()
def _infinite(found: Tensor, logs: Tensor, flat: Tensor, steps: Tensor, counts: Tensor) -> Tensor:
    """Return where a loss of 0 stands for infinity, bool [B]; asked again only where there is a 0."""
    if not bool((found == 0).any()):
        return torch.zeros_like(found, dtype=torch.bool)
    return functional.ctc_loss(logs, flat, steps, counts, BLANK, "none").isinf()
