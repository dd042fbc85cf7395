"""1-gram, bigram and the most frequent class, against sums by hand and the literature."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from gatelab.data.text import baselines as baselines_text
from gatelab.data.text.baselines import Cost, bigram_cost, unigram_cost
from gatelab.data.text.corpus import Corpus, load_text
from gatelab.errors import DataError

SOME = np.random.default_rng(1)
TRAIN, TEST = SOME.integers(0, 7, 500).astype(np.uint8), SOME.integers(0, 7, 90).astype(np.uint8)


def by_hand(order: int, a: float) -> float:
    train, test = TRAIN.tolist(), TEST.tolist()
    one, two = Counter(train), Counter(pairwise(train))
    before = Counter(train[:-1])
    if order == 1:
        return -sum(math.log((one[k] + a) / (len(train) + 7 * a)) for k in test) / len(test)
    pairs = list(pairwise(test))
    return -sum(math.log((two[p] + a) / (before[p[0]] + 7 * a)) for p in pairs) / len(pairs)


@pytest.mark.parametrize("a", [0.01, 0.5, 3])
@pytest.mark.parametrize("block", [1, 7, 10**6])
@pytest.mark.parametrize("dense", [0, 10**6])
def test_against_sums_by_hand(monkeypatch: pytest.MonkeyPatch, a: float, block: int, dense: int) -> None:
    monkeypatch.setattr(baselines_text, "BLOCK", block)
    monkeypatch.setattr(baselines_text, "DENSE", dense)
    assert unigram_cost(TRAIN, TEST, 7, a).nats == pytest.approx(by_hand(1, a))
    assert bigram_cost(TRAIN, TEST, 7, a).nats == pytest.approx(by_hand(2, a))


def test_units() -> None:
    cost = Cost(2 * math.log(2))
    assert (cost.bits, cost.perplexity) == (pytest.approx(2), pytest.approx(4))


def text(name: str) -> Corpus:
    try:
        return load_text(name)
    except DataError:
        pytest.skip(f"the text {name} is not in GATELAB_DATA")


def test_war_and_peace() -> None:
    """Karpathy et al. 2015 report 2.399 nats for their model of one character before."""
    corpus = text("warpeace")
    assert bigram_cost(corpus.train, corpus.test, len(corpus.vocabulary)).nats == pytest.approx(
        2.394, abs=0.001
    )
    assert unigram_cost(corpus.train, corpus.test, len(corpus.vocabulary)).nats == pytest.approx(
        3.100, abs=0.001
    )


def test_penn_treebank() -> None:
    corpus = text("ptb")
    one = unigram_cost(corpus.train, corpus.test, 10_000, 0.01)
    two = bigram_cost(corpus.train, corpus.test, 10_000, 0.01)
    assert (round(one.perplexity), round(two.perplexity)) == (639, 274)


@pytest.mark.parametrize(
    ("train", "test", "smoothing", "message"),
    [
        (TRAIN[:0], TEST, 0.5, r"train: wanted ids \[N\] of 2 or more symbols, came \(0,\)"),
        (TRAIN, TEST[:1], 0.5, "test: wanted ids"),
        (TRAIN, TEST + 7, 0.5, "test: wanted ids from 0 to 6"),
        (TRAIN.reshape(2, -1), TEST, 0.5, r"came \(2, 250\)"),
        (TRAIN, TEST, 0.0, "smoothing: wanted a number above 0, came 0.0"),
        (TRAIN, TEST, math.nan, "smoothing"),
    ],
)
def test_refuses(train: np.ndarray, test: np.ndarray, smoothing: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        bigram_cost(train, test, 7, smoothing)
