"""Edit distance between sequences, of which error rates are made: WER, CER, PER."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import ShapeError


def edit_distance(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> int:
    """Return the fewest insertions, deletions and substitutions from one sequence to another.

    Row by row of the table of distances; within a row, insertions are a running minimum, so that a row is a
    few operations on vectors.

    Parameters
    ----------
    reference, hypothesis
        Texts (their letters count), or lists of words, phones, indices.

    Examples
    --------
    >>> edit_distance("kitten", "sitting"), edit_distance("the cat sat".split(), "a cat sat down".split())
    (3, 2)

    Notes
    -----
    V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", Soviet
    Physics Doklady 10, 1966; R. A. Wagner and M. J. Fischer, Journal of the ACM 21, 1974.
    """
    reference, hypothesis = _without_ends(reference, hypothesis)
    if not len(reference) or not len(hypothesis):
        return len(reference) + len(hypothesis)
    names: dict[Hashable, int] = {}
    a, b = ([names.setdefault(symbol, len(names)) for symbol in part] for part in (reference, hypothesis))
    other, steps = np.array(b), np.arange(len(b) + 1)
    row = steps.copy()
    for symbol in a:
        best = row + 1  # deletion
        np.minimum(best[1:], row[:-1] + (other != symbol), out=best[1:])  # substitution, or the same
        row = np.minimum.accumulate(best - steps) + steps  # insertions: each costs one step to the right
    return int(row[-1])


def _without_ends(
    a: Sequence[Hashable], b: Sequence[Hashable]
) -> tuple[Sequence[Hashable], Sequence[Hashable]]:
    """Leave out what both have at the beginning and the end: no edit is ever needed there."""
    shorter = min(len(a), len(b))
    start = next((k for k in range(shorter) if a[k] != b[k]), shorter)
    rest = shorter - start
    end = next((k for k in range(rest) if a[len(a) - 1 - k] != b[len(b) - 1 - k]), rest)
    return a[start : len(a) - end], b[start : len(b) - end]


def edit_counts(
    references: Sequence[Sequence[Hashable]], hypotheses: Sequence[Sequence[Hashable]]
) -> NDArray[np.int64]:
    """Return (edits, length of the reference) of each pair, ``[N, 2]``; the rate is the ratio of the sums.

    Raises
    ------
    ShapeError
        There are not as many hypotheses as references.

    Examples
    --------
    >>> edit_counts([["the", "cat"], ["a"]], [["the", "bat"], ["a", "b"]]).tolist()
    [[1, 2], [1, 1]]
    """
    if len(references) != len(hypotheses):
        raise ShapeError(f"edits: wanted {len(references)} hypotheses, got {len(hypotheses)}")
    pairs = zip(references, hypotheses, strict=True)
    return np.array([(edit_distance(r, h), len(r)) for r, h in pairs], np.int64).reshape(-1, 2)
