"""BLEU of summed counts is sacrebleu's of the corpus, whichever sentences it is made of."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from gatelab.errors import ShapeError
from gatelab.stats.bleu import bleu, bleu_counts

WORDS = ["the", "a", "cat", "dog", "sat", "ran", "on", "mat", ",", "it's", "$5.20", "Straße", "isn't", "red"]


def corpus(seed: int, size: int, keep: float) -> tuple[list[str], list[str]]:
    draw = random.Random(seed)
    references = [" ".join(draw.choices(WORDS, k=draw.randint(1, 14))) for _ in range(size)]
    changed = [
        " ".join(w if draw.random() < keep else draw.choice(WORDS) for w in r.split()[: draw.randint(1, 14)])
        for r in references
    ]
    return changed, references


@pytest.mark.parametrize("tokenize", ["13a", "intl", "char", "none"])
@pytest.mark.parametrize("keep", [0.95, 0.6, 0.1])
def test_is_sacrebleus_score_of_any_resample(tokenize: str, keep: float) -> None:
    hypotheses, references = corpus(1, 60, keep)
    counts = bleu_counts(hypotheses, references, tokenize=tokenize, lowercase=True)
    assert counts.shape == (60, 10)
    metric = BLEU(tokenize=tokenize, lowercase=True, force=True)
    draw = np.random.default_rng(2)
    for size in (60, 60, 5, 1, 1, 1):
        rows = draw.integers(0, 60, size)
        wanted = metric.corpus_score([hypotheses[r] for r in rows], [[references[r] for r in rows]]).score
        assert bleu(counts[rows]) == pytest.approx(wanted, abs=1e-9)


def test_ends_and_refusals() -> None:
    same = bleu_counts(["a b c d e"], ["a b c d e"])
    assert bleu(same) == pytest.approx(100)
    assert bleu(same.sum(0)) == pytest.approx(100)
    assert bleu(bleu_counts(["", "x"], ["a b", "c d e f"])) == 0
    with pytest.raises(ShapeError, match="wanted 2 hypotheses, from 1, got 1"):
        bleu_counts(["a"], ["a", "b"])
    with pytest.raises(ShapeError, match="wanted 0 hypotheses, from 1, got 0"):
        bleu_counts([], [])
